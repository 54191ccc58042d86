"""From the wire to the exchange and back: real processes, a stand-in that matches, one flow file.

`deck ingest` puts a market into the log, `deck trade` concludes and queues orders, `deck executor`
takes them to the exchange by ccxt, and its reports come back to the flow through the log.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from infra.history.history import History
from infra.log.log import MarketLog, OrderQueue
from infra.settings import Settings
from infra.trading.trading import executes, executor_home
from tests.infra.nursery import Started
from tests.infra.rig import Rig
from tests.infra.trading_rig import OFTEN, PATIENCE, Seen, count, kept
from tests.standin.account import KEY, SECRET, Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made

MARKET, THERE = "binance:BTC/USDT:USDT", "usdm:BTCUSDT"
KEYS = {
    "TAPEDECK_ACCOUNT_MAIN_EXCHANGE": "binance",
    "TAPEDECK_ACCOUNT_MAIN_KEY": KEY,
    "TAPEDECK_ACCOUNT_MAIN_SECRET": SECRET,
}
LINES = 20_000


@dataclass
class Desk:
    """A home with its processes, and the exchange that they trade at."""

    rig: Rig
    exchange: BinanceStandIn

    @property
    def account(self) -> Account:
        return self.exchange.accounts["main"]

    @property
    def store(self) -> Path:
        return self.rig.home / "trading" / "often-sandbox-main"

    @contextmanager
    def running(self, *arguments: str | Path) -> Iterator[Started]:
        """Run a command, and stop it as a user does."""
        with self.rig.started(*arguments) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGINT)
                said = process.communicate()
                print(*arguments[:1], *said, sep="\n")  # noqa: T201 - pytest shows it if it fails
            assert process.returncode == 0

    def executor(self) -> list[str]:
        return ["executor", "--account", "main"]

    def trade(self) -> list[str | Path]:
        where = ("--broker", "sandbox", "--account", "main")
        return ["trade", "often.py", *where, "--events", self.rig.home / "events.jsonl"]

    def until(self, seen: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not seen():
            assert time.monotonic() < deadline, (self.events[-5:], self.account.orders[-5:])
            time.sleep(0.05)  # all of it is done by other processes

    @property
    def events(self) -> Seen:
        return kept(self.store)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a desk whose market is taken in, stamped as if it were now."""
    (tmp_path / "often.py").write_text(OFTEN)
    settings = Settings(tmp_path)
    with ExitStack() as held:
        exchange = BinanceStandIn([made(LINES, "usdm")], speed=1.0, accounts=[Account()])
        held.enter_context(exchange)
        exchange.trouble.clock(time.time_ns() // 1_000_000 - exchange.now())
        exchange.play()
        held.callback(MarketLog(settings).stop)
        held.callback(OrderQueue(settings).stop)
        held.callback(History(settings).stop)
        rig = Rig(tmp_path, {"EXCHANGE_URLS": f"binance={exchange.url}", **KEYS})
        found = Desk(rig, exchange)
        held.enter_context(found.running("ingest", "--markets", MARKET, "--no-history"))
        yield found


def of(events: Seen, kind: str) -> Seen:
    return [event for event in events if event["type"] == kind]


def test_orders_go_out_reports_come_back_and_a_person_has_the_last_word(desk: Desk) -> None:
    with desk.running(*desk.executor()), desk.running(*desk.trade()):
        desk.until(lambda: count(desk.store, "Closed") >= 2)
        desk.rig.deck("halt", "--flow", "often")
        desk.until(lambda: count(desk.store, "Halt") == 1)
        desk.until(lambda: desk.account.position(THERE) == 0)
        entries = entries_of(desk)
        averages = count(desk.store, "Averages")
        desk.until(lambda: count(desk.store, "Averages") > averages + 3)
        assert entries_of(desk) == entries
        desk.rig.deck("resume", "--flow", "often")
        opened = count(desk.store, "Opened")
        desk.until(lambda: count(desk.store, "Opened") > opened)
        said = desk.rig.deck("flatten", "--all")
        assert "nothing of it is held any more" in said.out
        assert desk.account.position(THERE) == 0
        assert not desk.account.open_orders()
        desk.until(lambda: count(desk.store, "Closed") == count_of_positions(desk))
    events = desk.events
    ids = desk.account.ids
    assert len(ids) == len(set(ids))
    told = {event["trade_id"]: Decimal(event["amount"]) for event in of(events, "Fill")}
    assert sum(told.values()) == sum(deal.amount for _, deal in desk.account.fills)
    assert all(event["stop"] for event in of(events, "Opened"))
    closed, costs = in_history(desk, "closed"), in_history(desk, "order_costs")
    assert sorted(row["position"] for row in closed) == sorted(
        event["position"] for event in of(events, "Closed")
    )
    assert {row["order"] for row in costs} == {event["order"] for event in of(events, "Fill")}
    assert all(row["realised_bps"] is not None for row in costs)
    beside = desk.rig.deck("fork", "often", "--set", "timeout=1s", "--json").summary
    sent, as_run, changed = beside["runs"]
    assert [sent["label"], as_run["label"], changed["label"]] == [
        "sandbox", "paper as run", "paper changed",
    ]  # fmt: skip
    assert beside["settings"]["BARRIERS.timeout"] == ["3s", "3s", "1s"]
    assert 0 < sent["positions"] <= len(closed)
    assert (as_run["signals"], as_run["faults"]) == (sent["signals"], 0)
    assert as_run["positions"] < changed["positions"]
    secrets = [path for path in desk.rig.home.rglob("*") if path.is_file() and leaks(path)]
    assert secrets == []


def count_of_positions(desk: Desk) -> int:
    return len({event["position"] for event in of(desk.events, "Opened")})


def entries_of(desk: Desk) -> int:
    return sum(event["action"] == "enter" for event in of(desk.events, "Order"))


def leaks(path: Path) -> bool:
    content = path.read_bytes()
    return KEY.encode() in content or SECRET.encode() in content


def in_history(desk: Desk, table: str) -> Seen:
    found: Seen = json.loads(desk.rig.deck("sql", f"SELECT * FROM {table}", "--format", "json").out)
    return found


def test_there_is_one_executor_of_an_account_and_it_ends_with_what_is_held(desk: Desk) -> None:
    with desk.running(*desk.executor()):
        lock = executor_home(Settings(desk.rig.home), "main:sandbox") / "lock"
        desk.until(lambda: lock.exists() and executes(Settings(desk.rig.home), "main:sandbox"))
        said = desk.rig.deck(*desk.executor(), status=1)
        assert "another executor of main:sandbox runs on this machine" in said.err
        with desk.running(*desk.trade()):
            desk.until(lambda: count(desk.store, "Opened") >= 1)
            desk.rig.deck("halt", "--all")
