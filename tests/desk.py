"""Trading by pencil and paper: what `Trade` must do, written from the design, slow and obvious.

`Desk` looks at each trade by itself, adds in fractions and strikes off what it takes from a book.
`sessions()` builds tapes to trade on, with prices on a coarse grid: a trade exactly on a barrier,
at the very end of a latency or just when a book grows old is nothing rare.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from random import Random
from typing import TypeAlias

from hypothesis import strategies as st

from operators.costs import Costs
from operators.monitor import Barriers, Scaled
from schemas import (
    SECOND,
    Averages,
    Book,
    Closed,
    Command,
    Event,
    Fault,
    Fill,
    Halt,
    Heartbeat,
    Instrument,
    Levels,
    Numbers,
    Opened,
    Order,
    Refused,
    Signal,
    Time,
    Trades,
    Value,
)
from tests.tapes import MARKET, START, Trade, rows, sliced

Part: TypeAlias = tuple[Fraction, Fraction, Fraction]
"""Of a fill: price, amount, fee."""

SIGNS = {"long": 1, "short": -1}
NO_INSTRUMENT = Instrument(MARKET, 0, None, Decimal("1e-8"), Decimal(0), Decimal(1))


def exact(number: float | Decimal) -> Fraction:
    """Return the number that is meant: 0.1 is a tenth."""
    return Fraction(str(number))


def rounded(number: Fraction) -> Fraction:
    """Return it with 18 decimals, halves to even: prices and fees are kept no finer."""
    return Fraction(round(number * 10**18), 10**18)


def decimal(number: Fraction) -> Decimal:
    with localcontext() as context:
        context.prec = 200
        return Decimal(number.numerator) / Decimal(number.denominator)


def whole_lots(amount: Fraction, lot: Decimal) -> Fraction:
    return amount // exact(lot) * exact(lot)


def average(parts: list[Part]) -> Fraction:
    if len({price for price, _, _ in parts}) == 1:
        return parts[0][0]
    worth = sum((price * amount for price, amount, _ in parts), Fraction(0))
    return rounded(worth / sum(amount for _, amount, _ in parts))


class Desk:
    """One market's trader. Each call tells what follows from one trade or other event."""

    def __init__(self, barriers: Barriers, costs: Costs, max_slippage: float | None = None) -> None:
        self.barriers, self.costs, self.max_slippage = barriers, costs, max_slippage
        self.fee, self.slippage = exact(costs.fees_bps) / 10_000, exact(costs.slippage_bps) / 10_000
        self.stage, self.mode = "flat", "active"
        self.then: Signal | None = None
        self.price: float | None = None
        self.book: Book | None = None
        self.gone: dict[tuple[int, int], Fraction] = {}
        self.instrument = NO_INSTRUMENT
        self.averages: Numbers = {}
        self.orders = self.positions = 0
        self.sign = 0
        self.due: Time = 0
        self.left = Fraction(0)
        self.entries: list[Part] = []
        self.exits: list[Part] = []
        self.widths: list[float | None] = []
        self.best = 0.0
        self.opened: Time = 0
        self.why = ""

    def __call__(self, row: Trade | Event) -> Iterator[Event]:
        if isinstance(row, Trade):
            yield from self.lives_through(row.ts, row, None)
        elif isinstance(row, Book):
            yield from self.lives_through(row.ts, None, row)
        elif isinstance(row, Heartbeat):
            yield from self.lives_through(row.ts, None, None)
        elif isinstance(row, Signal):
            yield from self.obeys(row)
        elif isinstance(row, Command):
            yield from self.is_told(row)
        elif isinstance(row, Fault) and self.mode == "active":
            yield from self.switches(row.ts, "reducing", row.error)
        elif isinstance(row, Averages):
            self.averages = row.values
        elif isinstance(row, Instrument):
            self.instrument = row

    # What an event with a time of its own does

    def lives_through(self, ts: Time, trade: Trade | None, book: Book | None) -> Iterator[Event]:
        """Fill the due order; judge the barriers if the position was open before."""
        parts = hit = None
        if self.stage == "open":
            hit = self.judges(ts, self.tells(ts, trade, book))
        elif self.stage != "flat" and ts >= self.due:
            parts = self.gets(ts, trade)
        if trade is not None:
            self.price = trade.price
        if book is not None:
            self.book, self.gone = book, {}
        if hit is not None:
            yield self.leaves(ts, hit)
        if parts is not None:
            yield from self.has(ts, parts)

    def fresh(self, ts: Time, book: Book | None) -> bool:
        return book is not None and ts - book.stamp <= self.costs.max_book_age_ms * 1_000_000

    def tells(self, ts: Time, trade: Trade | None, book: Book | None) -> float | None:
        """Return the price one would get, as far as this event tells it."""
        if trade is not None:
            takes_our_side = trade.side in (0, -self.sign)
            return trade.price if takes_our_side or not self.fresh(ts, self.book) else None
        if book is None or not self.fresh(ts, book):
            return None
        levels = book.bids if self.sign > 0 else book.asks
        return levels[0][0] if levels else None

    def judges(self, ts: Time, price: float | None) -> str | None:
        stop, take, trailing = self.widths
        entry, sign = float(average(self.entries)), self.sign
        if price is not None:
            self.best = max(self.best * sign, price * sign) * sign
            if stop is not None and price * sign <= entry * (1 - sign * stop) * sign:
                return "stop"
            if trailing is not None and price * sign <= self.best * (1 - sign * trailing) * sign:
                return "trailing"
            if take is not None and price * sign >= entry * (1 + sign * take) * sign:
                return "take"
        late = self.deadline is not None and ts >= self.deadline
        return "timeout" if late else None

    @property
    def deadline(self) -> Time | None:
        timeout = self.barriers.timeout
        return None if timeout is None else self.opened + round(timeout.total_seconds() * SECOND)

    def gets(self, ts: Time, trade: Trade | None) -> list[Part] | None:
        """Return what the order gets at this event; `None` if it waits for another."""
        entering = self.stage == "entering"
        sign = self.sign if entering else -self.sign
        limit = self.max_slippage if entering else None
        if self.fresh(ts, self.book):
            assert self.book is not None
            got = self.walks(self.book.asks if sign > 0 else self.book.bids, sign, limit)
        elif trade is None:
            return None
        elif limit is not None and self.slippage > exact(limit):
            got = []
        else:
            got = [(rounded(exact(trade.price) * (1 + sign * self.slippage)), self.left)]
        if not got and not entering:
            return None
        self.left -= sum(amount for _, amount in got)
        contract = exact(self.instrument.contract_size)
        return [(p, a, rounded(p * a * contract * self.fee)) for p, a in got]

    def walks(
        self, levels: Levels, sign: int, limit: float | None
    ) -> list[tuple[Fraction, Fraction]]:
        got, left = [], self.left
        for level, (price, size) in enumerate(levels):
            if limit is not None and price * sign > levels[0][0] * (1 + sign * limit) * sign:
                break
            gone = self.gone.get((sign, level), Fraction(0))
            take = min(whole_lots(exact(size), self.instrument.lot) - gone, left)
            if take > 0:
                self.gone[sign, level] = gone + take
                left -= take
                got.append((exact(price), take))
        return got

    def has(self, ts: Time, parts: list[Part]) -> Iterator[Event]:
        """Tell of the parts of an order that were filled, and what comes of them."""
        entering = self.stage == "entering"
        buys = entering == (self.sign > 0)
        for price, amount, fee in parts:
            yield Fill(
                MARKET, ts, self.orders, self.positions, "buy" if buys else "sell",
                decimal(price), decimal(amount), decimal(fee),
            )  # fmt: skip
        if entering:
            self.entries = parts
            if self.left:
                yield Refused(MARKET, ts, self.side, "")
            if not parts:
                yield from self.is_flat(ts)
            else:
                self.stage, self.opened = "open", ts
                self.best = float(average(parts))
                yield self.is_open(ts)
        else:
            self.exits += parts
            if not self.left:
                yield self.made(ts)
                yield from self.is_flat(ts)

    @property
    def side(self) -> str:
        return "long" if self.sign > 0 else "short"

    @property
    def held(self) -> Fraction:
        return sum((amount for _, amount, _ in self.entries), Fraction(0))

    def is_open(self, ts: Time) -> Opened:
        stop, take, trailing = self.widths
        entry, sign = float(average(self.entries)), self.sign
        return Opened(
            MARKET, ts, self.positions, "long" if sign > 0 else "short", decimal(self.held),
            decimal(average(self.entries)),
            None if stop is None else entry * (1 - sign * stop),
            None if take is None else entry * (1 + sign * take),
            trailing, self.deadline,
        )  # fmt: skip

    def made(self, ts: Time) -> Closed:
        contract = exact(self.instrument.contract_size)
        cost = sum(p * a for p, a, _ in self.entries) * contract
        back = sum(p * a for p, a, _ in self.exits) * contract
        fees = sum((fee for _, _, fee in self.entries + self.exits), Fraction(0))
        pnl = self.sign * (back - cost) - fees
        entry, exit_ = average(self.entries), average(self.exits)
        return Closed(
            MARKET, ts, self.positions, "long" if self.sign > 0 else "short", decimal(self.held),
            decimal(entry), decimal(exit_), self.opened, self.why, decimal(fees), decimal(pnl),
            self.sign * (float(exit_) / float(entry) - 1), float(pnl / cost),
        )  # fmt: skip

    def is_flat(self, ts: Time) -> Iterator[Event]:
        self.stage = "flat"
        signal, self.then = self.then, None
        if signal is not None:
            yield from self.enters(signal, ts)

    # What the rule and people want

    def obeys(self, signal: Signal) -> Iterator[Event]:
        enters = signal.action in SIGNS
        if enters and self.stage == "flat":
            yield from self.enters(signal, signal.ts)
        elif enters or self.stage in ("flat", "leaving"):
            yield Refused(MARKET, signal.ts, signal.action, "")
        else:
            if signal.action == "reverse":
                self.then = replace(signal, action="short" if self.sign > 0 else "long")
            yield from self.is_to_leave(signal.ts, signal.reason or signal.action)

    def is_to_leave(self, ts: Time, why: str) -> Iterator[Event]:
        if self.stage == "entering":
            yield Refused(MARKET, ts, self.side, "")
            yield from self.is_flat(ts)
        elif self.stage == "open":
            yield self.leaves(ts, why)

    def is_told(self, command: Command) -> Iterator[Event]:
        modes = {"halt": "halted", "reduce": "reducing", "flatten": "reducing", "resume": "active"}
        if command.action in modes:
            yield from self.switches(command.ts, modes[command.action], "")
        if command.action in ("flatten", "close"):
            yield from self.forgets(command.ts)
            yield from self.is_to_leave(command.ts, command.action)

    def switches(self, ts: Time, mode: str, why: str) -> Iterator[Event]:
        if mode != self.mode:
            self.mode = mode
            yield Halt(MARKET, ts, mode, why)
            if mode != "active":
                yield from self.forgets(ts)

    def forgets(self, ts: Time) -> Iterator[Event]:
        """Refuse the second half of a reverse."""
        if self.then is not None:
            yield Refused(MARKET, ts, self.then.action, "")
            self.then = None

    def enters(self, signal: Signal, ts: Time) -> Iterator[Event]:
        sign = SIGNS[signal.action]
        widths, amount = self.resolved(), self.sized(signal, sign, ts)
        if self.mode != "active" or widths is None or not amount:
            yield Refused(MARKET, ts, signal.action, "")
            return
        self.stage, self.sign, self.left, self.widths = "entering", sign, amount, widths
        self.entries, self.exits = [], []
        self.positions += 1
        yield self.orders_to(ts, "enter", signal.reason)

    def leaves(self, ts: Time, why: str) -> Order:
        self.stage, self.why, self.left = "leaving", why, self.held
        return self.orders_to(ts, "exit", why)

    def orders_to(self, ts: Time, action: str, why: str) -> Order:
        self.orders += 1
        self.due = ts + round(self.costs.latency_ms * 1_000_000)
        buys = (action == "enter") == (self.sign > 0)
        return Order(
            MARKET, ts, self.orders, self.positions, action, "buy" if buys else "sell",
            decimal(self.left), why,
        )  # fmt: skip

    def resolved(self) -> list[float | None] | None:
        """Return the widths of stop, take and trailing; `None` if one cannot be known."""
        found: list[float | None] = []
        for width in (
            self.barriers.stop_loss, self.barriers.take_profit, self.barriers.trailing_stop,
        ):  # fmt: skip
            if isinstance(width, Scaled):
                volatility = self.averages.get(width.of, 0.0)
                if not volatility > 0:
                    return None
                found.append(width.times * volatility)
            else:
                found.append(width)
        return None if (found[0] or 0) >= 1 or (found[2] or 0) >= 1 else found

    def sized(self, signal: Signal, sign: int, ts: Time) -> Fraction | None:
        """Return the amount in whole lots; `None` if there is no price, or it is too small."""
        price, lot = self.price, self.instrument.lot
        if self.fresh(ts, self.book):
            assert self.book is not None
            levels = self.book.asks if sign > 0 else self.book.bids
            price = levels[0][0] if levels else price
        if price is None:
            return None
        amount, one = exact(signal.amount), exact(price) * exact(self.instrument.contract_size)
        amount = whole_lots(amount / one if signal.unit == "quote" else amount, lot)
        return amount if amount * one >= exact(self.instrument.min_notional) else None


def expected(desk: Desk, tape: Iterable[Event]) -> list[Trade | Event]:
    """Return the tape row by row, with what the desk does behind each."""
    return [out for row in rows(tape) for out in (row, *desk(row))]


def unsaid(tape: Iterable[Event]) -> list[Trade | Event]:
    """Return the tape row by row, without the words of refusals and commands."""
    return [_unsaid(row) for row in rows(tape)]


def _unsaid(row: Trade | Event) -> Trade | Event:
    if isinstance(row, Refused) or (isinstance(row, Halt) and " by " in row.why):
        return replace(row, why="")
    return row


def trade(price: float, ts: Time = START, side: int = 0, size: float = 1.0) -> Trades:
    """Return one trade."""
    return sliced([Trade(MARKET, ts, price, size, side, None, ts, None)])


# Tapes to trade on --------------------------------------------------------------------------------

GRID = [9_800, 9_900, 9_950, 9_975, 10_000, 10_000, 10_025, 10_050, 10_100, 10_200]
MOVES = [0, 0, 0, 0, 1, 100_000_000, 250_000_000, SECOND, SECOND + 1, 30 * SECOND]
TIMED = ("trade", "burst", "book", "heartbeat")
WANTED = ("long", "short", "leave", "reverse")
TOLD = ("averages", "instrument", "command", "fault", "value")

COSTS = st.builds(
    Costs,
    fees_bps=st.sampled_from([0.0, 7.5, 0.1]),
    slippage_bps=st.sampled_from([0.0, 3.0, 10.0]),
    latency_ms=st.sampled_from([0.0, 0.0, 0.000001, 250.0, 1000.0]),
    max_book_age_ms=st.sampled_from([1000.0, 1000.0, 250.0, 0.0]),
)
WIDTHS = st.sampled_from([None, 0.0025, 0.005, 0.01, Scaled("volatility20", 2.0)])
BARRIERS = st.builds(
    Barriers,
    stop_loss=WIDTHS,
    take_profit=WIDTHS,
    trailing_stop=WIDTHS,
    timeout=st.sampled_from([None, timedelta(seconds=1), timedelta(seconds=30)]),
)
MAX_SLIPPAGE = st.sampled_from([None, None, 0.0, 0.0003, 0.001, 0.005])


@st.composite
def sessions(
    draw: st.DrawFn,
    kinds: Iterable[str] = (*TIMED, *WANTED, *TOLD),
    most: int = 40,
    always: tuple[str, ...] = ("trade", "book", "long"),
) -> list[Event]:
    """Build a tape to trade on, each trade by itself, of some kinds of events a time."""
    pool = list(dict.fromkeys(kinds))
    some = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=6))
    kind = st.sampled_from([*always, *some])
    step = st.tuples(kind, st.sampled_from(MOVES), st.integers(0, 99_999))
    session, length = _Session(), draw(st.integers(0, most))
    steps = draw(st.lists(step, min_size=length, max_size=length))
    first = [event for kind in ("averages", "trade") for event in session(kind, 0, 0)]
    return first + [event for step in steps for event in session(*step)]


class _Session:
    def __init__(self) -> None:
        self.now = START

    def __call__(self, kind: str, move: Time, seed: int) -> Iterator[Event]:
        self.now += move
        self.random = Random(seed)
        if kind in WANTED:
            action = "exit" if kind == "leave" else kind
            size, unit = self.random.choice([(1_000, "quote"), (3.0, "base"), (0.004, "base")])
            reason = self.random.choice(["", "cross"])
            yield Signal(MARKET, self.now, action, size, unit, reason)  # type: ignore[arg-type]
        else:
            yield from getattr(self, f"_{kind}")()

    def _price(self) -> float:
        return self.random.choice(GRID) / 100

    def _trade(self) -> Iterator[Event]:
        side, size = self.random.choice([1, -1, 0]), self.random.choice([0.1, 2.0])
        yield trade(self._price(), self.now, side, size)

    def _burst(self) -> Iterator[Event]:
        step = self.random.choice([0, 1, SECOND])
        for _ in range(self.random.choice([2, 5, 20])):
            self.now += self.random.choice([0, 0, step])
            yield from self._trade()

    def _book(self) -> Iterator[Event]:
        """Stamp a book as the entry may: up to a second ahead of the tape, or long ago."""
        stamp = self.now + self.random.choice([-2, -1, -0.25, 0, 0, 0, 1]) * SECOND
        yield Book(
            MARKET, self.now, self._levels(-1), self._levels(1), stamp=round(stamp),
        )  # fmt: skip

    def _levels(self, sign: int) -> Levels:
        best, deep = self.random.choice(GRID), self.random.choice([0, 1, 2, 3])
        return [
            ((best + sign * 3 * i) / 100, self.random.choice([0.5, 1.001, 7.0, 0.1 + 0.2, 40.0]))
            for i in range(deep)
        ]

    def _heartbeat(self) -> Iterator[Event]:
        yield Heartbeat(MARKET, self.now, self.now)

    def _averages(self) -> Iterator[Event]:
        volatility = self.random.choice([0.001, 0.0025, 0.0025, 0.005, 0.0, 0.6])
        yield Averages(MARKET, self.now, {"sma5": 100.0, "volatility20": volatility})

    def _instrument(self) -> Iterator[Event]:
        lot, contract = self.random.choice([("0.001", "1"), ("0.5", "0.1"), ("1", "10")])
        notional = Decimal(self.random.choice([0, 5, 900]))
        cent = Decimal("0.01")
        yield Instrument(MARKET, self.now, cent, Decimal(lot), notional, Decimal(contract))

    def _command(self) -> Iterator[Event]:
        known = ["close", "flatten", "resume", "resume", "resume", "reduce", "halt"]
        action = self.random.choice(known)
        yield Command(MARKET, self.now, action, "", "me")

    def _fault(self) -> Iterator[Event]:
        yield Fault(MARKET, self.now, "rule", "ValueError: no", "")

    def _value(self) -> Iterator[Event]:
        yield Value(MARKET, self.now, "funding", 0.01)
