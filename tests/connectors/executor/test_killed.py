"""An executor that is killed again and again doubles no order and forgets no position."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from connectors.blotter.position import Holding
from connectors.exact import stepped
from connectors.executor.order_queue import Asked, encode_ask
from connectors.log.client import LogClient
from connectors.log.log import Cursor
from connectors.log.sqlite_log import SqliteLog
from connectors.outbox.outbox import OutboxView
from schemas import Instrument, Order, Report
from schemas.wire import read
from tests.connectors.desk import COIN, NAMES, PERPETUAL, engine
from tests.connectors.executing import (
    ACCOUNT,
    FLOW,
    RUN,
    entry,
    leave,
    process,
    resting,
    started,
)
from tests.connectors.log_rig import served
from tests.standin.account import Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made
from tests.standin.client import until

KILLS = int(os.environ.get("TAPEDECK_KILLS", "20"))
LINES = 4_000 + 200 * KILLS
TICK, LOT, LEAST = Decimal("0.1"), Decimal("0.01"), Decimal(5)
MONEY = {"USDT": Decimal(1_000_000)}


@dataclass
class Flow:
    """Trades one market by what the market log says, as a flow on the tape does, and at random."""

    market: str
    random: Random
    queue: LogClient
    exchange: BinanceStandIn
    position: int = 0
    orders: int = 0
    fills: dict[str, Decimal] = field(default_factory=dict)
    """What each trade id has changed."""
    numbers: set[int] = field(default_factory=set)
    """Of the reports that were taken."""
    repeated: int = 0
    over: bool = True
    entered: bool = False
    leave_at: float = 0.0
    left: bool = False
    ends: Counter[str] = field(default_factory=Counter)

    @property
    def held(self) -> Decimal:
        return sum(self.fills.values(), Decimal(0))

    def take(self, report: Report) -> None:
        """Learn what became of an order; a report that comes twice changes nothing."""
        if report.market != self.market:
            return
        if report.number in self.numbers:
            self.repeated += 1
            return
        self.numbers.add(report.number)
        if report.trade_id and report.amount is not None:
            sign = 1 if report.purpose == "enter" else -1
            self.fills[report.trade_id] = sign * report.amount
            self.entered |= report.purpose == "enter" and report.position == self.position
        if report.position != self.position or self.over:
            return
        ended = report.status in {"rejected", "expired", "cancelled"} and not self.entered
        if report.status == "closed" or (report.purpose == "enter" and ended):
            self.over = True
            self.ends[f"{report.purpose} {report.status}".strip()] += 1

    def act(self, resting_allowed: bool = True) -> None:
        """Enter when flat; leave some time later."""
        now = time.monotonic()
        if self.over and resting_allowed:
            self.enter(now)
        elif not self.over and not self.left and (now >= self.leave_at or not resting_allowed):
            self.left = True
            self.ask(leave(self.market, self.position, self.count()))

    def enter(self, now: float) -> None:
        self.position += 1
        self.over = self.entered = self.left = False
        self.leave_at = now + self.random.uniform(0.0, 2.5)
        stop = self.random.choice([None, 0.02, 0.2, 0.2])
        more: dict[str, object] = {}
        if self.random.random() < 0.4:
            step = self.random.choice([-2, 0, 4])
            more = {"kind": "limit", "price": engine(self.exchange, self.market).last + step}
        amount = str(self.random.choice(["2.00", "3.50", "12.00"]))
        order = entry(self.market, self.position, amount, stop, **more)
        order.order = self.count()
        self.ask(order)

    def count(self) -> int:
        self.orders += 1
        return self.orders

    def ask(self, order: Order) -> None:
        """Hand an order over, some twice, as a flow that was killed does."""
        for _ in range(self.random.choice([1, 1, 2])):
            self.queue.append(ACCOUNT, encode_ask(Asked(ACCOUNT, FLOW, RUN, order)))
        self.queue.flush()


@dataclass
class Trial:
    """Two flows, one account, and executors one after the other."""

    exchange: BinanceStandIn
    directory: Path
    flows: list[Flow]
    cursors: Sequence[Cursor]
    kills: int = 0
    found: Counter[str] = field(default_factory=Counter)
    """What was there at a kill."""
    agreements: list[tuple[int, int]] = field(default_factory=list)
    """How many positions and open orders there were each time that all agreed."""

    @property
    def account(self) -> Account:
        return self.exchange.accounts["main"]

    def hear(self) -> None:
        for cursor in self.cursors:
            for log_entry in cursor.read(1_000):
                event = read(log_entry.message)
                if isinstance(event, Report):
                    for flow in self.flows:
                        flow.take(event)

    async def trade(self, seconds: float, resting_allowed: bool = True) -> None:
        """Let the flows trade for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.hear()
            for flow in self.flows:
                flow.act(resting_allowed)
            await asyncio.sleep(0.01)

    async def until_started(self, trading: bool) -> None:
        """Return when the executor takes orders; the flows trade meanwhile, or wait for it."""
        end = time.monotonic() + 60
        while not started(self.directory).exists():
            assert time.monotonic() < end, (self.directory / "errors").read_text()
            await (self.trade(0.05) if trading else asyncio.sleep(0.05))

    def look(self) -> None:
        """Count what a kill has cut off."""
        self.kills += 1
        self.found["open orders"] += bool(self.account.open_orders())
        self.found["positions"] += bool(self.account.position(NAMES[PERPETUAL]))
        self.found["coins"] += self.account.balance("BTC") > 1

    def differs(self) -> str:
        """Say what the exchange, the outbox and the log do not agree about."""
        self.hear()
        view = OutboxView(self.directory / "outbox")
        with closing(view):
            slips, holdings, waiting = view.slips(), view.holdings(), view.waiting()
        if leaving := [h.position for h in holdings if h.stage != "open"]:
            return f"positions {leaving} are being left"
        open_ids = {order.wanted.client_id for order in self.account.open_orders()}
        mine = {slip.id for slip in slips if slip.status == "acknowledged"}
        if open_ids != mine or len(slips) != len(mine):
            return f"open orders: {open_ids} at the exchange, {mine} in the outbox"
        if waiting:
            return f"{waiting} reports are not in the log"
        for flow in self.flows:
            there = self.there(flow.market)
            ours = sum((h.signed for h in holdings if h.market == flow.market), Decimal(0))
            if not there == flow.held == ours + self.dust(flow, ours):
                return f"{flow.market}: {there} at the exchange, {flow.held} on the tape, {ours}"
        return next(filter(None, map(self.unprotected, holdings)), "")

    def unprotected(self, holding: Holding) -> str:
        """Say what is held without a stop that rests for all of it, unless none can or should."""
        amount = stepped(holding.held, LOT)
        rules = Instrument(holding.market, 0, TICK, LOT, LEAST, Decimal(1))
        wanted = holding.level_of(TICK) is not None and not holding.too_little(rules)
        there = resting(self.exchange, holding.market)
        if there == (amount if wanted else 0):
            return ""
        return f"{holding.market}: stops for {there} rest, and {amount} is held: {holding}"

    def there(self, market: str) -> Decimal:
        """Return what the exchange's own fills come to."""
        fills = (f for f in self.account.fills if f[0].wanted.market == NAMES[market])
        return sum((order.wanted.sign * deal.amount for order, deal in fills), Decimal(0))

    def dust(self, flow: Flow, ours: Decimal) -> Decimal:
        """Return what fees and lots have left of coins: it is the only thing that may be."""
        left = flow.held - ours
        most = Decimal("0.03") * flow.position if flow.market == COIN else Decimal(0)
        return left if 0 <= left <= most else Decimal(0)

    async def agreed(self) -> None:
        """Return when all agree and what is held is protected; the market may go on."""
        try:
            await until(lambda: not self.differs())
        except TimeoutError:
            pytest.fail(f"behind {self.kills} kills: {self.differs()}")
        self.check_orders()
        with closing(OutboxView(self.directory / "outbox")) as view:
            self.agreements.append((len(view.holdings()), len(view.slips())))

    def check_orders(self) -> None:
        ids = self.account.ids
        assert not [id_ for id_, count in Counter(ids).items() if count > 1]


async def killed(trial: Trial, random: Random) -> None:
    for _ in range(KILLS):
        with process(trial.exchange, trial.directory):
            if random.random() < 0.8:
                await trial.until_started(trading=random.random() < 0.3)
                await trial.agreed()
            await trial.trade(random.uniform(0.0, 3.0))
            trial.look()
        trial.check_orders()
    with process(trial.exchange, trial.directory):
        await trial.until_started(trading=True)
        await trial.trade(3.0)
        for flow in trial.flows:
            await until(lambda flow=flow: _ended(trial, flow))  # type: ignore[misc]
        await trial.agreed()


def _ended(trial: Trial, flow: Flow) -> bool:
    trial.hear()
    flow.act(resting_allowed=False)
    return flow.over


@pytest.mark.timeout(120 + 20 * KILLS)
def test_an_executor_killed_at_random_points_agrees_with_exchange_and_log(tmp_path: Path) -> None:
    random = Random(11)
    captures = [made(LINES, kind) for kind in ("spot", "usdm")]
    accounts = [Account(spot=MONEY, futures=MONEY)]
    with (
        served(tmp_path / "queue"),
        served(tmp_path / "log"),
        BinanceStandIn(captures, speed=1.0, accounts=accounts) as exchange,
        closing(LogClient(tmp_path / "queue")) as queue,
        closing(SqliteLog(tmp_path / "log")) as log,
    ):
        exchange.play_until(line=100)
        exchange.play()
        flows = [Flow(market, random, queue, exchange) for market in (COIN, PERPETUAL)]
        cursors = [log.open(part, 0) for part in log.partitions()]
        trial = Trial(exchange, tmp_path, flows, cursors)
        asyncio.run(killed(trial, random))
        for cursor in cursors:
            cursor.close()
        assert resting(exchange, PERPETUAL) == 0
        assert exchange.accounts["main"].position(NAMES[PERPETUAL]) == 0
        for flow in flows:
            assert flow.position > KILLS // 2
            print(flow.market, flow.position, "positions", dict(flow.ends), flow.repeated)  # noqa: T201
        print(len(trial.agreements), "agreements", Counter(trial.agreements).most_common())  # noqa: T201
        print(trial.kills, "kills", dict(trial.found), len(trial.account.ids), "orders")  # noqa: T201
