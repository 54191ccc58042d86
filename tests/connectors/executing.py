"""An executor at a stand-in exchange: in this process, or in one of its own that can be killed."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from connectors.account.account import TradingVenue
from connectors.blotter.rules import Rules
from connectors.executor.executor import Executor
from connectors.executor.order_queue import Alive, Ask, Asked, Told, encode_ask
from connectors.executor.settings import ExecutorSettings
from connectors.log.client import LogClient
from connectors.log.sqlite_log import SqliteLog
from connectors.outbox.outbox import OutboxView
from schemas import SECOND, Command, Order, Report
from schemas.wire import read
from tests.connectors.desk import COIN, KEYS, NAMES, PERPETUAL, keys_of
from tests.connectors.memory_log import MemoryLog
from tests.infra.nursery import hatching
from tests.standin.client import until
from tests.standin.exchange import StandIn

ACCOUNT, FLOW, RUN = "main:sandbox", "demo", "1f"
QUICK = Rules(
    max_age=5 * SECOND,
    exchange_delay=SECOND // 5,
    look_every=SECOND // 10,
    stop_every=SECOND // 5,
)
"""An exchange on loopback needs little time."""
SETTINGS = ExecutorSettings(rules=QUICK, reconcile_seconds=1.0, funding_seconds=1.0)


@dataclass
class Bench:
    """An executor at work, what it was asked, and what it told."""

    exchange: StandIn
    outbox: Path
    queue: MemoryLog = field(default_factory=MemoryLog)
    log: MemoryLog = field(default_factory=MemoryLog)
    lines: list[str] = field(default_factory=list)
    """What a person was told."""
    executor: Executor | None = None

    def ask(self, order: Order, run: str = RUN) -> None:
        """Ask for an order, as a flow does."""
        self.put(Asked(ACCOUNT, FLOW, run, order))

    def tell(self, action: str, market: str = "", flow: str = "") -> None:
        """Tell the executor something, as a person does."""
        self.put(Told(ACCOUNT, Command(market, time.time_ns(), action, flow, "me")))

    def live(self) -> None:
        """Give a sign of life, as a flow does."""
        self.put(Alive(ACCOUNT, FLOW, RUN, [COIN, PERPETUAL], time.time_ns()))

    def put(self, ask: Ask) -> None:
        self.queue.append(ask.account, encode_ask(ask))

    @property
    def reports(self) -> list[Report]:
        """What is in the market log, in the order of its numbers, each once."""
        events = [read(entry.message) for part in self.log.entries for entry in part]
        found = {event.number: event for event in events if isinstance(event, Report)}
        return [found[number] for number in sorted(found)]

    def statuses(self, position: int = 1) -> list[str]:
        """Return what was told of a position, such as `enter filled`."""
        told = [r for r in self.reports if r.position == position]
        return [f"{r.purpose} {r.status}".strip() for r in told]

    async def until_told(self, what: str, position: int = 1) -> None:
        """Return when something was told of a position."""
        await until(lambda: what in self.statuses(position))

    def held(self, market: str) -> Decimal:
        """Return what the fills in the market log come to, in units of amount."""
        amounts = {
            (r.market, r.trade_id): self._signed(r)
            for r in self.reports
            if r.market == market and r.trade_id and r.amount is not None
        }
        return sum(amounts.values(), Decimal(0))

    def _signed(self, report: Report) -> Decimal:
        assert report.amount is not None
        orders = self.exchange.accounts["main"].orders
        sign = next(o.wanted.sign for o in orders if o.wanted.client_id == report.order)
        return sign * report.amount


@asynccontextmanager
async def executing(
    exchange: StandIn,
    directory: Path,
    settings: ExecutorSettings = SETTINGS,
    bench: Bench | None = None,
) -> AsyncIterator[Bench]:
    """Run an executor in this loop; a bench that is given goes on."""
    bench = bench or Bench(exchange, directory / "outbox")
    client = TradingVenue(keys_of(exchange), exchange.url)
    client.client.enableRateLimit = False  # type: ignore[attr-defined]
    executor = bench.executor = Executor(
        ACCOUNT, client, bench.queue, lambda: bench.log, bench.outbox, settings, bench.lines.append
    )
    work = asyncio.create_task(executor.run())
    try:
        await until(lambda: executor.started or work.done())
        yield bench
    finally:
        executor.stop()
        await work


def entry(
    market: str,
    number: int = 1,
    amount: str = "2.00",
    stop: float | None = 0.2,
    **more: object,
) -> Order:
    """Return an order that opens a position of its own number, long unless `side` is given."""
    told = {"side": "buy", "why": "cross", "stop": stop, **more}
    return Order(
        market,
        time.time_ns(),
        number,
        number,
        "enter",
        amount=Decimal(amount),
        **told,  # type: ignore[arg-type]
    )


def leave(market: str, position: int = 1, number: int | None = None) -> Order:
    """Return an order that ends a long position."""
    count = 1_000 + position if number is None else number
    return Order(market, time.time_ns(), count, position, "exit", "sell", Decimal(0), "take")


def standing(outbox: Path) -> tuple[int, int]:
    """Return how many orders and positions of an outbox are not over."""
    view = OutboxView(outbox)
    try:
        return len(view.slips()), len(view.holdings())
    finally:
        view.close()


def resting(exchange: StandIn, market: str) -> Decimal:
    """Return how much the stops that rest in a market would sell."""
    orders = exchange.accounts["main"].open_orders(NAMES[market])
    stops = [order for order in orders if order.wanted.kind == "stop"]
    return sum((-order.wanted.sign * order.left for order in stops), Decimal(0))


@contextmanager
def process(exchange: StandIn, directory: Path) -> Iterator[None]:
    """Run an executor in a process of its own, which is killed at the end.

    It reads the queue in `queue` and writes to the market log in `log`, below the directory. It is
    a fork of a process that has imported all that it needs: that takes a second and more.
    """
    started(directory).unlink(missing_ok=True)
    child = hatching().Process(target=run, args=(directory, exchange.url))
    child.start()
    try:
        yield
    finally:
        child.kill()
        child.join()


def started(directory: Path) -> Path:
    """Return a file that is there once the executor below a directory takes orders."""
    return directory / "started"


def run(place: Path, url: str) -> None:
    """Be an executor until killed."""
    errors = os.open(place / "errors", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(errors, 2)
    client = TradingVenue(KEYS, url)
    client.client.enableRateLimit = False  # type: ignore[attr-defined]
    appender: Callable[[], LogClient] = lambda: LogClient(place / "log")  # noqa: E731

    async def work() -> None:
        with (place / "lines").open("a", buffering=1) as lines:
            executor = Executor(
                ACCOUNT, client, SqliteLog(place / "queue"), appender, place / "outbox", SETTINGS,
                lambda line: print(line, file=lines),
            )  # fmt: skip
            task = asyncio.create_task(executor.run())
            await until(lambda: executor.started or task.done())
            started(place).touch()
            await task

    asyncio.run(work())
