"""The way into the log: fewer messages, the same tapes, and nothing goes on before it is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.log.log import LogError
from connectors.log.messages import said
from connectors.log.sink import Item, LogSink, joined
from schemas import Book, Event, Heartbeat, Trades
from tests.connectors.memory_log import MemoryLog
from tests.tapes import canonical, chop, feeds, sliced, trades_of

A, B = "okx:A", "okx:B"


def write(log: MemoryLog, *batches: list[Item]) -> None:
    part = LogSink(lambda: log).build("log", 0, 1)
    for batch in batches:
        part.write_batch(batch)
    part.close()


def tape(log: MemoryLog, market: str) -> list[Event]:
    return [
        said(entry, partition).event
        for partition, entries in zip(log.partitions(), log.entries, strict=True)
        for entry in entries
        if entry.market == market
    ]


def trades(market: str, *stamps: int) -> Trades:
    return Trades.of(market, stamps, [1.0] * len(stamps), [2.0] * len(stamps))


@given(feeds(), st.integers(1, 9))
def test_joining_changes_nothing_but_where_slices_begin(feed: list[Event], rows: int) -> None:
    out = list(joined(feed, rows))
    assert canonical(out) == canonical(feed)
    assert all(len(event) <= rows for event in out if isinstance(event, Trades))


@given(feeds(kinds=("trade", "burst", "heartbeat")))
def test_no_more_messages_are_written_than_must_be(feed: list[Event]) -> None:
    assert len(list(joined(feed, 10_000))) == len(chop(feed))


def test_ids_of_numbers_and_of_texts_and_none_stay_apart() -> None:
    [row] = trades_of([trades(A, 5)])
    apart = [sliced([row._replace(id=kind)]) for kind in (7, "x", None, 8, 9)]
    assert [event.id if event.id is None else event.id.tolist() for event in joined(apart)] == [  # type: ignore[union-attr]
        [7], ["x"], None, [8, 9],
    ]  # fmt: skip


def test_trades_with_and_without_the_time_of_their_arrival_stay_apart() -> None:
    [row] = trades_of([trades(A, 5)])
    apart = [sliced([row._replace(received=time)]) for time in (None, 7, 8, None)]
    assert canonical(joined(apart)) == canonical(apart)
    assert [len(event) for event in joined(apart)] == [1, 2, 1]  # type: ignore[arg-type]


def test_a_book_between_two_trades_stays_between_them_and_other_markets_do_not_part_them() -> None:
    log = MemoryLog()
    book = Book(A, 2, [(1.0, 1.0)], [(2.0, 1.0)])
    write(
        log,
        [(A, [trades(A, 1)]), (B, [trades(B, 1)]), (A, [trades(A, 2), book, trades(A, 3)])],
        [(A, [trades(A, 4)]), (B, [Heartbeat(B, 9)])],
    )
    found = [e.ts if isinstance(e, Book) else e.ts.tolist() for e in tape(log, A)]  # type: ignore[union-attr]
    assert found == [[1, 2], 2, [3], [4]]
    assert len(tape(log, B)) == 2
    assert log.flushes == 2


def test_a_log_that_takes_nothing_ends_the_flow_but_not_its_end() -> None:
    log = MemoryLog(broken="the disk is full: free some space")
    part = LogSink(lambda: log).build("log", 0, 1)
    with pytest.raises(LogError, match="free some space"):
        part.write_batch([(A, [trades(A, 1)])])
    with pytest.raises(LogError, match="free some space"):
        part.write_batch([])
    part.close()
