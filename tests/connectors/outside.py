"""What a log may hold, and what every source must make of it, written slowly and obviously."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from connectors.log.log import Entry
from connectors.log.messages import said
from schemas import OUTSIDE, Book, Event, Outside, Position, Trades
from tests.connectors.memory_log import MemoryLog
from tests.schemas.events import events
from tests.tapes import Trade, rows

MARKETS = ("okx:A", "okx:B/€", "sim:C")
IDS = ("1", "7", "12", "x", "007", "", "99999999999999999999", 3, 10**18, -1)


@st.composite
def outside(draw: st.DrawFn, ts: st.SearchStrategy[int] | None = None) -> list[Outside]:
    """Build outside events of some markets, of all kinds, but mostly trades."""
    made: list[Outside] = []
    for _ in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from([*OUTSIDE, Trades, Trades, Trades, Book]))
        event = draw(events(kind))
        assert isinstance(event, Outside)
        market = draw(st.sampled_from(MARKETS))
        if isinstance(event, Trades):
            event = _trades(draw, market, len(event), st.integers(1, 2**62) if ts is None else ts)
        event.market = market
        if ts is not None and not isinstance(event, Trades):
            event.ts = draw(ts)
        made.append(event)
    return made


def _trades(draw: st.DrawFn, market: str, count: int, ts: st.SearchStrategy[int]) -> Trades:
    column = st.lists(ts, min_size=count, max_size=count)
    kind = draw(st.sampled_from([str, int, None]))
    known: list[Any] = [id_ for id_ in IDS if type(id_) is kind]
    ids = st.lists(st.sampled_from(known), min_size=count, max_size=count)
    return Trades.of(
        market, draw(column), [7.5] * count, [0.1] * count, [1] * count,
        None if kind is None else draw(ids),
        draw(column) if draw(st.booleans()) else None,
    )  # fmt: skip


def log_of(events: Iterable[Outside], broken: Mapping[int, bytes] | None = None) -> MemoryLog:
    """Return a log of these, with messages that are none behind some of them."""
    log = MemoryLog(clock=lambda: 2**62)
    for number, event in enumerate(events):
        log.put(event)
        if broken and number in broken:
            log.append(event.market, broken[number])
    return log


Row = tuple[Position, str]
"""Where something stands, and all that it is, to the last bit and its type."""


def tapes_of(
    log: MemoryLog, wanted: Callable[[Event], bool] = lambda _: True
) -> dict[str, list[Row]]:
    """Return the tape of each market, as a source of a log owes it."""
    tapes: dict[str, list[Row]] = {}
    texts: set[str] = set()
    for partition, entries in zip(log.partitions(), log.entries, strict=True):
        for entry in entries:
            for position, row in _rows_of(entry, partition):
                if wanted(row):
                    tapes.setdefault(row.market, []).append((position, _settled(row, texts)))
    return tapes


def _rows_of(entry: Entry, partition: str) -> list[tuple[Position, Event]]:
    event = said(entry, partition).event
    if not isinstance(event, Trades):
        return [(Position(partition, entry.offset), event)]
    return [
        (Position(partition, entry.offset, row), event.cut(row, row + 1))
        for row in range(len(event))
    ]


def _settled(event: Event, texts: set[str]) -> str:
    """Write an event down; ids are whole numbers until a market has one that is none."""
    [row] = rows([event])
    if not isinstance(event, Trades) or event.id is None:
        return repr(row)
    text = str(event.id.tolist()[0])
    whole = text.isascii() and text.isdigit() and str(int(text)) == text and len(text) < 19
    if text and not whole:
        texts.add(event.market)
    id_ = None if not text else text if event.market in texts else int(text)
    assert isinstance(row, Trade)
    return repr(row._replace(id=id_))


def found_in(tapes: Mapping[str, Sequence[Event]]) -> dict[str, list[Row]]:
    """Return what a source gave, so that it can be compared."""
    found: dict[str, list[Row]] = {}
    for market, tape in tapes.items():
        for event in tape:
            assert isinstance(event, Outside)
            assert event.market == market
            for number, row in enumerate(rows([event])):
                at = event.at
                assert at is not None
                place = Position(at.partition, at.offset, at.row + number)
                found.setdefault(market, []).append((place, repr(row)))
    return found
