"""What goes wrong in front of the log, or in it: exchange, network, ingest, executor, the log.

Then nobody can say what the log should have held. But replaying it gives history, row for row; no
order went out twice; exchange and tape hold the same; a candle that says complete is the true one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from connectors.outbox.outbox import OutboxView
from infra.deploy import status as states
from infra.deploy.deployment import Deployment, Place
from infra.deploy.keeper import GAVE_UP
from infra.running.far import FLAT
from infra.running.sources import FromLog
from infra.settings import Settings
from infra.trading.trading import executor_home
from schemas import Candle, Fill
from schemas.tables import columns
from tests.chaos.again import NAME, Lived, Rows, history, see_replay
from tests.chaos.behind import PARENT, PATIENCE
from tests.chaos.cast import cast, killed
from tests.chaos.faults import ALL, Fault, Kind, draw, strike
from tests.chaos.kept import Kept
from tests.chaos.trouble import Troubles
from tests.infra.killing import OFTEN, PERPETUAL
from tests.standin.account import KEY, SECRET, Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made

NETWORK = "network"
_WIRES: tuple[Kind, ...] = ("cut", "refuse", "stall", "answer lost", "request lost", "reports lost")
_CHOICES = [
    *((kind, role) for role in ("ingest", "executor", "log", "orders", "worker") for kind in ALL),
    *((kind, NETWORK) for kind in _WIRES),
]
_SECONDS = 6.0
"""How long things go wrong."""
_LINES = 6_000
_MILLISECOND = 1_000_000
_KEYS = {"EXCHANGE": "binance", "KEY": KEY, "SECRET": SECRET}


@dataclass
class Desk:
    """An exchange, and all that trades at it."""

    home: Path
    exchange: BinanceStandIn
    commands: list[Kept]
    troubles: Troubles
    environment: dict[str, str]

    @property
    def account(self) -> Account:
        return self.exchange.accounts["main"]

    def look(self) -> None:
        """Start again what has died."""
        for command in self.commands:
            command.look()

    def until(self, seen: Callable[[], bool], what: str) -> None:
        """Wait until something is seen."""
        deadline = time.monotonic() + PATIENCE
        while not seen():
            assert time.monotonic() < deadline, f"outran its time: {what}"
            self.look()
            time.sleep(0.02)  # others do all of it

    def strike(self, fault: Fault) -> bool:
        """Let a fault happen; whether it met anybody."""
        if fault.role != NETWORK:
            return strike(fault, cast(self.home).get(fault.role, ()), self.troubles)
        wire, orders, reports = (
            self.exchange.trouble, self.exchange.order_trouble, self.exchange.report_trouble
        )  # fmt: skip
        if fault.kind == "refuse":
            wire.refuse(3)
        if fault.kind in ("cut", "refuse"):
            wire.abort()
        elif fault.kind == "stall":
            wire.stall()
        elif fault.kind == "reports lost":
            reports.skip(3)
        else:
            orders.lose("place", after=fault.kind == "answer lost")
        return True

    def halt(self) -> None:
        """Tell the executor, once it runs again, to sell what is held and to enter no more."""
        command = [sys.executable, "-m", "infra", "flatten", "--all"]
        told = partial(subprocess.run, command, env=self.environment, capture_output=True)
        self.until(lambda: told().returncode == 0, "the executor is told to sell")

    def calm(self) -> bool:
        """Tell whether nothing is held, nothing is open, all is told, and the tape knows it."""
        status = states.load(Place(self.home, NAME).status)
        if status is None or not status.markets:  # one that begins anew knows of none yet
            return False
        if any(line.position != FLAT for line in status.markets.values()):
            return False
        with closing(OutboxView(executor_home(Settings(self.home), "main:sandbox"))) as view:
            quiet = not (view.slips() or view.holdings() or view.waiting())
        return (
            quiet and not self.account.position(PERPETUAL.there) and not self.account.open_orders()
        )


def run(seed: int, home: Path) -> Lived:
    """Live through what a seed brings, and see that what must hold does.

    Parameters
    ----------
    seed
        Draws the faults.
    home
        A directory that is made; another one is made beside it.

    """
    random = Random(seed)
    faults = draw(random, _CHOICES, random.randint(2, 5))
    home.mkdir(mode=0o700)
    begun = time.monotonic()
    with ExitStack() as held:
        held.callback(killed, home)
        desk = _desk(home, held)
        desk.until(lambda: len(desk.account.fills) > 0, "the first fill")
        struck = list(_struck(desk, faults))
        desk.halt()
        desk.until(desk.calm, "nothing is held")
        heard = time.time_ns()
        desk.until(lambda: _reached(home) > heard and desk.calm(), "the tape knows it")
        _stop(desk)
        rows = history(home)
        _agree(desk, rows)
        _see_true_candles(desk, rows)
    see_replay(home, FromLog(home / "log"), rows)
    status = states.load(Place(home, NAME).status)
    return Lived(rows, time.monotonic() - begun, status.restarts if status else 0, struck)


def _desk(home: Path, held: ExitStack) -> Desk:
    """Give a desk where everything runs."""
    flow = home / "often.py"
    flow.write_text(OFTEN.replace("{short}", "True"))
    Place(home, NAME).save(
        Deployment(
            NAME, str(flow), "exchange:binance", "sandbox", "main", (PERPETUAL.market,),
            warm_up="0s", options={"deaths": "99"},
        )
    )  # fmt: skip
    exchange = BinanceStandIn([made(_LINES, "usdm")], speed=1.0, accounts=[Account()])
    held.enter_context(exchange)
    exchange.trouble.clock(time.time_ns() // _MILLISECOND - exchange.now())
    exchange.play()
    troubles = held.enter_context(closing(Troubles(home)))
    environment = {
        "EXCHANGE_URLS": f"binance={exchange.url}",
        **{f"TAPEDECK_ACCOUNT_MAIN_{name}": value for name, value in _KEYS.items()},
        **troubles.environment,
    }
    deck = (sys.executable, "-m", "infra")
    ingest = (*deck, "ingest", "--markets", PERPETUAL.market, "--no-history")
    executor = (*deck, "executor", "--account", "main")
    kept = [
        held.enter_context(closing(Kept(command, home, environment, given_up)))
        for command, given_up in ((ingest, None), (executor, None), (PARENT, GAVE_UP))
    ]
    own = {**os.environ, **environment, "TAPEDECK_HOME": str(home)}
    return Desk(home, exchange, kept, troubles, own)


def _struck(desk: Desk, faults: Sequence[Fault]) -> Iterator[str]:
    """Let faults happen when it is time; tell what happened."""
    begun = time.monotonic()
    for fault in faults:
        while time.monotonic() - begun < fault.after * _SECONDS:
            desk.look()
            time.sleep(0.02)  # others go on
        yield str(fault) if desk.strike(fault) else f"({fault})"


def _reached(home: Path) -> int:
    """Return how far the flow has read: to which time of the exchange."""
    status = states.load(Place(home, NAME).status)
    return status.last_event if status else 0


def _stop(desk: Desk) -> None:
    """End everything as a person would: the flow, then the executor, then what feeds it."""
    for command in reversed(desk.commands):
        command.stop(signal.SIGTERM, PATIENCE)


def _agree(desk: Desk, rows: Rows) -> None:
    """See that no order is doubled, and that exchange and tape tell of the same fills."""
    ids = desk.account.ids
    assert len(ids) == len(set(ids))
    names = list(columns(Fill))
    fills = [dict(zip([n for n in names if n != "run"], row, strict=True)) for row in rows["fills"]]
    assert len({fill["trade_id"] for fill in fills}) == len(fills)
    told = sorted((fill["price"], fill["amount"]) for fill in fills)
    assert told == sorted((deal.price, deal.amount) for _, deal in desk.account.fills)


def _see_true_candles(desk: Desk, rows: Rows) -> None:
    """See that each candle that says complete is that of the exchange's own trades."""
    names = [name for name in columns(Candle) if name != "run"]
    [market] = desk.exchange.markets.values()
    for row in rows["candles"]:
        candle = dict(zip(names, row, strict=True))
        if not candle["complete"] or not candle["count"]:
            continue
        ids = range(int(candle["first_id"]), int(candle["last_id"]) + 1)
        trades = [trade for trade in market.trades if trade.id in ids]
        prices = [float(trade.price) for trade in trades]
        true = (len(trades), prices[0], max(prices), min(prices), prices[-1])
        assert true == tuple(candle[n] for n in ("count", "open", "high", "low", "close")), candle
