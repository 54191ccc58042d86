"""The table form: the columns an event has in ClickHouse, and the Arrow blocks that fill them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from schemas import DERIVED, OUTSIDE, Event, Gap, Outside, Position, Reject, Trades
from schemas.forms import FORMS, Form, forms
from schemas.trades import Int64

_IDS = {"flow": FORMS["str"], "run": FORMS["str"], "market": FORMS["str"], "seq": FORMS["int"]}
_AT = {"partition": FORMS["str"], "offset": FORMS["int"], "row": FORMS["int"]}
_TRADE = {
    "market": FORMS["str"],
    "ts": FORMS["Time"],
    "price": FORMS["float"],
    "size": FORMS["float"],
    "side": FORMS["int"],
    "id": FORMS["str"],
    "received": FORMS["Time | None"],
}
_BACKFILLED = {"backfilled": FORMS["bool"]}
_NOWHERE = Position("", -1, -1)

BORN_ON_TAPE = (*DERIVED, Gap, Reject)
"""The tape entry and a replay conclude gaps and rejects, too."""


class Record(NamedTuple):
    """A derived event, and its place among those of its run and market: its id in history."""

    seq: int
    event: Event


def table(kind: type[Event]) -> str:
    """Return the name of the table that keeps this kind of event.

    Examples
    --------
    >>> from schemas import Candle, Late, Prediction, Refused
    >>> [table(kind) for kind in (Candle, Late, Prediction, Refused, Trades)]
    ['candles', 'lates', 'predictions', 'refused', 'trades']

    """
    name = kind.__name__.lower()
    return name if name.endswith(("s", "ed")) else f"{name}s"


def columns(kind: type[Event]) -> dict[str, Form]:
    """Return the columns of an event's table, in order.

    Examples
    --------
    >>> from schemas import Halt
    >>> {name: form.clickhouse for name, form in columns(Halt).items()}  # doctest: +ELLIPSIS
    {'flow': 'String', 'run': 'String', 'market': 'String', 'seq': 'Int64', 'ts': "DateTime64(...

    """
    if kind is Trades:
        return {**_TRADE, **_AT, **_BACKFILLED}
    ids = _IDS if kind in BORN_ON_TAPE else {}
    return {**ids, **forms(kind), **(_AT if kind in OUTSIDE else {})}


def block(flow: str, run: str, kind: type[Event], records: Sequence[Record]) -> pa.RecordBatch:
    """Return the rows of records of one kind, born on the tape of a run."""
    values: dict[str, list[object]] = {
        "flow": [flow] * len(records),
        "run": [run] * len(records),
        "seq": [record.seq for record in records],
    }
    return _batch(kind, [record.event for record in records], values)


def outside_block(kind: type[Event], events: Sequence[Outside]) -> pa.RecordBatch:
    """Return the rows of outside events of one kind; of `Trades`, one row a trade."""
    if kind is Trades and events:
        return _trade_rows(events)  # type: ignore[arg-type]
    nowhere: dict[str, list[object]] = {}
    if kind in BORN_ON_TAPE:
        nowhere = {"flow": [""] * len(events), "run": [""] * len(events), "seq": [-1] * len(events)}
    return _batch(kind, events, nowhere)


def _batch(
    kind: type[Event], events: Sequence[Event], values: dict[str, list[object]]
) -> pa.RecordBatch:
    if kind in OUTSIDE:
        at = [getattr(event, "at", None) or _NOWHERE for event in events]
        values.update((name, [getattr(place, name) for place in at]) for name in _AT)
    arrays, names = [], columns(kind)
    for name, form in names.items():
        column = values.get(name) or [getattr(event, name) for event in events]
        if form is FORMS["Numbers"]:
            column = [list(numbers.items()) for numbers in column]  # type: ignore[attr-defined]
        arrays.append(pa.array(column, form.arrow))
    return pa.RecordBatch.from_arrays(arrays, list(names))


def _trade_rows(slices: Sequence[Trades]) -> pa.RecordBatch:
    counts = [len(trades) for trades in slices]
    at = [trades.at or _NOWHERE for trades in slices]
    total, begin = sum(counts), np.cumsum([0, *counts[:-1]])
    shift = np.array([place.row for place in at]) - begin
    known = [trades.received is not None for trades in slices]
    columns_of: dict[str, object] = {
        "market": _each([trades.market for trades in slices], counts),
        "ts": np.concatenate([trades.stamp for trades in slices]),
        "price": np.concatenate([trades.price for trades in slices]),
        "size": np.concatenate([trades.size for trades in slices]),
        "side": np.concatenate([trades.side for trades in slices]),
        "id": [text for trades in slices for text in _texts(trades)],
        "received": np.concatenate([_received(trades) for trades in slices]),
        "partition": _each([place.partition for place in at], counts),
        "offset": np.repeat([place.offset for place in at], counts),
        "row": np.arange(total) + np.repeat(shift, counts),
        "backfilled": np.zeros(total, bool),
    }
    masks = {"received": ~np.repeat(known, counts)}
    arrays = [
        pa.array(columns_of[name], form.arrow, mask=masks.get(name))
        for name, form in columns(Trades).items()
    ]
    return pa.RecordBatch.from_arrays(arrays, list(columns(Trades)))


def _each(texts: Sequence[str], counts: Sequence[int]) -> list[str]:
    return [text for text, count in zip(texts, counts, strict=True) for _ in range(count)]


def _texts(trades: Trades) -> list[str]:
    return [""] * len(trades) if trades.id is None else [*map(str, trades.id.tolist())]


def _received(trades: Trades) -> Int64:
    return np.zeros(len(trades), np.int64) if trades.received is None else trades.received
