"""Recordings to test with: rows, how they are written in each format, and how they are replayed."""

from __future__ import annotations

import csv
import io
import json
import pickle
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from bytewax.inputs import FixedPartitionedSource
from hypothesis import strategies as st

from connectors.recordings.tracks import Item
from schemas import SECOND, Event, Position, Reject, Trades
from schemas.wire import encode

COLUMNS = ("ts_ns", "symbol", "price", "size", "side", "trade_id", "event")
KINDS = pa.schema(
    {
        "ts_ns": pa.int64(), "symbol": pa.string(), "price": pa.float64(), "size": pa.float64(),
        "side": pa.int8(), "trade_id": pa.int64(), "event": pa.string(),
    }
)  # fmt: skip
SYMBOLS = ("test:A/USDT", "test:B/USDT", "C")
Row = dict[str, object]


class Trade(NamedTuple):
    """One row of `Trades`."""

    market: str
    ts: int
    price: float
    size: float
    side: int
    id: int | str | None
    received: int | None


class Fault(NamedTuple):
    """A bad cell."""

    column: str
    value: object


FAULTS = (
    Fault("price", -1.0), Fault("price", 0.0), Fault("price", None), Fault("price", float("inf")),
    Fault("size", -2.0), Fault("size", None), Fault("ts_ns", 0), Fault("ts_ns", None),
    Fault("side", 2), Fault("side", -3),
)  # fmt: skip
TEXT_FAULTS = (
    *FAULTS, Fault("price", "abc"), Fault("size", "1,5"), Fault("ts_ns", "soon"),
    Fault("side", "up"), Fault("price", "nan"),
)  # fmt: skip


def trade(number: int, symbol: str = SYMBOLS[0], ts: int | None = None) -> Row:
    """Return a row that is a trade, the `number`th of its kind."""
    ts = (1_700_000_000 + number // 3) * SECOND if ts is None else ts
    price, size = 100 + number % 7 / 8, 1 + number % 5 / 4
    return {
        "ts_ns": ts, "symbol": symbol, "price": price, "size": size,
        "side": number % 3 - 1, "trade_id": number, "event": None,
    }  # fmt: skip


def told(event: Event, symbol: str | None = None) -> Row:
    """Return a row that is another event, with its symbol or without."""
    row: Row = dict.fromkeys(COLUMNS)
    return {**row, "symbol": symbol, "event": encode(event).decode()}


def write_parquet(path: Path, rows: Sequence[Row], group: int = 1 << 20) -> Path:
    """Write rows as Parquet, in row groups of `group` rows."""
    columns = {name: [row.get(name) for row in rows] for name in KINDS.names}
    pq.write_table(pa.table(columns, KINDS), path, row_group_size=group)
    return path


def write_csv(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows as CSV; what is `None` is empty."""
    text = io.StringIO()
    csv.DictWriter(text, COLUMNS, lineterminator="\n").writeheader()
    csv.DictWriter(text, COLUMNS, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), "utf-8")
    return path


def write_jsonl(path: Path, rows: Sequence[Row]) -> Path:
    """Write rows as lines of JSON: events in their wire form, trades as flat objects."""
    lines = [row["event"] or json.dumps(_flat(row)).replace("Infinity", '"inf"') for row in rows]
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def _flat(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "event"}


WRITERS: Mapping[str, Callable[[Path, Sequence[Row]], Path]] = {
    "parquet": write_parquet,
    "csv": write_csv,
    "jsonl": write_jsonl,
}


def play(
    replay: Callable[[], FixedPartitionedSource[Item, Any]],
    stops: Container[int] = (),
    order: list[str] | None = None,
) -> dict[str, list[Event]]:
    """Return the tape of each market, through the engine's own doors.

    Parameters
    ----------
    replay
        Makes the source.
    stops
        Batches after which all is torn down, and a new source goes on from the snapshot.
    order
        Gets the markets in the order in which they were handed out.

    """
    tapes: dict[str, list[Event]] = {}
    steps = count(1)
    source = replay()
    for name in source.list_parts():
        part = source.build_part("replay", name, None)
        while True:
            try:
                items = list(part.next_batch())
            except StopIteration:
                break
            for market, strip in items:
                tapes.setdefault(market, []).extend(strip)
                if order is not None:
                    order.append(market)
            if next(steps) in stops:
                kept = pickle.dumps(part.snapshot())
                part.close()
                source = replay()
                part = source.build_part("replay", name, pickle.loads(kept))
        part.close()
    return tapes


def told_of(tapes: Mapping[str, Iterable[Event]]) -> dict[str, list[str]]:
    """Return the tapes so that they can be compared row by row, to the last bit."""
    return {market: [repr(bare(row)) for row in rows_of(tape)] for market, tape in tapes.items()}


def rows_of(tape: Iterable[Event]) -> Iterator[Trade | Event]:
    """Yield the events one by one, and of `Trades` each row."""
    for event in tape:
        if not isinstance(event, Trades):
            yield event
            continue
        nothing = [None] * len(event)
        columns = (
            event.ts.tolist(),
            event.price.tolist(),
            event.size.tolist(),
            event.side.tolist(),
        )
        ids = nothing if event.id is None else event.id.tolist()
        received = nothing if event.received is None else event.received.tolist()
        for row in zip(*columns, ids, received, strict=True):
            yield Trade(event.market, *row)


def bare(event: Trade | Event) -> Trade | Event:
    """Return a reject without its words, which differ from format to format."""
    if isinstance(event, Reject):
        return Reject(event.market, event.ts, "", "", event.at)
    return event


def positions(tape: Iterable[Event]) -> list[Position]:
    """Return the log position of each row."""
    found = []
    for event in tape:
        at = getattr(event, "at", None)
        assert at is not None
        rows = sizes([event])[0]
        found += [Position(at.partition, at.offset, at.row + row) for row in range(rows)]
    return found


def sizes(strip: Iterable[Event]) -> list[int]:
    """Return how many rows each event of a strip has."""
    return [len(event) if isinstance(event, Trades) else 1 for event in strip]


def stops() -> st.SearchStrategy[set[int]]:
    """Return batches after which a replay is torn down."""
    return st.sets(st.integers(1, 40), max_size=4)
