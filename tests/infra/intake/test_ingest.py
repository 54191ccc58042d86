"""From the wire to candles: markets taken in as a user does it, while everything goes wrong.

A real `deck ingest` (or two) reads a stand-in exchange through ccxt, into the embedded log or
Kafka; a strategy reads that log. `WIRE_SPEED` and `WIRE_LINES` tell how fast and how much of the
real capture is played: 1 and all of it take six minutes.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.log.log import Log
from connectors.log.source import LogSource
from connectors.log.sqlite_log import SqliteLog
from connectors.log.tail import last_trades
from infra.log.log import MarketLog
from infra.settings import Settings
from schemas import Book, Event, Gap, Trades
from tests.connectors.kafka.test_killed import broker, kill_and_restart, place
from tests.connectors.kafka_place import KafkaPlace, any_place
from tests.connectors.recording_rig import play
from tests.infra.nursery import Started
from tests.infra.rig import SMA, Rig
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import Capture
from tests.standin.mishaps import Mishaps
from tests.standin.rebuild import books_at

SPEED = float(os.environ.get("WIRE_SPEED", "6"))
LINES = int(os.environ.get("WIRE_LINES", "45_000"))
STALLS = int(os.environ.get("WIRE_STALLS", "2"))
FEW = 30_000
"""Lines of the shorter tests: two minutes, the second of them whole."""
__all__ = ["broker", "place"]
"""Fixtures."""

PERPETUAL, SPOT = "binance:BTC/USDT:USDT", "binance:BTC/USDT"
_PATIENCE, _PLAY = 60.0, 900.0


@dataclass
class Taking:
    """A home, a stand-in, and where the log is."""

    rig: Rig
    exchange: BinanceStandIn
    kafka: KafkaPlace | None

    def log(self) -> Log:
        return self.kafka.log() if self.kafka else SqliteLog(self.rig.home / "log")

    @property
    def source(self) -> str:
        return "--from-kafka" if self.kafka else "--from-log"

    @contextmanager
    def started(self, *markets: str, processes: int = 1) -> Iterator[Started]:
        """Start to take markets in."""
        arguments = ["ingest", "--markets", ",".join(markets), "--no-history"]
        arguments += ["--processes", str(processes), *(["--kafka"] if self.kafka else [])]
        with self.rig.started(*arguments) as process:
            self.exchange.wait(lambda: all(map(self._heard, self.exchange.markets)))
            yield process

    @contextmanager
    def ingest(self, *markets: str, processes: int = 1) -> Iterator[None]:
        """Take in what is played until all of it is in the log, then stop."""
        with self.started(*markets, processes=processes) as process:
            yield
            self.exchange.wait(lambda: self.exchange.player.settled, _PLAY)
            self._until_logged(markets)
            process.send_signal(signal.SIGINT)
            said = process.communicate()
            assert process.returncode == 0, said
            print(said[0])  # noqa: T201 - whoever asks pytest for it sees the counts

    def _heard(self, market: str) -> bool:
        return bool(self.exchange.listeners(f"{market}@trade"))

    def _until_logged(self, markets: tuple[str, ...]) -> None:
        """Wait until the last trade of each market is in the log."""
        newest = {m.capture.unified: str(m.ids[-1]) for m in self.exchange.markets.values()}
        deadline = time.monotonic() + _PATIENCE
        with closing(self.log()) as log:
            while True:
                found = last_trades(log, markets)
                if all(m in found and found[m].last.id == newest[_symbol(m)] for m in markets):
                    return
                assert time.monotonic() < deadline, (found, newest)
                time.sleep(0.1)

    def tape(self, market: str = PERPETUAL) -> list[Event]:
        """Return what the log has of a market."""
        with closing(self.log()) as log:
            return play(lambda: LogSource(log))[market]

    def ids(self) -> list[int]:
        """Return the ids of its trades."""
        slices = (e.id.tolist() for e in self.tape() if isinstance(e, Trades) and e.id is not None)
        return [int(id_) for some in slices for id_ in some]

    def candles(self, *source: str | Path) -> dict[tuple[str, int], dict[str, Any]]:
        """Return the candles of a replay, by market and start."""
        out = self.rig.home / "events.jsonl"
        self.rig.deck("replay", SMA, *source, "--events", out, "--no-history")
        events = map(json.loads, out.read_text().splitlines())
        return {
            (event["market"], event["start"]): {k: v for k, v in event.items() if k != "seq"}
            for event in events
            if event["type"] == "Candle"
        }


def _symbol(market: str) -> str:
    return market.partition(":")[2]


@contextmanager
def taking(
    home: Path, captures: list[Capture], kafka: KafkaPlace | None = None
) -> Iterator[Taking]:
    home.mkdir(exist_ok=True)
    with ExitStack() as held:
        exchange = held.enter_context(BinanceStandIn(captures, speed=SPEED))
        urls = {"EXCHANGE_URLS": f"binance={exchange.url}", "EXCHANGE_KEYS": "binance=key"}
        if kafka:
            urls |= {
                "KAFKA_BOOTSTRAP": kafka.settings.bootstrap,
                "KAFKA_TOPIC": kafka.settings.topic,
            }
        held.callback(MarketLog(Settings(home)).stop)
        yield Taking(Rig(home, urls), exchange, kafka)


def compare(taken: Taking, *recorded: Path) -> tuple[int, int]:
    """See that every complete candle is the recorded one; return how many, and how many are not."""
    found = taken.candles(taken.source)
    plain: dict[tuple[str, int], dict[str, Any]] = {}
    for path, market in zip(recorded, (PERPETUAL, SPOT), strict=False):
        plain |= taken.candles("--data", path, "--market", market)
    whole = {key: candle for key, candle in found.items() if candle["complete"]}
    for key, candle in whole.items():
        # The tape's time moves with books and heartbeats, too: only when it was concluded differs.
        assert {**candle, "ts": 0} == {**plain[key], "ts": 0}
    return len(whole), len(found) - len(whole)


def same_books(taken: Taking, capture: Capture, most: int) -> int:
    """See that books, as many as there are or are wanted, are those rebuilt; return how many."""
    books = [event for event in taken.tape() if isinstance(event, Book)]
    some = Random(1).sample(books, min(most, len(books)))
    rebuilt = books_at(capture, {book.sequence for book in some})
    for book in some:
        bids, asks = rebuilt[book.sequence]
        assert (book.bids, book.asks) == (bids[:10], asks[:10])
    return len(some)


@pytest.fixture
def perpetual(wire: Path) -> Capture:
    return Capture.read(wire / "binance_usdm_btcusdt_20240808.gz")


@pytest.fixture
def recorded(ticks: Path) -> tuple[Path, Path]:
    names = ("usdm_BTCUSDT", "spot_BTCUSDT")
    first, second = (ticks / f"binance_{name}_20240808.parquet" for name in names)
    return first, second


@pytest.mark.parametrize("where", ["log", "kafka"])
def test_each_complete_candle_of_the_wire_is_the_recorded_one(
    tmp_path: Path, perpetual: Capture, recorded: tuple[Path, Path], where: str
) -> None:
    with ExitStack() as held:
        kafka = held.enter_context(any_place()) if where == "kafka" else None
        taken = held.enter_context(taking(tmp_path, [perpetual.until(LINES)], kafka))
        mishaps = Mishaps(1, disconnects=20, stalls=STALLS, repeats=10, skips=10)
        mishaps.plan(taken.exchange)
        with taken.ingest(PERPETUAL):
            taken.exchange.play()
        # A mishap that nobody would have felt waits, at the very end for ever.
        assert len(mishaps.done) >= mishaps.total * 0.8
        whole, broken = compare(taken, *recorded)
        assert same_books(taken, perpetual, 100) >= 50
    assert whole >= 1
    assert broken >= 1


def test_processes_that_split_the_markets_take_in_the_same(
    tmp_path: Path, perpetual: Capture, wire: Path, recorded: tuple[Path, Path]
) -> None:
    spot = Capture.read(wire / "binance_spot_btcusdt_20240808.gz")
    with taking(tmp_path, [perpetual.until(FEW), spot.until(FEW // 2)]) as taken:
        Mishaps(2, disconnects=5, repeats=5, skips=5).plan(taken.exchange)
        with taken.ingest(PERPETUAL, SPOT, processes=2):
            taken.exchange.play()
        whole, _ = compare(taken, *recorded)
        assert same_books(taken, perpetual, 100) >= 50
        # A market's second candle is whole, but for a hole that was not filled in time.
        told = [any(isinstance(e, Gap) for e in taken.tape(m)) for m in (PERPETUAL, SPOT)]
    assert whole + sum(told) >= 2
    assert whole >= 1


def test_what_was_missed_while_nobody_took_it_in_is_asked_for_or_marked(
    tmp_path: Path, perpetual: Capture, recorded: tuple[Path, Path]
) -> None:
    with taking(tmp_path, [perpetual.until(FEW)]) as taken:
        with taken.started(PERPETUAL) as process:
            taken.exchange.play()
            taken.exchange.wait(lambda: taken.exchange.player.at > FEW // 2)
            process.kill()
        with taken.ingest(PERPETUAL):
            pass
        ids = taken.ids()
        whole, broken = compare(taken, *recorded)
    assert len(ids) == len(set(ids))
    assert whole + broken >= 2


def test_a_broker_that_dies_on_the_way_changes_nothing(
    tmp_path: Path, perpetual: Capture, recorded: tuple[Path, Path], broker: Path, place: KafkaPlace
) -> None:
    with taking(tmp_path / "home", [perpetual.until(FEW)], place) as taken:
        with taken.ingest(PERPETUAL):
            taken.exchange.play()
            taken.exchange.wait(lambda: taken.exchange.player.at > FEW // 2)
            kill_and_restart(broker)
        ids = taken.ids()
        whole, _ = compare(taken, *recorded)
    assert ids == [*range(ids[0], ids[-1] + 1)]
    assert whole >= 1


def test_a_hole_that_nothing_fills_in_time_leaves_its_candle_incomplete(
    tmp_path: Path, perpetual: Capture, recorded: tuple[Path, Path]
) -> None:
    with taking(tmp_path, [perpetual.until(FEW)]) as taken:
        with taken.ingest(PERPETUAL):
            taken.exchange.play()
            taken.exchange.wait(lambda: taken.exchange.player.at > FEW * 2 // 3)
            taken.exchange.trouble.fail(503, times=50)
            taken.exchange.trouble.skip(5, "trade")
        whole, broken = compare(taken, *recorded)
        found = taken.candles(taken.source)
        [gap] = [event for event in taken.tape() if isinstance(event, Gap)]
    assert int(gap.last_id) - int(gap.first_id) == 4
    assert [c["complete"] for c in found.values()] == [False, False]
    assert (whole, broken) == (0, 2)
