"""The rows of a recording: trades as columns, and all else in its wire form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa

from connectors.recordings.cells import texts_of
from schemas import Outside, Trades
from schemas.trades import Ids
from schemas.wire import encode

Kind: TypeAlias = Literal["whole", "texts"]
"""What ids are: whole numbers, or texts, be it of numbers."""


@dataclass(slots=True)
class Form:
    """What the columns of a file can hold; what is not given, the first trades decide.

    Parameters
    ----------
    ids
        What its ids are.
    received
        Whether its trades have the time of their arrival.

    """

    ids: Kind | None = None
    received: bool | None = None

    def takes(self, trades: Trades) -> bool:
        """Tell whether the columns give the same trades back, and let the first ones decide.

        Those of which they do not stand among the others in their wire form.
        """
        if self.ids is None and trades.id is not None:
            self.ids = "texts" if trades.id.dtype == object else "whole"
        if self.received is None:
            self.received = trades.received is not None
        return self._same_received(trades) and _trimmed(trades.id)

    def _same_received(self, trades: Trades) -> bool:
        received = trades.received
        if received is None or not self.received:
            return (received is not None) == self.received
        return bool(received.min() > 0)

    def schema(self) -> pa.Schema:
        """Return the columns."""
        return pa.schema(
            {
                "ts_ns": pa.int64(),
                "symbol": pa.dictionary(pa.int32(), pa.string()),
                "price": pa.float64(),
                "size": pa.float64(),
                "side": pa.int8(),
                "trade_id": pa.string() if self.ids == "texts" else pa.int64(),
                "recv_ns": pa.int64(),
                "event": pa.string(),
            }
        )


def _trimmed(ids: Ids | None) -> bool:
    """Tell whether no text has spaces around it: who reads a recording takes them away."""
    return ids is None or ids.dtype != object or all(id_ == id_.strip() for id_ in ids.tolist())


class _Piece(NamedTuple):
    event: Outside
    message: str | None
    """Its wire form; `None` where it is trades that go into the columns."""


@dataclass(slots=True)
class Rows:
    """Rows that wait to be written."""

    form: Form = field(default_factory=Form)
    count: int = 0
    _pieces: list[_Piece] = field(default_factory=list)

    def add(self, event: Outside, message: bytes | None) -> int:
        """Add an event, and return how many rows it is.

        Parameters
        ----------
        event
            Of trades, the ids are `settled`, and of the kind of this file.
        message
            Its wire form, if it is at hand.

        """
        if isinstance(event, Trades) and self.form.takes(event):
            self._pieces.append(_Piece(event, None))
            rows = len(event)
        else:
            self._pieces.append(_Piece(event, (message or encode(event)).decode()))
            rows = 1
        self.count += rows
        return rows

    def table(self) -> pa.Table:
        """Return all of them."""
        cells, markets = _Cells(self.count), dict[str, int]()
        row = 0
        for event, message in self._pieces:
            code = markets.setdefault(event.market, len(markets))
            row = cells.put(row, code, event, message)
        return pa.table(cells.arrays(list(markets), self.form), self.form.schema())

    def clear(self) -> None:
        """Let them go: they are written."""
        self._pieces.clear()
        self.count = 0


class _Cells:
    """The cells of some rows; where a row is no trade, the columns of trades are null."""

    def __init__(self, count: int) -> None:
        self.ts, self.code = np.zeros(count, np.int64), np.zeros(count, np.int32)
        self.price, self.size = np.zeros(count), np.zeros(count)
        self.side = np.zeros(count, np.int8)
        self.ids: list[tuple[int, Ids]] = []
        self.received = np.zeros(count, np.int64)
        self.event = np.full(count, None, object)
        self.other = np.zeros(count, bool)

    def put(self, row: int, code: int, event: Outside, message: str | None) -> int:
        """Put an event in, and return the row behind it."""
        if message is not None or not isinstance(event, Trades):
            self.ts[row], self.code[row] = _first(event), code
            self.event[row], self.other[row] = message, True
            return row + 1
        end = row + len(event)
        self.ts[row:end], self.code[row:end] = event.stamp, code
        self.price[row:end], self.size[row:end] = event.price, event.size
        self.side[row:end] = event.side
        if event.id is not None:
            self.ids.append((row, event.id))
        if event.received is not None:
            self.received[row:end] = event.received
        return end

    def arrays(self, markets: list[str], form: Form) -> list[pa.Array]:
        """Return the columns."""
        other = self.other
        unknown = other if form.received else np.ones(len(other), bool)
        return [
            pa.array(self.ts),
            pa.DictionaryArray.from_arrays(self.code, pa.array(markets, pa.string())),
            *(pa.array(column, mask=other) for column in (self.price, self.size, self.side)),
            self._texts() if form.ids == "texts" else self._whole(),
            pa.array(self.received, mask=unknown),
            pa.array(self.event, pa.string()),
        ]

    def _whole(self) -> pa.Array:
        values, missing = np.zeros(len(self.ts), np.int64), np.ones(len(self.ts), bool)
        for row, ids in self.ids:
            values[row : row + len(ids)] = ids
            missing[row : row + len(ids)] = False
        return pa.array(values, mask=missing)

    def _texts(self) -> pa.Array:
        values = np.full(len(self.ts), None, object)
        for row, ids in self.ids:
            values[row : row + len(ids)] = ids if ids.dtype == object else texts_of(ids)
        return pa.array(values, pa.string())


def _first(event: Outside) -> int:
    return int(event.stamp[0]) if isinstance(event, Trades) else event.ts
