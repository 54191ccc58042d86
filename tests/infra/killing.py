"""A flow and its executor at a stand-in exchange, to be killed, looked at, and compared."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from connectors.blotter.order import Slip
from connectors.blotter.position import Holding
from connectors.exact import stepped
from connectors.outbox.file import OutboxError
from connectors.outbox.outbox import OutboxView
from infra.log.log import MarketLog, OrderQueue
from infra.settings import Settings
from infra.trading.trading import executor_home
from schemas import Instrument
from tests.infra.nursery import Nursery, stop
from tests.infra.told_tape import ToldTape
from tests.standin.account import KEY, PASSWORD, SECRET, Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made
from tests.standin.exchange import StandIn
from tests.standin.okx import OkxStandIn

PATIENCE = 180.0
TICK, LOT, LEAST = Decimal("0.1"), Decimal("0.01"), Decimal(5)
STAGES = ("flat", "entry under way", "entry rests", "open", "leaving")
OFTEN = '''
"""Enter four times a second, each time another way; a limit far off rests, and is called off."""

from datetime import timedelta

from operators import Barriers, Moment, Signal, Tape, base, candles, entries, long, trade
from operators.signals import short
from schemas import Candle

EVERY, SHORT = timedelta(milliseconds=250), {short}
BARRIERS = Barriers(stop_loss=0.5, take_profit=0.5, timeout=timedelta(seconds=1))


def often(now: Moment) -> Signal | None:
    turn = now.candle.end // 250_000_000 % 4
    if turn == 0:
        return short(base(3)) if SHORT else long(base(3))
    if turn == 1:
        return long(base(2), limit=97.0, good_for=2 * EVERY)
    return long(base(2)) if turn == 2 else long(base(12), limit=103.0, good_for=2 * EVERY)


def strategy(tape: Tape) -> Tape:
    tape = candles("candles", tape, every=EVERY)
    tape = entries("entries", tape, on=Candle, rule=often)
    return trade("trade", tape, barriers=BARRIERS)
'''


@dataclass(frozen=True)
class Ground:
    """Where is traded."""

    market: str
    there: str
    """What the stand-in calls it."""
    kafka: bool = False

    @property
    def exchange(self) -> str:
        """Its name."""
        return self.market.partition(":")[0]

    def stand_in(self, lines: int) -> StandIn:
        """Return the exchange."""
        captures = [made(lines, self.there.partition(":")[0])]
        kind = OkxStandIn if self.exchange == "okx" else BinanceStandIn
        return kind(captures, speed=1.0, accounts=[Account()])


PERPETUAL = Ground("binance:BTC/USDT:USDT", "usdm:BTCUSDT")
COIN = Ground("okx:BTC/USDT", "spot:BTCUSDT")


@dataclass
class Killed:
    """A command that is started again whenever it was killed."""

    nursery: Nursery
    name: str
    arguments: list[str]
    process: ForkServerProcess = field(init=False)

    def start(self) -> None:
        self.process = self.nursery.start(*self.arguments)

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


@dataclass
class Scene:
    """An exchange, the outbox of its executor and the tape of its flow."""

    ground: Ground
    home: Path
    exchange: StandIn
    nursery: Nursery
    tape: ToldTape = field(init=False)

    def __post_init__(self) -> None:
        self.tape = ToldTape(self.home / "trading" / "often-sandbox-main")
        events = str(self.home / "events.jsonl")
        source = ["--from-kafka"] if self.ground.kafka else []
        trade = ["trade", "often.py", "--broker", "sandbox", "--account", "main", *source]
        trade += ["--no-history", "--events", events]
        self.flow = Killed(self.nursery, "flow", trade)
        executor = ["executor", "--account", "main", *self.told]
        self.executor = Killed(self.nursery, "executor", executor)

    @property
    def alive(self) -> bool:
        """Whether nothing ended by itself."""
        return self.flow.process.exitcode is None and self.executor.process.exitcode is None

    @property
    def told(self) -> list[str]:
        """What commands must be told of where the log is."""
        return ["--kafka"] if self.ground.kafka else []

    @property
    def account(self) -> Account:
        return self.exchange.accounts["main"]

    @property
    def held(self) -> Decimal:
        """What the exchange's own fills come to."""
        fills = self.account.fills
        return sum((order.wanted.sign * deal.amount for order, deal in fills), Decimal(0))

    def until(self, seen: Callable[[], object], seconds: float = PATIENCE) -> bool:
        """Return when something is seen, or when it was not for long; whether it was."""
        deadline = time.monotonic() + seconds
        while not seen():
            if time.monotonic() > deadline or not self.alive:
                return False
            time.sleep(0.005)  # all of it is done by other processes
        return True

    def opened(self) -> bool:
        """Tell whether the tape says that a position is open."""
        self.tape.read()
        return bool(self.tape.opened)

    def outbox(self) -> tuple[list[Slip], list[Holding], int]:
        """Return its orders, its positions, and how many of its reports wait."""
        view = OutboxView(executor_home(Settings(self.home), "main:sandbox"))
        with closing(view):
            return view.slips(), view.holdings(), view.waiting()

    def stage(self) -> str:
        """Say how far the life of a position is, as the outbox has it."""
        with suppress(OutboxError):
            slips, holdings, _ = self.outbox()
            entry = next((slip for slip in slips if slip.purpose == "enter"), None)
            if any(holding.stage == "leaving" for holding in holdings):
                return "leaving"
            if entry is not None:
                return "entry rests" if entry.status == "acknowledged" else "entry under way"
            return "open" if any(holding.held for holding in holdings) else "flat"
        return "flat"

    def differs(self) -> str:
        """Say what exchange, outbox and tape do not agree about."""
        self.tape.read()
        slips, holdings, waiting = self.outbox()
        if leaving := [holding.position for holding in holdings if holding.stage != "open"]:
            return f"positions {leaving} are being left"
        there = {order.wanted.client_id for order in self.account.open_orders()}
        mine = {slip.id for slip in slips if slip.status == "acknowledged"}
        if there != mine or len(mine) != len(slips):
            return f"open orders: {there} at the exchange, {slips} in the outbox"
        if waiting:
            return f"{waiting} reports are not in the log"
        entries = [slip.order for slip in slips if slip.purpose == "enter"]
        if entries not in ([], [self.tape.order]):
            return f"the entries {entries} rest, and the tape asked for {self.tape.order}"
        return self._positions_differ(holdings) or self._stops_differ(holdings)

    def _positions_differ(self, holdings: list[Holding]) -> str:
        ours = sum((holding.signed for holding in holdings), Decimal(0))
        held, told = self.held, self.tape.held
        dust = Decimal("0.03") * self.tape.order if self.ground is COIN else Decimal(0)
        if held != told or not 0 <= held - ours <= dust:
            return f"{held} is held at the exchange, {told} on the tape, {ours} in the outbox"
        open_ = {holding.position for holding in holdings if holding.entered}
        if open_ != self.tape.opened.keys():
            return f"positions {open_} in the outbox, {list(self.tape.opened)} on the tape"
        return ""

    def _stops_differ(self, holdings: list[Holding]) -> str:
        """Say where barriers are not one and the same; nothing is held without its stop."""
        orders = [o for o in self.account.open_orders() if o.wanted.kind == "stop"]
        resting = [(order.left, order.wanted.stop_price) for order in orders]
        rules = Instrument(self.ground.market, 0, TICK, LOT, LEAST, Decimal(1))
        kept = [holding for holding in holdings if not holding.too_little(rules)]
        levels = [(stepped(one.held, LOT), one.level_of(TICK)) for one in kept]
        if resting != levels:
            return f"stops rest at {resting}, and should at {levels}"
        for holding, (_, level) in zip(kept, levels, strict=True):
            told = self.tape.opened[holding.position]["stop"]
            if abs(Decimal(str(told)) - (level or 0)) > TICK:
                return f"the stop is {level} in the outbox, and {told} on the tape"
        return ""

    def guarded(self) -> bool:
        """Tell whether all agree about a position that is open, with its stop."""
        return not self.differs() and bool(self.tape.opened)

    def doubled(self) -> list[str]:
        """Return the ids that were accepted twice."""
        return [id_ for id_, count in Counter(self.account.ids).items() if count > 1]


@contextmanager
def scene(home: Path, ground: Ground, lines: int, kafka: dict[str, str]) -> Iterator[Scene]:
    """Give an exchange whose market is taken in, and nobody that trades yet."""
    (home / "often.py").write_text(OFTEN.replace("{short}", str(ground is not COIN)))
    settings = Settings(home)
    with ExitStack() as held:
        exchange = held.enter_context(ground.stand_in(lines))
        exchange.trouble.clock(time.time_ns() // 1_000_000 - exchange.now())
        exchange.play()
        held.callback(MarketLog(settings).stop)
        held.callback(OrderQueue(settings).stop)
        account = "TAPEDECK_ACCOUNT_MAIN_"
        keys = {"EXCHANGE": ground.exchange, "KEY": KEY, "SECRET": SECRET, "PASSWORD": PASSWORD}
        found = Scene(
            ground, home, exchange,
            Nursery(home, {
                "EXCHANGE_URLS": f"{ground.exchange}={exchange.url}",
                **{account + name: value for name, value in keys.items()}, **kafka,
            }),
        )  # fmt: skip
        if ground.kafka:
            found.nursery.run("topics", "create")
        ingest = ("ingest", "--markets", ground.market, "--no-history", *found.told)
        held.enter_context(found.nursery.running(*ingest))
        yield found


@contextmanager
def both(scene: Scene) -> Iterator[tuple[Killed, Killed]]:
    """Let the executor and the flow run."""
    pair = scene.flow, scene.executor
    for one in pair:
        one.start()
    try:
        yield pair
        for one in pair:
            stop(one.process, scene.nursery.said)
    finally:
        for one in pair:
            one.process.kill()
