"""From rows of history's tables to the very events they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from connectors.recordings.cells import flat, whole_numbers, written
from schemas import Columns, Event, Outside, Position, Trades
from schemas.forms import FORMS, Form, canonical, forms
from schemas.tables import Record
from schemas.trades import Ids

_TIMES = (FORMS["Time"], FORMS["Time | None"])
_DECIMALS = (FORMS["Decimal"], FORMS["Decimal | None"])


class Placed(NamedTuple):
    """An event, and its place in its partition."""

    offset: int
    row: int
    event: Outside


def events_of(kind: type[Event], rows: pa.RecordBatch, partition: str) -> Iterator[Placed]:
    """Yield the events of some rows of a partition.

    Parameters
    ----------
    kind
        What they are.
    rows
        With the columns of their table; of trades, in the order of the log.
    partition
        Where they stand.

    """
    if kind is Trades:
        yield from _trades(rows, partition)
        return
    born: Callable[..., Any] = kind
    values = {name: _values(rows.column(name), form) for name, form in forms(kind).items()}
    places = zip(rows.column("offset").to_pylist(), rows.column("row").to_pylist(), strict=True)
    for number, (offset, row) in enumerate(places):
        fields = {name: column[number] for name, column in values.items()}
        yield Placed(offset, row, born(**fields, at=Position(partition, offset, row)))


def records_of(kind: type[Event], rows: pa.RecordBatch) -> Iterator[Record]:
    """Yield the derived events of some rows, each with its number.

    Parameters
    ----------
    kind
        What they are.
    rows
        With the columns of their table.

    """
    born: Callable[..., Any] = kind
    values = {name: _values(rows.column(name), form) for name, form in forms(kind).items()}
    for number, seq in enumerate(rows.column("seq").to_pylist()):
        yield Record(seq, born(**{name: column[number] for name, column in values.items()}))


def _values(column: pa.Array, form: Form) -> list[Any]:
    """Return the values of a column, as they were to the last bit."""
    if form in _TIMES:
        values: list[Any] = column.cast(form.arrow).cast(pa.int64()).to_pylist()
        return values
    if form in _DECIMALS:
        return [None if value is None else canonical(value) for value in column.to_pylist()]
    if form is FORMS["Levels"]:
        levels, edges = column.flatten(), np.cumsum([0, *column.value_lengths().to_pylist()])
        pairs = list(zip(*(side.to_pylist() for side in levels.flatten()), strict=True))
        return [pairs[a:b] for a, b in pairwise(edges)]
    plain: list[Any] = column.to_pylist()
    return [dict(pairs) for pairs in plain] if form is FORMS["Numbers"] else plain


def _trades(rows: pa.RecordBatch, partition: str) -> Iterator[Placed]:
    """Yield the trades in slices whose rows stand one behind the other in a message."""
    markets = rows.column("market").dictionary_encode()
    codes = flat(markets.indices, np.int32)
    order = np.argsort(codes, kind="stable")
    table = rows.take(pa.array(order))
    codes, offsets = codes[order], flat(table.column("offset"), np.int64)
    places, known = flat(table.column("row"), np.int64), written(table.column("received"))
    columns = _columns(table)
    breaks = (np.diff(codes) != 0) | (np.diff(offsets) != 0) | (np.diff(places) != 1)
    edges = [0, *(np.flatnonzero(breaks | np.diff(known)) + 1).tolist(), len(codes)]
    names = markets.dictionary.to_pylist()
    for start, stop in pairwise(edges):
        if start == stop:
            continue
        part = columns.take(slice(start, stop))
        at = part.at = Position(partition, int(offsets[start]), int(places[start]))
        part.received = part.received if known[start] else None
        yield Placed(at.offset, at.row, Trades(names[codes[start]], part, 0, stop - start))


def _columns(table: pa.RecordBatch) -> Columns:
    ts = _stamps(table.column("ts"))
    return Columns(
        ts,
        flat(table.column("price"), np.float64),
        flat(table.column("size"), np.float64),
        flat(table.column("side"), np.int64).astype(np.int8),
        _ids(table.column("id")),
        ts,
        _stamps(table.column("received").fill_null(0)),
    )


def _stamps(column: pa.Array) -> Any:  # noqa: ANN401 - int64, by its cast
    return flat(column.cast(FORMS["Time"].arrow).cast(pa.int64()), np.int64)


def _ids(column: pa.Array) -> Ids:
    """Return whole numbers if all are, else texts; an empty text is no id."""
    whole = whole_numbers(column) if len(column) else None
    return np.array(column.to_pylist(), object) if whole is None else whole
