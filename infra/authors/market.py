"""A simulated tape, row by row, so that it can be cut anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from heapq import merge
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink

from connectors.recordings.replay import Replay
from connectors.recordings.tracks import Item
from connectors.simulated.simulate import simulate
from infra.running import engine
from operators.tape import Strip
from schemas import Event, Time, Trades
from schemas.trades import Columns

_RATE, _BOOKS = 20.0, 5.0
"""Trades a minute, and seconds between books."""


class Row(NamedTuple):
    """A trade, or another event."""

    market: str
    ts: Time
    event: Event
    row: int
    """Which one of `Trades`."""


def simulated(markets: Sequence[str], hours: float) -> list[Row]:
    """Return the rows of some simulated markets, in order of time."""
    with TemporaryDirectory(prefix="tapedeck-") as directory:
        data = Path(directory, "ticks.parquet")
        simulate(data, markets, hours / 24, 1, _RATE, signal=1.0, book_every=_BOOKS)
        items: list[Item] = []
        flow = Dataflow("read")
        op.output("read", op.input("replay", flow, Replay([data])), TestingSink(items))
        engine.run(flow, None)
    rows: dict[str, list[Row]] = {}
    for market, strip in items:
        rows.setdefault(market, []).extend(_rows(market, strip))
    return list(merge(*rows.values(), key=lambda row: row.ts))


def strips(rows: Sequence[Row], batch: int | None = None) -> list[Item]:
    """Return rows as a source hands them out, `batch` at a time; all at once if that is None.

    What stands behind a piece is not in its columns, either: nothing can be seen in advance.
    """
    size = batch or max(len(rows), 1)
    return [
        item for start in range(0, len(rows), size) for item in _items(rows[start : start + size])
    ]


def _rows(market: str, strip: Strip) -> Iterable[Row]:
    for event in strip:
        if isinstance(event, Trades):
            yield from (Row(market, ts, event, n) for n, ts in enumerate(event.ts.tolist()))
        else:
            yield Row(market, event.ts, event, 0)


def _items(rows: Sequence[Row]) -> Iterable[Item]:
    markets: dict[str, list[Row]] = {}
    for row in rows:
        markets.setdefault(row.market, []).append(row)
    for market, theirs in markets.items():
        blocks = _blocks(theirs)
        runs = groupby(enumerate(theirs), lambda numbered: _stretch(*numbered))
        yield market, [_joined([row for _, row in run], blocks) for _, run in runs]


def _stretch(number: int, row: Row) -> tuple[int, int]:
    """Return what consecutive rows of the same columns have in common, and no others."""
    if not isinstance(row.event, Trades):
        return (id(row.event), 0)
    return (id(row.event.columns), row.event.start + row.row - number)


def _blocks(rows: Sequence[Row]) -> dict[int, Columns]:
    """Return the columns that these rows are of, without what stands behind the last of them."""
    ends = {id(row.event.columns): row for row in rows if isinstance(row.event, Trades)}
    return {
        key: row.event.columns.take(slice(0, row.event.start + row.row + 1))
        for key, row in ends.items()
        if isinstance(row.event, Trades)
    }


def _joined(run: list[Row], blocks: Mapping[int, Columns]) -> Event:
    """Return a stretch of rows as one event, whose columns others share, as from a source."""
    event = run[0].event
    if not isinstance(event, Trades):
        return event
    first = event.start + run[0].row
    return Trades(event.market, blocks[id(event.columns)], first, first + len(run))
