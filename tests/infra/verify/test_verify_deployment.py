"""A deployment at the stand-in exchange, cut off and killed: what it concluded is verified."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson

from infra.deploy import status as states
from infra.deploy.deployment import Deployment, Place
from infra.history.history import History
from infra.log.log import MarketLog, OrderQueue
from infra.settings import Settings
from tests.chaos.cast import cast, killed
from tests.infra.killing import OFTEN, PERPETUAL
from tests.infra.rig import ROOT, Rig
from tests.standin.account import KEY, SECRET, Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made

NAME, PATIENCE = "desk", 120.0
_MILLISECOND = 1_000_000
_KEYS = {
    "TAPEDECK_ACCOUNT_MAIN_EXCHANGE": "binance",
    "TAPEDECK_ACCOUNT_MAIN_KEY": KEY,
    "TAPEDECK_ACCOUNT_MAIN_SECRET": SECRET,
}


def until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # others do all of it


@contextmanager
def started(rig: Rig, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program of a home, and stop it as a person would."""
    environment = {**os.environ, **rig.environment, "TAPEDECK_HOME": str(rig.home)}
    with (rig.home / "said").open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], env=environment, cwd=ROOT, stdout=said, stderr=said
        )
        yield process
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def closed(rig: Rig) -> int:
    """Return how many positions the deployment has closed, as history has it."""
    with History(Settings(rig.home)).client("reader") as client:
        return int(client.query("SELECT count() FROM closed").result_rows[0][0])


def more(rig: Rig, count: int = 1) -> None:
    known = closed(rig)
    until(lambda: closed(rig) >= known + count)


def worker_dies(rig: Rig) -> None:
    place = Place(rig.home, NAME)
    before = states.load(place.status)
    assert before is not None
    [*_, worker] = cast(rig.home)["worker"]
    worker.kill()
    until(lambda: (now := states.load(place.status)) is not None and now.restarts > before.restarts)
    until(lambda: (now := states.load(place.status)) is not None and now.state == states.RUNNING)


def test_a_deployment_that_was_cut_off_twice_and_killed_twice_is_identical(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    flow = home / "often.py"
    flow.write_text(OFTEN.replace("{short}", "True"))
    Place(home, NAME).save(
        Deployment(
            NAME, str(flow), "exchange:binance", "sandbox", "main", (PERPETUAL.market,),
            warm_up="0s", options={"checkpoint_every": "3s"},
        )
    )  # fmt: skip
    with ExitStack() as held:
        held.callback(killed, home)
        exchange = BinanceStandIn([made(6_000, "usdm")], speed=1.0, accounts=[Account()])
        held.enter_context(exchange)
        exchange.trouble.clock(time.time_ns() // _MILLISECOND - exchange.now())
        exchange.play()
        rig = Rig(home, {"EXCHANGE_URLS": f"binance={exchange.url}", **_KEYS})
        for part in (MarketLog, OrderQueue, History):
            held.callback(part(Settings(home)).stop)
        held.enter_context(started(rig, "infra", "ingest", "--markets", PERPETUAL.market))
        held.enter_context(started(rig, "infra", "executor", "--account", "main"))
        with started(rig, "infra.deploy.parent", NAME):
            until(lambda: bool(exchange.accounts["main"].fills))
            more(rig)
            exchange.trouble.abort()
            worker_dies(rig)
            exchange.trouble.drop()
            worker_dies(rig)
            more(rig, 2)
            at_work = rig.deck("verify", NAME, "--json")
            more(rig)
        stopped = rig.deck("verify", NAME)
    receipts = orjson.loads(at_work.out)
    assert all(one["identical"] for one in receipts)
    assert sum(one["candles"] for one in receipts) > 0
    assert "identical" in stopped.out
