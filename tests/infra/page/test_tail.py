"""The end of a log, followed for who looks: prices and books as they come, the present first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from connectors.log.client import LogClient
from connectors.log.sqlite_log import SqliteLog
from infra.log.log import MarketLog
from infra.page import tail as tails
from infra.page.forming import Latest
from infra.page.tail import Tail
from infra.settings import Settings
from schemas import SECOND, Book, Trades
from schemas.wire import encode

MARKETS = ("okx:A/USD", "okx:B/USD")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MarketLog]:
    found = MarketLog(Settings(tmp_path_factory.mktemp("deck")))
    found.start()
    yield found
    found.stop()


@pytest.fixture
def writer(log: MarketLog) -> Iterator[LogClient]:
    with closing(log.client()) as client:
        yield client


@pytest.fixture
def tail(log: MarketLog) -> Iterator[Tail]:
    found = Tail(log.log)
    yield found
    found.close()


def wait(fits: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not fits():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def trade(market: str, number: int) -> bytes:
    return encode(Trades.of(market, [number * SECOND], [float(number)], [1.0]))


def price(latest: Latest) -> float | None:
    found: float | None = latest.tick()["price"]
    return found


def test_each_market_hears_of_its_own_from_now_on(tail: Tail, writer: LogClient) -> None:
    for market in MARKETS:
        writer.append(market, trade(market, 1))
    writer.flush()
    one, other = (Latest(market, 60) for market in MARKETS)
    tail.watch(one)
    tail.start()
    wait(lambda: _heard(writer, MARKETS[0], one, 7))
    tail.watch(other)
    wait(lambda: _heard(writer, MARKETS[1], other, 8))
    assert price(one) == 7.0
    writer.append(MARKETS[1], encode(Book(MARKETS[1], 9 * SECOND, [(7.0, 1.0)], [(8.0, 1.0)])))
    writer.append(MARKETS[1], b"no JSON")
    writer.flush()
    wait(other.book)
    assert one.book() is None
    assert not tail.forget(one)
    assert tail.forget(other)  # nobody is left


def _heard(writer: LogClient, market: str, latest: Latest, number: int) -> bool:
    """Append one more, until it is heard: what was there before it was watched is not."""
    assert price(latest) in (None, float(number))
    writer.append(market, trade(market, number))
    writer.flush()
    return price(latest) == number


def test_who_is_far_behind_goes_on_at_the_end_with_a_new_candle(
    tail: Tail, writer: LogClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = Latest(MARKETS[0], 60)
    tail.watch(latest)
    tail.start()
    wait(lambda: _heard(writer, MARKETS[0], latest, 7))
    lost: list[bool] = []
    monkeypatch.setattr(latest, "lose", lambda: lost.append(True))
    monkeypatch.setattr(tails, "_MESSAGES", 1)
    monkeypatch.setattr(tails, "_TOO_FAR", 0)
    for _ in range(2_000):
        writer.append(MARKETS[0], trade(MARKETS[0], 7))
    writer.flush()
    wait(lambda: lost)


def test_a_log_that_is_not_there_is_a_trouble_until_it_is(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tails, "_AGAIN_SECONDS", 0.05)
    log = MarketLog(Settings(tmp_path_factory.mktemp("deck")))
    tail = Tail(lambda: SqliteLog(log.directory))
    tail.start()
    wait(lambda: tail.trouble)
    log.start()
    wait(lambda: tail.trouble is None)
    tail.close()
    log.stop()
