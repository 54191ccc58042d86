"""Lock-step: a flow trades a recorded market at an exchange, each order at its own tape time.

The wire's events go into a log one by one; the flow's machines read the log and ask; the real
executor takes what they ask for to the stand-in exchange by ccxt, over sockets; the stand-in lets
each order take effect at the tape time of its cause and the run's latency later; and what the
executor tells comes back through the log, right behind the event at which it happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from connectors.account.client_ids import client_id
from connectors.executor.settings import ExecutorSettings
from operators import Barriers, Costs, Limits, Live, Moment
from operators.candles import TimeCandles
from operators.entries import Entries
from operators.entry import Entry
from operators.tape import Machine
from operators.trade import Trade
from schemas import (
    SECOND,
    Candle,
    Closed,
    Event,
    Fill,
    Opened,
    Order,
    Refused,
    Report,
    Signal,
    Value,
)
from schemas.wire import read
from tests.connectors.executing import FLOW, QUICK, RUN, Bench, executing
from tests.connectors.memory_log import MemoryLog
from tests.standin.account import Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import Capture
from tests.standin.client import until
from tests.standin.orders import Fee
from tests.standin.orders import Order as Placed
from tests.standin.rules import Fees
from tests.standin.rules import Rules as MarketRules
from tests.standin.tape import tape

_MUCH = {"USDT": Decimal(10**9), "BTC": Decimal(10**6), "ETH": Decimal(10**6)}
_ENDS = {"filled", "cancelled", "rejected", "expired"}
EVERY = 20
"""How many of the wire's events pass from one number of `PULSE` to the next."""
PULSE = "pulse"
"""A series in the log that moves no time: a flow may decide by it without a candle's end."""
_FOR_EVER = 10_000 * 365 * 24 * 3600 * SECOND
"""A recording is years old, and what it causes may go all the same."""


class ExactFees(Fees):
    """Fees as paper counts them: in the quote currency, and not rounded to 8 decimals."""

    def own(
        self, rules: MarketRules, sign: int, price: Decimal, amount: Decimal, maker: bool
    ) -> Fee:
        return price * amount * self.rate(maker), rules.quote


Rule: TypeAlias = Callable[[Moment], Signal | None]


@dataclass(frozen=True)
class Plan:
    """A strategy, and what its orders cost."""

    rule: Rule
    barriers: Barriers
    costs: Costs
    on: type[Candle | Value] = Value
    """What the rule is asked behind."""

    def machines(self, live: Live | None) -> list[Machine]:
        """Return what reads a tape, on paper or live."""
        return [
            Entry(FLOW, RUN if live else ""),
            TimeCandles(SECOND),
            Entries(self.on, self.rule),
            Trade(self.barriers, self.costs, limits=Limits(), live=live),
        ]


class Flow:
    """The machines of a flow, behind one another, as they read a market's log.

    Parameters
    ----------
    plan
        What they are.
    live
        Set if orders go out.

    """

    def __init__(self, plan: Plan, live: Live | None) -> None:
        self._machines = plan.machines(live)
        self.concluded: list[Event] = []

    def __call__(self, event: Event) -> list[Order]:
        """Take what is next on the log, and return what is asked for."""
        events = [event]
        for machine in self._machines:
            events = [out for e in events for out in _through(machine, e)]
        new = [e for e in events if isinstance(e, (Order, Fill, Opened, Closed, Refused))]
        self.concluded += new
        return [e for e in new if isinstance(e, Order)]


def _through(machine: Machine, event: Event) -> Iterable[Event]:
    return machine(event) if type(event) in machine.reads else (event,)


def on_paper(plan: Plan, log: MemoryLog) -> list[Event]:
    """Return what a flow concludes on paper of what is in a log."""
    flow = Flow(plan, None)
    for part in log.entries:
        for entry in part:
            flow(read(entry.message))
    return flow.concluded


@dataclass
class Step:
    """A live flow and its exchange, step by step."""

    plan: Plan
    bench: Bench
    market: str
    there: str
    """What the exchange calls the market."""

    def __post_init__(self) -> None:
        self.flow = Flow(self.plan, Live(0))
        partition = self.log.partitions()[0]
        self._cursor, self._ahead = (self.log.open(partition, 0) for _ in range(2))
        self._reports: list[Report] = []
        self._purposes: dict[str, str] = {}
        self._awaited: set[str] = set()

    @property
    def log(self) -> MemoryLog:
        return self.bench.log

    @property
    def busy(self) -> bool:
        """Whether an order has not ended."""
        return bool(self._awaited)

    async def __call__(self, line: int, event: Event) -> None:
        """Let an event happen, and all that follows from it."""
        self.log.put(event)
        if self._awaited:
            await self._play(line)
            await self._told()
        await self._read(line)

    async def _read(self, line: int) -> None:
        """Let the flow read what is in the log, up to its end."""
        while entries := self._cursor.read(1):
            for order in self.flow(read(entries[0].message)):
                await self._ask(order, line)

    async def _ask(self, order: Order, line: int) -> None:
        """Take an order to the exchange, and return when that has it."""
        id_ = client_id(FLOW, RUN, self.market, str(order.order))
        self._purposes[id_] = order.action
        await self._play(line)
        self.bench.exchange.trading.at(order.ts + self.plan.costs.latency, id_)
        self.bench.ask(order)
        await until(lambda: self._placed(id_) is not None)
        self._awaited.add(id_)

    async def _play(self, line: int) -> None:
        exchange = self.bench.exchange
        exchange.call(lambda: exchange.player.go(line))
        await until(lambda: exchange.player.settled)

    async def _told(self) -> None:
        """Return when all that the exchange has done is in the log."""
        for id_ in [*self._awaited]:
            order = self._placed(id_)
            assert order is not None
            if order.deals or not order.open:
                await until(lambda: self._complete(id_, order))  # noqa: B023 - awaited here
            if not order.open:
                self._awaited.discard(id_)

    def _placed(self, id_: str) -> Placed | None:
        orders = self.bench.exchange.accounts["main"].orders
        return next((o for o in reversed(orders) if o.wanted.client_id == id_), None)

    def _complete(self, id_: str, order: Placed) -> bool:
        self._look_ahead()
        told = [report for report in self._reports if report.order == id_]
        fills = [report for report in told if report.trade_id]
        if len(fills) < len(order.deals):
            return False
        if order.open:
            return True
        if self._purposes[id_] == "enter":
            return told[-1].status in _ENDS
        position = told[-1].position
        return any(r.status == "closed" and r.position == position for r in self._reports)

    def _look_ahead(self) -> None:
        """Note what the executor has told, and the flow has not read yet."""
        while entries := self._ahead.read(100):
            events = [read(entry.message) for entry in entries]
            self._reports += [event for event in events if isinstance(event, Report)]


async def traded(
    capture: Capture, market: str, plan: Plan, directory: Path, stops: bool
) -> tuple[list[Event], MemoryLog]:
    """Trade a whole recording live, in lock-step; return what was concluded, and the log.

    Parameters
    ----------
    capture
        The market.
    market
        Its name on the tape.
    plan
        What trades.
    directory
        Where the executor keeps its outbox.
    stops
        Whether stops rest at the exchange.

    """
    rules = QUICK._replace(max_age=_FOR_EVER, silence=_FOR_EVER, stops=stops)
    settings = ExecutorSettings(rules=rules)
    fees = ExactFees(plan.costs.maker_fee, plan.costs.fee, "quote")
    account = Account(spot=_MUCH, futures=_MUCH, fees=fees)
    with BinanceStandIn([capture], accounts=[account]) as exchange:
        exchange.trading.lockstep()
        bench = Bench(exchange, directory / "outbox", log=MemoryLog(count=1))
        async with executing(exchange, directory, settings, bench):
            assert bench.executor is not None
            bench.log.put(bench.executor.venue.instrument(market, 0))
            step = Step(plan, bench, market, capture.name)
            for number, (line, event) in enumerate(tape(capture, market), 1):
                await step(line, event)
                if number % EVERY == 0 and not step.busy:
                    await step(line, Value(market, 0, PULSE, number))
        assert bench.lines == []
        return step.flow.concluded, bench.log


def positions(events: Iterable[Event]) -> list[list[Event]]:
    """Return what is told of each position, in a form that paper and live share.

    A fill in parts tells a live flow step by step how the position grows, and a paper one at
    once; ids of fills are the exchange's; and what the book promises an order may differ, since
    on paper an order takes from the recorded book.
    """
    found: dict[int, list[Event]] = {}
    for event in events:
        if isinstance(event, (Order, Fill, Opened, Closed)):
            found.setdefault(event.position, []).append(_bare(event))
    return [[*_last_opened(told)] for _, told in sorted(found.items())]


def _bare(event: Order | Fill | Opened | Closed) -> Event:
    if isinstance(event, Fill):
        return replace(event, trade_id="", fee_currency="")
    if isinstance(event, Order):
        return replace(event, expected=None, worst=None, slippage_bps=None, depth_left=None)
    return event


def _last_opened(told: list[Event]) -> Iterator[Event]:
    """Yield the fills of an entry, and only behind them the position."""
    opened = [event for event in told if isinstance(event, Opened)]
    for event in told:
        if not isinstance(event, Opened):
            yield event
    yield from opened[-1:]
