"""Trade: the life cycle of one market's position, from signals to orders, fills and results."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from operators.costs import Costs
from operators.gate import Gate
from operators.life import Life
from operators.limits import Limits
from operators.live import Live
from operators.live_life import LiveLife
from operators.live_trader import LiveTrader
from operators.monitor import Barriers
from operators.operator import operator
from operators.paper_trader import PaperTrader, pay_funding
from operators.rows import first_at
from operators.slippage import CostLimit
from operators.standing import Standing
from operators.tape import Tape, run
from operators.telling import entry_order
from operators.trader import Trader
from schemas import (
    Averages,
    Book,
    Command,
    Event,
    Fault,
    Gap,
    Halt,
    Heartbeat,
    Instrument,
    Refused,
    Report,
    Signal,
    Time,
    Trades,
    Value,
)

_MODES = {"halt": "halted", "reduce": "reducing", "resume": "active", "flatten": "reducing"}


_READS: frozenset[type[Event]] = frozenset(
    {Trades, Book, Heartbeat, Signal, Instrument, Command, Fault}
)


class Trade:
    """Trade one market: one position at a time, watched by the monitor on every event.

    For each event, and each trade in a slice: on paper a due order fills; then the barriers are
    judged, if the position was open before; what stands behind on the tape comes later by itself.

    Parameters
    ----------
    barriers
        Where positions end. An open position keeps the barriers it was opened with.
    costs
        What orders pay.
    max_slippage
        How far from the best level of the book an entry may go, as a part of its price.
    max_cost
        What an entry may be expected to cost.
    limits
        What an entry must keep within. If orders go out there always are some.
    live
        Set if orders go out.
    since
        The tape time from which on positions are entered.

    Examples
    --------
    >>> machine = Trade(Barriers(take_profit=0.01), Costs(fees_bps=5))
    >>> signal = Signal("m", 0, "long", 1.0, "base", "cross")
    >>> trades = Trades.of("m", [1, 2, 3, 4], [100.0, 100.0, 101.0, 102.0], [1.0] * 4)
    >>> events = trades.cut(0, 1), signal, trades.cut(1, 4)
    >>> tape = [out for event in events for out in machine(event)]
    >>> [type(out).__name__ for out in tape if type(out) is not Trades]
    ['Signal', 'Order', 'Fill', 'Opened', 'Order', 'Fill', 'Closed']
    >>> tape[-1].why, tape[-1].entry, tape[-1].exit, tape[-1].pnl
    ('take', Decimal('100.0'), Decimal('102.0'), Decimal('1.899000'))

    Notes
    -----
    State: at most 4 kB a market, one position with its barriers and the last book.

    """

    def __init__(
        self,
        barriers: Barriers,
        costs: Costs,
        max_slippage: float | None = None,
        max_cost: CostLimit | None = None,
        limits: Limits | None = None,
        live: Live | None = None,
        since: Time = 0,
    ) -> None:
        if max_slippage is not None and not 0 <= max_slippage < 1:
            msg = f"max_slippage is a part of the price, from 0 to 1, not {max_slippage}"
            raise ValueError(msg)
        self.trader: Trader = LiveTrader(costs) if live else PaperTrader(costs, max_slippage)
        limits = limits or (Limits() if live else None)
        self.gate = Gate(barriers, costs, max_slippage, max_cost, limits, live, since)
        self.reads = _READS | self.trader.reads
        self.reads |= {Averages} if barriers.scaled else set()
        self.reads |= {Gap} if limits else set()
        self.shape = ("trade", 2, "live") if live else ("trade", 2)
        self.state = Standing()

    def __call__(self, event: Event) -> Iterable[Event]:
        """Return `event`, and behind each part of it what became of the position."""
        state = self.state
        if type(event) is Trades:
            if state.sight.blind and state.view.book is None:
                state.sight.clear(event.columns.ts.item(event.start))
            if state.life is not None:
                return self._trades(event) if state.funding.due is None else self._funded(event)
            state.view.price = event.columns.price.item(event.stop - 1)
            if state.funding.due is not None:
                state.funding.lapse(event.columns.ts.item(event.stop - 1))
            return (event,)
        return (event, *self._behind(event))

    def _behind(self, event: Event) -> Iterator[Event]:
        """Yield what follows from an event that is no trade."""
        state = self.state
        if type(event) is Book:
            if state.sight.blind:
                state.sight.clear(event.ts)
            yield from self._sign(event.market, event.ts, event)
        elif type(event) is Heartbeat:
            yield from self._sign(event.market, event.ts, None)
        elif type(event) is Averages:
            state.values = event.values
        elif type(event) is Instrument:
            state.view.instrument = event
        elif type(event) is Value:
            state.funding.note(event)
        elif type(event) is Gap:
            state.sight.blind = True
        else:
            yield from self._asked(event)

    def _asked(self, event: Event) -> Iterator[Event]:
        """Yield what follows from what somebody wants, or tells."""
        if type(event) is Signal:
            yield from self._signal(event)
        elif type(event) is Report:
            yield from self.trader.hear(self.state, event)
            yield from self._next(event.ts)
        elif type(event) is Command:
            yield from self._command(event)
        elif type(event) is Fault and self.state.mode == "active":
            yield from self._switch(event.market, event.ts, "reducing", event.error)

    def _trades(self, trades: Trades) -> Iterator[Event]:
        state, done, row = self.state, 0, 0
        while state.life is not None:
            step = self.trader.trades(state, trades, row)
            if step is None:
                break
            row = step.row + 1
            if row > done:
                yield trades.cut(done, row)
                done = row
            yield from step.events
            yield from self._next(step.ts)
        if done < len(trades):
            yield trades.cut(done, len(trades)) if done else trades
        state.view.price = trades.price.item(-1)

    def _funded(self, trades: Trades) -> Iterator[Event]:
        """Lead the position over a slice, and pay the funding where it is due."""
        due = self.state.funding.due
        at = None if due is None else first_at(trades, due)
        if at is None:
            yield from self._trades(trades)
            return
        if at > 0:
            yield from self._trades(trades.cut(0, at))
        pay_funding(self.state)
        yield from self._trades(trades.cut(at, len(trades)) if at > 0 else trades)

    def _sign(self, market: str, ts: Time, book: Book | None) -> Iterator[Event]:
        state = self.state
        if state.life is None:
            if book is not None:
                state.see(book)
            return
        if state.funding.due is not None and ts >= state.funding.due:
            pay_funding(state)
        step = self.trader.sign(state, market, ts, book)
        if step is not None:
            yield from step.events
            yield from self._next(ts)

    def _next(self, ts: Time) -> Iterator[Event]:
        """Begin the second half of a reverse, once the first is over."""
        state = self.state
        if state.life is None and state.then is not None:
            signal, state.then = state.then, None
            yield from self._enter(signal, ts)

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
                self.state.then = replace(signal, action=other)
            yield from self._leave(signal.market, signal.ts, signal.reason or signal.action)

    def _leave(self, market: str, ts: Time, why: str) -> Iterator[Event]:
        """Order the exit of what is held, or call the entry off."""
        yield from self.trader.leave(self.state, market, ts, why)
        yield from self._next(ts)

    def _enter(self, signal: Signal, ts: Time) -> Iterator[Event]:
        state = self.state
        plan = self.gate.judge(signal, ts, state)
        if isinstance(plan, str):
            yield self._refused(signal, plan, ts)
            return
        if plan.short:
            yield self._refused(signal, plan.short, ts)
        order = entry_order(state, signal, ts, plan)
        self.trader.begin(state, order, plan.widths)
        yield order

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
        if mode == "active":
            return
        yield from self._forget(ts, f"the market is {mode}")
        if state.life is not None:
            yield from self.trader.call_off(state, market, ts, f"the market is {mode}")

    def _forget(self, ts: Time, why: str) -> Iterator[Event]:
        """Refuse the second half of a reverse."""
        signal, self.state.then = self.state.then, None
        if signal is not None:
            yield self._refused(signal, why, ts)

    def _refused(self, signal: Signal, why: str, ts: Time | None = None) -> Refused:
        return Refused(signal.market, signal.ts if ts is None else ts, signal.action, why)


def _doing(life: Life | LiveLife) -> str:
    return life.side if life.stage == "open" else f"{life.stage} a {life.side}"


def _by(command: Command) -> str:
    return f"{command.action} by {command.who or 'unknown'}"


@operator
def trade(
    step_id: str,
    tape: Tape,
    barriers: Barriers,
    max_slippage: float | None = None,
    max_cost: CostLimit | None = None,
    limits: Limits | None = None,
) -> Tape:
    """Trade the signals, one position a market, watched by the monitor on every event.

    Parameters
    ----------
    barriers
        Where positions end.
    max_slippage
        How far from the best level of the book an entry without a limit may go, as a part of
        its price; the rest is cancelled. Exits always go.
    max_cost
        What an entry may be expected to cost, slippage and fees; one that would cost more
        is shrunk or refused.
    limits
        What an entry must keep within, or it is refused.

    """
    return run(
        "trade",
        tape,
        lambda: Trade(barriers, tape.costs, max_slippage, max_cost, limits, tape.live, tape.since),
    )
