"""How far a log has each market."""

from __future__ import annotations

import pytest

from connectors.exchange.rest_trades import Traded
from connectors.feed.tape import TOLERANCE, Written
from connectors.log.tail import _PIECE, last_trades, markets_of
from schemas import SECOND, Gap, Heartbeat, Trades
from schemas.wire import encode
from tests.connectors.memory_log import MemoryLog

ONE, OTHER = "okx:A/B", "okx:C/D"


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog(count=1)


def put(log: MemoryLog, market: str, *ids: int | str) -> None:
    count = range(len(ids))
    stamps = [1_000 + place for place in count]
    trades = Trades.of(market, stamps, [7.0 + p for p in count], [1.0] * len(ids), id=list(ids))  # type: ignore[arg-type]
    log.append(market, encode(trades))


def test_the_newest_trade_of_each_market_is_found(log: MemoryLog) -> None:
    put(log, ONE, 1, 2)
    put(log, OTHER, "x", "y")
    put(log, ONE, 3, 5, 4)
    log.append(ONE, encode(Heartbeat(ONE, 2 * SECOND)))
    found = last_trades(log, [ONE, OTHER, "okx:E/F"])
    five, y = (Traded(id_, 1_001, 8.0, 1.0, 0) for id_ in ("5", "y"))
    moved = 2 * SECOND - TOLERANCE
    assert found == {ONE: Written(five, moved=moved), OTHER: Written(y, frozenset("y"))}


def test_what_a_gap_stands_for_is_no_more_waited_for(log: MemoryLog) -> None:
    put(log, ONE, 1)
    log.append(ONE, encode(Gap(ONE, 5_000, "stall", 1_000, 5_000)))
    for _ in range(_PIECE):
        put(log, OTHER, 1)
    assert last_trades(log, [ONE])[ONE].moved == 5_000


def test_texts_do_not_tell_which_of_a_moment_came_first(log: MemoryLog) -> None:
    for ids, stamps in (("ab", [6, 7]), ("cd", [7, 7])):
        trades = Trades.of(ONE, stamps, [7.0] * 2, [1.0] * 2, id=[*ids])
        log.append(ONE, encode(trades))
    assert last_trades(log, [ONE])[ONE].beside == {"b", "c", "d"}


def test_a_straggler_is_not_the_newest(log: MemoryLog) -> None:
    put(log, ONE, 7, 8)
    put(log, ONE, 6)
    assert last_trades(log, [ONE])[ONE].last.id == "8"


def test_only_so_much_of_the_tail_is_looked_at(log: MemoryLog) -> None:
    put(log, ONE, 1)
    for _ in range(10):
        put(log, OTHER, "x")
    assert last_trades(log, [ONE], look_back=10) == {}
    assert last_trades(log, [ONE], look_back=11)[ONE].last.id == "1"


def test_what_cannot_be_read_is_passed_over(log: MemoryLog) -> None:
    put(log, ONE, 1)
    log.append(ONE, b"{")
    assert last_trades(log, [ONE])[ONE].last.id == "1"


def test_an_empty_log_has_none(log: MemoryLog) -> None:
    assert last_trades(log, [ONE]) == {}


def test_the_markets_of_all_partitions_are_known_by_the_keys_of_their_messages(
    log: MemoryLog,
) -> None:
    assert markets_of(log) == set()
    put(log, ONE, 1)
    log.append(OTHER, b"{")
    for _ in range(3):
        put(log, "okx:E/F", "x")
    assert markets_of(log) == {ONE, OTHER, "okx:E/F"}
    assert "okx:E/F" in markets_of(log, look_back=1)
    assert len(markets_of(log, look_back=1)) <= log.count
