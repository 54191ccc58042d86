"""A deployment at the stand-in exchange, cut off and killed: what it concluded is verified."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import orjson
import pytest
from clickhouse_connect.driver.client import Client

from connectors.log.file import FILE, open_to_read
from connectors.log.sqlite_log import SqliteLog
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
_CANDLE = """
    SELECT min(seq) FROM candles
    WHERE toUnixTimestamp64Nano(start) <= {ts:Int64} AND toUnixTimestamp64Nano(end) > {ts:Int64}
"""
_KEYS = {
    "TAPEDECK_ACCOUNT_MAIN_EXCHANGE": "binance",
    "TAPEDECK_ACCOUNT_MAIN_KEY": KEY,
    "TAPEDECK_ACCOUNT_MAIN_SECRET": SECRET,
}


def until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.1)  # others do all of it


@contextmanager
def started(rig: Rig, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program of a home, and stop it as a person would."""
    environment = {**os.environ, **rig.environment, "TAPEDECK_HOME": str(rig.home)}
    with (rig.home / "said").open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", *words], env=environment, cwd=ROOT, stdout=said, stderr=said
        )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()


def more(client: Client, count: int = 1) -> None:
    """Wait until history has so many more positions that the deployment closed."""

    def closed() -> int:
        return int(client.query("SELECT count() FROM closed").result_rows[0][0])

    known = closed()
    until(lambda: closed() >= known + count)


def worker_dies(rig: Rig) -> None:
    place = Place(rig.home, NAME)
    before = states.load(place.status)
    assert before is not None
    [*_, worker] = cast(rig.home)["worker"]
    worker.kill()
    until(lambda: (now := states.load(place.status)) is not None and now.restarts > before.restarts)
    until(lambda: (now := states.load(place.status)) is not None and now.state == states.RUNNING)


def bounds(directory: Path) -> dict[str, int]:
    """Return where each partition of a log ends."""
    with closing(SqliteLog(directory)) as log:
        return {name: log.bounds(name).end for name in log.partitions()}


def tick_off(directory: Path, to: Path, since: dict[str, int]) -> int:
    """Copy a log, with the price of its first trade behind some place a tick off; return its ts."""
    to.mkdir()
    with closing(open_to_read(directory)) as log, closing(sqlite3.connect(to / FILE)) as copy:
        log.backup(copy)
    with closing(sqlite3.connect(to / FILE)) as file, file:
        query = "SELECT place, message FROM messages WHERE place & ? >= ? ORDER BY place"
        for place, message in file.execute(query, (2**48 - 1, max(since.values()))).fetchall():
            told = orjson.loads(message)
            if told["type"] == "Trades":
                told["price"][0] += 0.1
                changed = (orjson.dumps(told), place)
                file.execute("UPDATE messages SET message = ? WHERE place = ?", changed)
                return int(told["ts"][0])
    raise AssertionError(since)


def candle_at(rig: Rig, ts: int) -> int:
    """Return the number of the candle that holds a time, as history has it."""
    with History(Settings(rig.home)).client("reader") as client:
        return int(client.query(_CANDLE, {"ts": ts}).result_rows[0][0])


@pytest.mark.timeout(600)  # twelve processes start, beside other tests
def test_a_deployment_that_was_cut_off_twice_and_killed_twice_is_identical(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    flow = home / "often.py"
    flow.write_text(OFTEN.replace("{short}", "True"))
    Place(home, NAME).save(
        Deployment(
            NAME, str(flow), "exchange:binance", "sandbox", "main", (PERPETUAL.market,),
            warm_up="0s", options={"checkpoint_every": "20s"},
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
        client = held.enter_context(History(Settings(home)).client("reader"))
        with started(rig, "infra.deploy.parent", NAME):
            until(lambda: bool(exchange.accounts["main"].fills))
            more(client)
            exchange.trouble.abort()
            worker_dies(rig)
            exchange.trouble.drop()
            worker_dies(rig)
            more(client, 2)
            at_work = rig.deck("verify", NAME, "--json")
            forked = rig.deck("fork", NAME, "--set", "timeout=1s", "--json").summary["runs"]
            more(client)
            since = bounds(home / "log")
            more(client)
        stopped = rig.deck("verify", NAME)
        off = tick_off(home / "log", tmp_path / "log", since)
        tampered = rig.deck("verify", NAME, "--again", "--from-log", tmp_path / "log", status=1)
        number = candle_at(rig, off)
    receipts = orjson.loads(at_work.out)
    assert all(one["identical"] for one in receipts)
    assert sum(one["candles"] for one in receipts) > 0
    assert [one["label"] for one in forked] == ["sandbox", "paper as run", "paper changed"]
    assert 0 < forked[0]["signals"] == forked[1]["signals"]
    assert ": identical: " in stopped.out
    assert f"the first event that differs: {PERPETUAL.market}, number {number}\n" in tampered.out
