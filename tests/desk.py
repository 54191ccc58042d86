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
from math import ceil, floor
from random import Random
from typing import TypeAlias

from hypothesis import strategies as st

from operators.costs import Costs
from operators.monitor import Barriers, Scaled
from operators.slippage import CostLimit
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
    OrderKind,
    Refused,
    Signal,
    Time,
    Trades,
    Unit,
    Value,
)
from tests.tapes import MARKET, START, Trade, rows, sliced

Part: TypeAlias = tuple[Fraction, Fraction, Fraction]
"""Of a fill: price, amount, fee."""

SIGNS = {"long": 1, "short": -1}
NOTHING = Fraction(0)
NO_SIGNAL = Signal(MARKET, 0, "", 0.0, "base", "")
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

    def __init__(
        self,
        barriers: Barriers,
        costs: Costs,
        max_slippage: float | None = None,
        max_cost: CostLimit | None = None,
    ) -> None:
        self.barriers, self.costs, self.max_slippage = barriers, costs, max_slippage
        self.max_cost = max_cost
        self.fee, self.slippage = exact(costs.fees_bps) / 10_000, exact(costs.slippage_bps) / 10_000
        maker = costs.fees_bps if costs.maker_fee_bps is None else costs.maker_fee_bps
        self.maker_fee = exact(maker) / 10_000
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
        self.limit: Fraction | None = None
        """Of an entry that works and has one."""
        self.wanted = NO_SIGNAL
        self.expires: Time | None = None
        self.arrived = False
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
        was_open, parts, hit, off = self.stage == "open", None, None, False
        limited = self.limit is not None
        if limited:
            parts, off = self.rests_through(ts, trade)
            self.entries = self.entries + parts
        elif self.stage in ("entering", "leaving") and ts >= self.due:
            parts = self.gets(ts, trade)
        if was_open:
            hit = self.judges(ts, self.tells(ts, trade, book))
        if trade is not None:
            self.price = trade.price
        if book is not None:
            self.book, self.gone = book, {}
        if parts is not None:
            cancelled = off or (hit is not None and self.left > 0) if limited else self.left > 0
            yield from self.has(ts, parts, cancelled)
        if hit is not None:
            yield self.leaves(ts, hit)

    def rests_through(self, ts: Time, trade: Trade | None) -> tuple[list[Part], bool]:
        """Return what a limit entry gets at this event, and whether the rest is called off."""
        assert self.limit is not None
        if self.expires is not None and ts >= self.expires:
            return [], True
        got: list[Part] = []
        if not self.arrived and ts >= self.due:
            self.arrived = True
            if self.fresh(ts, self.book):
                gone = dict(self.gone)
                took = self.walks(self.levels(self.sign), self.sign, self.left, self.limit)
                if took and self.wanted.kind == "post-only":
                    self.gone = gone
                    return [], True
                got = [self.part(price, amount, self.fee) for price, amount in took]
                self.left -= sum(amount for _, amount in took)
        beyond = trade is not None and (self.limit - exact(trade.price)) * self.sign > 0
        if self.arrived and beyond and self.left:
            got.append(self.part(self.limit, self.left, self.maker_fee))
            self.left = Fraction(0)
        return got, False

    def part(self, price: Fraction, amount: Fraction, fee: Fraction) -> Part:
        worth = price * amount * exact(self.instrument.contract_size)
        return price, amount, rounded(worth * fee)

    def levels(self, sign: int) -> Levels:
        """Return the side of the book that an order takes from."""
        assert self.book is not None
        return self.book.asks if sign > 0 else self.book.bids

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
            got = self.walks(self.levels(sign), sign, self.left, self.furthest(sign, limit))
        elif trade is None:
            return None
        elif limit is not None and self.slippage > exact(limit):
            got = []
        else:
            got = [(rounded(exact(trade.price) * (1 + sign * self.slippage)), self.left)]
        if not got and not entering:
            return None
        self.left -= sum(amount for _, amount in got)
        return [self.part(price, amount, self.fee) for price, amount in got]

    def furthest(self, sign: int, limit: float | None) -> Fraction | None:
        """Return the worst price that a part of the best one allows; as floats have it."""
        levels = self.levels(sign)
        return None if limit is None or not levels else exact(levels[0][0] * (1 + sign * limit))

    def walks(
        self, levels: Levels, sign: int, left: Fraction, worst: Fraction | None
    ) -> list[tuple[Fraction, Fraction]]:
        """Strike off what an order takes, level by level."""
        got = []
        for level, (price, size) in enumerate(levels):
            if worst is not None and (exact(price) - worst) * sign > 0:
                break
            gone = self.gone.get((sign, level), Fraction(0))
            take = min(whole_lots(exact(size), self.instrument.lot) - gone, left)
            if take > 0:
                self.gone[sign, level] = gone + take
                left -= take
                got.append((exact(price), take))
        return got

    def has(self, ts: Time, parts: list[Part], cancelled: bool) -> Iterator[Event]:
        """Tell of the parts of an order that were filled, and what comes of them."""
        entering = self.stage != "leaving"
        buys = entering == (self.sign > 0)
        for price, amount, fee in parts:
            yield Fill(
                MARKET, ts, self.orders, self.positions, "buy" if buys else "sell",
                decimal(price), decimal(amount), decimal(fee),
            )  # fmt: skip
        if not entering:
            self.exits += parts
            if not self.left:
                yield self.made(ts)
                yield from self.is_flat(ts)
            return
        if self.limit is None:
            self.entries = parts
        if self.limit is None or cancelled or not self.left:
            self.limit, done = None, True
        else:
            done = False
        if cancelled:
            yield Refused(MARKET, ts, self.side, "")
        if parts:
            if self.stage == "entering":
                self.stage, self.opened = "open", ts
                self.best = float(average(parts))
            yield self.is_open(ts)
        elif done and self.stage == "entering":
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
        self.stage, self.limit = "flat", None
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
            if self.limit is not None:
                yield Refused(MARKET, ts, self.side, "")
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
            if mode != "active" and self.limit is not None:
                self.limit = None
                yield Refused(MARKET, ts, self.side, "")
                if self.stage == "entering":
                    yield from self.is_flat(ts)

    def forgets(self, ts: Time) -> Iterator[Event]:
        """Refuse the second half of a reverse."""
        if self.then is not None:
            yield Refused(MARKET, ts, self.then.action, "")
            self.then = None

    def enters(self, signal: Signal, ts: Time) -> Iterator[Event]:
        sign = SIGNS[signal.action]
        widths, limit = self.resolved(), self.ticked(signal, sign)
        wanted = self.sized(signal, sign, ts, limit)
        amount = wanted and self.affords(signal, sign, ts, limit, wanted)
        if self.mode != "active" or widths is None or not wanted or not amount:
            yield Refused(MARKET, ts, signal.action, "")
            return
        if amount < wanted:
            one = self.sizing_price(sign, ts, limit) * exact(self.instrument.contract_size)
            yield Refused(MARKET, ts, signal.action, "")
            if amount * one < exact(self.instrument.min_notional):
                return
        self.stage, self.sign, self.left, self.widths = "entering", sign, amount, widths
        self.entries, self.exits = [], []
        self.limit, self.wanted, self.arrived = limit, signal, False
        self.expires = ts + signal.good_for if limit is not None and signal.good_for else None
        self.positions += 1
        order = self.orders_to(ts, "enter", signal.reason)
        if limit is not None:
            order.kind, order.price, order.expires = signal.kind, decimal(limit), self.expires
        order.stop = widths[2] if widths[0] is None else widths[0]
        yield order

    def leaves(self, ts: Time, why: str) -> Order:
        self.stage, self.why, self.left, self.limit = "leaving", why, self.held, None
        return self.orders_to(ts, "exit", why)

    def orders_to(self, ts: Time, action: str, why: str) -> Order:
        self.orders += 1
        self.due = ts + round(self.costs.latency_ms * 1_000_000)
        sign = self.sign if action == "enter" else -self.sign
        order = Order(
            MARKET, ts, self.orders, self.positions, action, "buy" if sign > 0 else "sell",
            decimal(self.left), why,
        )  # fmt: skip
        if self.fresh(ts, self.book):
            self.reads_the_book(order, action == "enter", sign)
        return order

    def reads_the_book(self, order: Order, enters: bool, sign: int) -> None:
        """Write down what the book promises."""
        levels, gone = self.levels(sign), dict(self.gone)
        there = sum((whole_lots(exact(size), self.instrument.lot) for _, size in levels), NOTHING)
        there -= sum((gone.get((sign, n), NOTHING) for n in range(len(levels))), NOTHING)
        worst = self.limit if enters else None
        if enters and self.limit is None:
            worst = self.furthest(sign, self.max_slippage)
        passive = enters and self.limit is not None and self.wanted.kind == "post-only"
        got = [] if passive else self.walks(levels, sign, self.left, worst)
        self.gone = gone
        order.depth_left = decimal(there - sum((amount for _, amount in got), NOTHING))
        if got:
            price = average([(price, amount, NOTHING) for price, amount in got])
            order.expected, order.worst = decimal(price), decimal(got[-1][0])
            middle = self.middle()
            if middle is not None:
                order.slippage_bps = float((price - middle) * sign * 10_000 / middle)

    def middle(self) -> Fraction | None:
        assert self.book is not None
        if not (self.book.bids and self.book.asks):
            return None
        return (exact(self.book.bids[0][0]) + exact(self.book.asks[0][0])) / 2

    def ticked(self, signal: Signal, sign: int) -> Fraction | None:
        """Return the limit in whole ticks, rounded away from the market."""
        if signal.limit is None:
            return None
        limit, tick = exact(signal.limit), self.instrument.tick
        if tick is None:
            return limit
        steps = limit / exact(tick)
        return (floor(steps) if sign > 0 else ceil(steps)) * exact(tick)

    def affords(
        self, signal: Signal, sign: int, ts: Time, limit: Fraction | None, wanted: Fraction
    ) -> Fraction:
        """Return the most lots that cost no more than they may: by trying, with halves."""
        most = self.max_cost
        if most is None:
            return wanted
        lot = exact(self.instrument.lot)
        low, high = 0, int(wanted / lot)
        if self.is_cheap(signal, sign, ts, limit, wanted):
            return wanted
        if most.otherwise == "refuse":
            return NOTHING
        while high - low > 1:
            middle = (low + high) // 2
            if self.is_cheap(signal, sign, ts, limit, middle * lot):
                low = middle
            else:
                high = middle
        return low * lot

    def is_cheap(
        self, signal: Signal, sign: int, ts: Time, limit: Fraction | None, amount: Fraction
    ) -> bool:
        """Tell whether an entry of this amount costs no more than it may."""
        assert self.max_cost is not None
        most, got = exact(self.max_cost.bps) / 10_000, list[tuple[Fraction, Fraction]]()
        if self.fresh(ts, self.book) and signal.kind != "post-only":
            gone = dict(self.gone)
            worst = self.furthest(sign, self.max_slippage) if limit is None else limit
            got = self.walks(self.levels(sign), sign, amount, worst)
            self.gone = gone
        taken = sum((part for _, part in got), NOTHING)
        if limit is None and not self.fresh(ts, self.book):
            return self.slippage + self.fee <= most
        if limit is None and taken < amount:
            return False
        if taken < amount and self.maker_fee > most:
            return False
        if not taken:
            return True
        middle = self.middle()
        if middle is None:
            return False
        worth = sum((price * part for price, part in got), NOTHING)
        return (worth - middle * taken) * sign <= (most - self.fee) * middle * taken

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

    def sizing_price(self, sign: int, ts: Time, limit: Fraction | None) -> Fraction:
        """Return the price to size an order by; 0 if there is none yet."""
        price = self.price
        if self.fresh(ts, self.book):
            levels = self.levels(sign)
            price = levels[0][0] if levels else price
        if price is None:
            return NOTHING
        return exact(price) if limit is None else limit

    def sized(self, signal: Signal, sign: int, ts: Time, limit: Fraction | None) -> Fraction | None:
        """Return the amount in whole lots; `None` if there is no price, or it is too small."""
        price, lot = self.sizing_price(sign, ts, limit), self.instrument.lot
        if price <= 0:
            return None
        amount, one = exact(signal.amount), price * exact(self.instrument.contract_size)
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
RESTED = ("bid", "offer", "turn")
"""Entries with a limit: long, short and reverse."""
TOLD = ("averages", "instrument", "command", "fault", "value")

COSTS = st.builds(
    Costs,
    fees_bps=st.sampled_from([0.0, 7.5, 0.1]),
    slippage_bps=st.sampled_from([0.0, 3.0, 10.0]),
    latency_ms=st.sampled_from([0.0, 0.0, 0.000001, 250.0, 1000.0]),
    max_book_age_ms=st.sampled_from([1000.0, 1000.0, 250.0, 0.0]),
    maker_fee_bps=st.sampled_from([None, 2.0, -0.5]),
)
MAX_COST = st.none() | st.builds(
    CostLimit, st.sampled_from([0.1, 3.0, 8.0, 30.0, 100.0]), st.sampled_from(["shrink", "refuse"])
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


_BIDS: list[tuple[float, Unit]] = [(1_000, "quote"), (3.0, "base"), (60.0, "base")]


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

    def _bid(self, action: str = "long") -> Iterator[Event]:
        """Want an entry with a limit, often on the grid, and not always for ever."""
        size, unit = self.random.choice(_BIDS)
        limit = self._price() + self.random.choice([0, 0, 0.003, -0.003])
        good_for = self.random.choice([0, 0, 1, SECOND // 4, SECOND, 30 * SECOND])
        kind: OrderKind = self.random.choice(["limit", "limit", "post-only"])
        yield Signal(MARKET, self.now, action, size, unit, "", kind, limit, good_for)

    def _offer(self) -> Iterator[Event]:
        yield from self._bid("short")

    def _turn(self) -> Iterator[Event]:
        yield from self._bid("reverse")

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
