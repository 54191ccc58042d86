"""A run on paper that was killed, edited and stopped, with its log and its history."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client

from connectors.history.from_log import Archivist
from connectors.log.file import FILE
from connectors.log.log import Log
from connectors.log.sqlite_log import SqliteLog
from infra.history.history import History, writer
from infra.log.log import MarketLog
from infra.running.sources import FromLog
from infra.settings import Settings
from infra.verify.as_read import AnyLog
from infra.verify.checkpoints import VERIFY, Checkpoints
from infra.verify.past_run import PastRun, find
from infra.verify.verifying import Outcome, Verifying
from tests.infra.nursery import Nursery, stop
from tests.infra.rig import Rig
from tests.infra.trading_rig import MARKETS, OFTEN, Feed, count, feed

NAME = "often-paper"
TRADE = ("trade", "often.py", "--events", "live.jsonl")


@dataclass(frozen=True)
class Verified:
    """A home with one run, in which nobody is at work but history."""

    home: Path

    @property
    def settings(self) -> Settings:
        return Settings(self.home)

    @property
    def run(self) -> PastRun:
        return find(NAME, self.settings)

    @property
    def book(self) -> Checkpoints:
        return Checkpoints(self.run.store)

    def verifying(self, log: AnyLog | None = None) -> Verifying:
        return Verifying(
            self.run, NAME, log or FromLog(MarketLog(self.settings).directory), self.settings
        )

    def outcomes(self, log: AnyLog | None = None) -> list[Outcome]:
        """Verify all of it, to the first that differs."""
        found: list[Outcome] = []
        verifying = self.verifying(log)
        for stretch in verifying.stretches(again=True):
            found.append(verifying.verify(stretch, lambda _: None))
            if (receipt := found[-1].receipt) is not None and not receipt.identical:
                break
        return found

    def copy_of_log(self, to: Path, *changes: str) -> FromLog:
        """Return a copy of the log in which something was changed."""
        shutil.copytree(MarketLog(self.settings).directory, to)
        with closing(sqlite3.connect(to / FILE)) as file, file:
            for change in changes:
                assert file.execute(change).rowcount > 0
        return FromLog(to)

    @contextmanager
    def owner(self) -> Iterator[Client]:
        with closing(History(self.settings).client("owner")) as client:
            yield client


def nth_trade(number: int) -> str:
    """Return the SQL for where the nth message with trades of the first market is."""
    return (
        f"(SELECT place FROM messages WHERE market = '{MARKETS[0]}' AND "
        f"CAST(message AS TEXT) LIKE '%Trades%' ORDER BY place LIMIT 1 OFFSET {number})"
    )


def lived(home: Path) -> Verified:
    """Let a run be killed, go on, be edited and be stopped, with checkpoints on the way."""
    (home / "often.py").write_text(OFTEN)
    store, nursery = home / "trading" / NAME, Nursery(home, {})
    with feed(Rig(home)) as market:
        for _ in range(10):
            market.second()
        process = nursery.start(*TRADE, "--warm-up", "5s")
        _closed_more(market, store)
        _kept(market, store)
        _closed_more(market, store)
        process.kill()
        process.join()
        process = nursery.start(*TRADE)
        _closed_more(market, store)
        stop(process, nursery.said)
        (home / "often.py").write_text(OFTEN.replace("1_000", "2_000"))
        process = nursery.start(*TRADE)
        _closed_more(market, store)
        stop(process, nursery.said)
    with closing(SqliteLog(MarketLog(Settings(home)).directory)) as log:
        archive(log, Settings(home))
    return Verified(home)


def _closed_more(market: Feed, store: Path) -> None:
    known = count(store, "Closed")
    market.until(lambda: count(store, "Closed") > known + 2)


def _kept(market: Feed, store: Path) -> None:
    """Take a checkpoint, once there is anything to take."""
    book = Checkpoints(store)
    market.until(lambda: book.take(VERIFY) is not None)


def archive(log: Log, settings: Settings) -> None:
    """Put a log into history, as ingest does."""
    over = threading.Event()
    over.set()  # what it has by now is all
    Archivist(log, writer(settings), settings.home / "ingest").run(over)
