"""Trade: the life cycle of one market's position, from signals to orders, fills and results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bytewax.dataflow import operator

from operators.costs import Costs
from operators.life import Life, Lives, Step
from operators.monitor import Barriers
from operators.paper import PaperBroker, Taken, View, average_price, size_of
from operators.tape import Tape, run
from schemas import (
    Aggressor,
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
    Numbers,
    Opened,
    Order,
    Refused,
    Side,
    Signal,
    Time,
    Trades,
)

_MODES = {"halt": "halted", "reduce": "reducing", "resume": "active", "flatten": "reducing"}


_READS: frozenset[type[Event]] = frozenset(
    {Trades, Book, Heartbeat, Signal, Instrument, Command, Fault}
)


@dataclass(slots=True)
class _State:
    life: Life | None = None
    then: Signal | None = None
    """The signal to obey once flat: the second half of a reverse."""
    view: View = field(default_factory=View)
    taken: Taken = field(default_factory=Taken)
    values: Numbers = field(default_factory=dict)
    mode: str = "active"
    """`active`, `reducing` (exits only) or `halted`."""
    orders: int = 0
    positions: int = 0


class Trade:
    """Trade one market on paper: one position at a time, watched by the monitor on every event.

    For each event, and each trade in a slice: a due order fills; then the barriers are judged, if
    the position was open before; what stands behind on the tape comes later by itself.

    Parameters
    ----------
    barriers
        Where positions end. An open position keeps the barriers it was opened with.
    costs
        What orders pay.
    max_slippage
        How far from the best level of the book an entry may go, as a part of its price.

    """

    shape = ("trade", 1)

    def __init__(self, barriers: Barriers, costs: Costs, max_slippage: float | None = None) -> None:
        if max_slippage is not None and not 0 <= max_slippage < 1:
            msg = f"max_slippage is a part of the price, from 0 to 1, not {max_slippage}"
            raise ValueError(msg)
        self.barriers = barriers
        self.reads = _READS | {Averages} if barriers.scaled else _READS
        self.max_slippage = max_slippage
        self.broker = PaperBroker(costs)
        self.lives = Lives(self.broker)
        self.state = _State()

    def __call__(self, event: Event) -> Iterable[Event]:
        """Return `event`, and behind each part of it what became of the position."""
        state = self.state
        if type(event) is Trades:
            if state.life is not None:
                return self._trades(event)
            state.view.price = event.columns.price.item(event.stop - 1)
            return (event,)
        return (event, *self._behind(event))

    def _behind(self, event: Event) -> Iterator[Event]:
        """Yield what follows from an event that is no trade."""
        state = self.state
        if type(event) is Averages:
            state.values = event.values
        elif type(event) is Instrument:
            state.view.instrument = event
        elif type(event) is Signal:
            yield from self._signal(event)
        elif type(event) is Book:
            yield from self._sign(event.market, event.ts, event)
        elif type(event) is Heartbeat:
            yield from self._sign(event.market, event.ts, None)
        elif type(event) is Command:
            yield from self._command(event)
        elif type(event) is Fault and state.mode == "active":
            yield from self._switch(event.market, event.ts, "reducing", event.error)

    def _trades(self, trades: Trades) -> Iterator[Event]:
        state, done, row = self.state, 0, 0
        while state.life is not None:
            step = self.lives.trades(state.life, trades, row, state.view)
            if step is None:
                break
            row = step.row + 1
            if row > done:
                yield trades.cut(done, row)
                done = row
            state.view.price = trades.price.item(step.row)
            yield from self._after(trades.market, step)
        if done < len(trades):
            yield trades.cut(done, len(trades)) if done else trades
        state.view.price = trades.price.item(-1)

    def _sign(self, market: str, ts: Time, book: Book | None) -> Iterator[Event]:
        state, step = self.state, None
        if state.life is not None:
            step = self.lives.sign(state.life, ts, book, state.view)
        if book is not None:
            state.view.book = book
            state.taken.sides.clear()
        if step is not None:
            yield from self._after(market, step)

    def _after(self, market: str, step: Step) -> Iterator[Event]:
        """Yield what follows from a step in the position's life."""
        state, life = self.state, self.state.life
        assert life is not None  # noqa: S101 - it has just made a step
        if step.filled is None:
            yield self._order(market, step.ts, life, "exit", step.why or "")
            return
        entering = not life.exits
        side = _aggressor(life.sign if entering else -life.sign)
        for part in step.filled:
            yield Fill(
                market, step.ts, state.orders, state.positions, side,
                part.price, part.amount, part.fee,
            )  # fmt: skip
        if entering:
            yield from self._entered(market, step.ts, life)
        elif life.stage == "over":
            yield self._closed(market, step.ts, life)
            state.life = None
            if state.then is not None:
                signal, state.then = state.then, None
                yield from self._enter(signal, step.ts)

    def _entered(self, market: str, ts: Time, life: Life) -> Iterator[Event]:
        ticket = life.ticket
        assert ticket is not None  # noqa: S101 - it has just been filled
        life.ticket = None
        if life.stage == "over":
            self.state.life = None
        if ticket.left:
            what = "nothing" if life.stage == "over" else f"{life.held:f}"
            why = f"{what} filled, {ticket.left:f} cancelled: no more in the book as allowed"
            yield Refused(market, ts, life.side, why)
        armed = life.armed
        if armed is None:
            return
        long, widths = life.side == "long", life.widths
        yield Opened(
            market, ts, self.state.positions, life.side, life.held, average_price(life.entries),
            stop=None if widths.stop is None else armed.low if long else armed.high,
            take=None if widths.take is None else armed.high if long else armed.low,
            trailing=armed.trailing, deadline=armed.deadline,
        )  # fmt: skip

    def _closed(self, market: str, ts: Time, life: Life) -> Closed:
        made = life.result(self.state.view)
        return Closed(
            market, ts, self.state.positions, life.side, life.held, made.entry, made.exit,
            life.opened, life.why, made.fees, made.pnl, made.gross_return, made.net_return,
        )  # fmt: skip

    def _signal(self, signal: Signal) -> Iterator[Event]:
        life = self.state.life
        if signal.action in ("long", "short"):
            if life is None:
                yield from self._enter(signal, signal.ts)
            else:
                yield self._refused(signal, f"already {_doing(life)}")
        elif life is None:
            yield self._refused(signal, "there is no position")
        elif life.stage == "leaving":
            yield self._refused(signal, f"already {_doing(life)}")
        else:
            if signal.action == "reverse":
                other = "short" if life.side == "long" else "long"
                self.state.then = Signal(
                    signal.market, signal.ts, other, signal.amount, signal.unit, signal.reason
                )
            yield from self._leave(signal.market, signal.ts, signal.reason or signal.action)

    def _leave(self, market: str, ts: Time, why: str) -> Iterator[Event]:
        """Order the exit of what is held, or call the entry off."""
        state, life = self.state, self.state.life
        assert life is not None  # noqa: S101 - there is something to leave
        if life.stage == "entering":
            state.life = None
            yield Refused(market, ts, life.side, f"called off before it filled: {why}")
            if state.then is not None:
                signal, state.then = state.then, None
                yield from self._enter(signal, ts)
        elif life.stage == "open":
            life.leave(ts, why, self.broker.latency)
            yield self._order(market, ts, life, "exit", why)

    def _enter(self, signal: Signal, ts: Time) -> Iterator[Event]:
        state = self.state
        if state.mode != "active":
            yield self._refused(signal, f"the market is {state.mode}", ts)
            return
        widths = self.barriers.widths(state.values)
        side: Side = "long" if signal.action == "long" else "short"
        sign = 1 if side == "long" else -1
        price = state.view.reference(sign, ts, self.broker.max_book_age)
        if widths is None or price is None:
            why = "no price yet" if price is None else "no volatility to scale the barriers by"
            yield self._refused(signal, why, ts)
            return
        amount = size_of(signal.amount, signal.unit, price, state.view.instrument)
        if isinstance(amount, str):
            yield self._refused(signal, amount, ts)
            return
        state.positions += 1
        state.life = self.lives.begin(side, amount, widths, ts, state.taken, self.max_slippage)
        yield self._order(signal.market, ts, state.life, "enter", signal.reason)

    def _order(self, market: str, ts: Time, life: Life, action: str, why: str) -> Order:
        state, ticket = self.state, life.ticket
        assert ticket is not None  # noqa: S101 - it has just been made
        state.orders += 1
        side = _aggressor(ticket.sign)
        return Order(market, ts, state.orders, state.positions, action, side, ticket.left, why)

    def _command(self, command: Command) -> Iterator[Event]:
        if command.action in _MODES:
            mode = _MODES[command.action]
            yield from self._switch(command.market, command.ts, mode, _by(command))
        elif command.action != "close":
            why = f"no such command; there are {', '.join(_MODES)} and close"
            yield Refused(command.market, command.ts, command.action, why)
        life = self.state.life
        if command.action in ("flatten", "close") and life is not None:
            yield from self._forget(command.ts, _by(command))
            yield from self._leave(command.market, command.ts, command.action)

    def _switch(self, market: str, ts: Time, mode: str, why: str) -> Iterator[Event]:
        state = self.state
        if state.mode == mode:
            return
        state.mode = mode
        yield Halt(market, ts, mode, why)
        if mode != "active":
            yield from self._forget(ts, f"the market is {mode}")

    def _forget(self, ts: Time, why: str) -> Iterator[Event]:
        """Refuse the second half of a reverse."""
        signal, self.state.then = self.state.then, None
        if signal is not None:
            yield self._refused(signal, why, ts)

    def _refused(self, signal: Signal, why: str, ts: Time | None = None) -> Refused:
        return Refused(signal.market, signal.ts if ts is None else ts, signal.action, why)


def _aggressor(sign: int) -> Aggressor:
    return "buy" if sign > 0 else "sell"


def _doing(life: Life) -> str:
    return life.side if life.stage == "open" else f"{life.stage} a {life.side}"


def _by(command: Command) -> str:
    return f"{command.action} by {command.who or 'unknown'}"


@operator
def trade(step_id: str, tape: Tape, barriers: Barriers, max_slippage: float | None = None) -> Tape:
    """Trade the signals on paper, one position a market, watched by the monitor on every event.

    Parameters
    ----------
    barriers
        Where positions end.
    max_slippage
        How far from the best level of the book an entry may go, as a part of its price; the
        rest is cancelled. Exits always go.

    """
    return run("trade", tape, lambda: Trade(barriers, tape.costs, max_slippage))
