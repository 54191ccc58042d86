"""A slice of consecutive trades: columns, so that work is done per slice and not per trade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from schemas.basics import Position, Time

Int64: TypeAlias = NDArray[np.int64]
Float64: TypeAlias = NDArray[np.float64]
Int8: TypeAlias = NDArray[np.int8]
Ids: TypeAlias = "NDArray[np.int64] | NDArray[np.object_]"

_DIGITS = 19
"""Of the greatest int64: not every number of so many fits."""


@dataclass(slots=True, eq=False)
class Columns:
    """The columns of a block of trades, shared by all slices cut from it. Never written to.

    Parameters
    ----------
    ts
        Nanoseconds UTC. From outside: the exchange's stamps. Behind the tape entry: tape time.
    price, size
        Quote currency per unit, and units of the base currency (or contracts).
    side
        The aggressor: +1 the buyer, -1 the seller, 0 unknown.
    id
        The exchange's trade ids: int64, or strings in an object array; `None` if it gives none.
    stamp
        The exchange's own stamps: the very array of `ts` until the tape entry moves a time.
    received
        Our clock at arrival, or `None`. Stored, and enters no derived event.
    at
        The log position of row 0; row `i` stands `i` rows behind it.

    """

    ts: Int64
    price: Float64
    size: Float64
    side: Int8
    id: Ids | None
    stamp: Int64
    received: Int64 | None = None
    at: Position | None = None

    def __len__(self) -> int:
        return len(self.ts)

    def take(self, rows: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Columns:
        """Return the columns of `rows` only; a slice gives views, an index gives copies."""
        ts = self.ts[rows]
        at = self.at
        if at is not None and isinstance(rows, slice):
            at = Position(at.partition, at.offset, at.row + rows.indices(len(self.ts))[0])
        return Columns(
            ts,
            self.price[rows],
            self.size[rows],
            self.side[rows],
            None if self.id is None else self.id[rows],
            ts if self.stamp is self.ts else self.stamp[rows],
            None if self.received is None else self.received[rows],
            at,
        )


@dataclass(slots=True, eq=False)
class Trades:
    """Rows `start` to `stop` of some columns: consecutive trades of one market.

    Examples
    --------
    >>> trades = Trades.of("binance:BTC/USDT", ts=[1, 2, 3], price=[7.0, 8.0, 9.0], size=[1, 1, 2])
    >>> trades.cut(1, 3).price
    array([8., 9.])
    >>> trades.cut(1, 3).cut(1, 2).ts.tolist()
    [3]

    """

    market: str
    columns: Columns
    start: int
    stop: int

    @classmethod
    def of(
        cls,
        market: str,
        ts: Sequence[int] | Int64,
        price: Sequence[float] | Float64,
        size: Sequence[float] | Float64,
        side: Sequence[int] | Int8 | None = None,
        id: Sequence[int] | Sequence[str] | Ids | None = None,  # noqa: A002 - the column's name
        received: Sequence[int] | Int64 | None = None,
        at: Position | None = None,
    ) -> Trades:
        """Return a slice that holds the given columns whole.

        Raises
        ------
        ValueError
            When the columns differ in length.

        """
        stamps = np.asarray(ts, np.int64)
        columns = Columns(
            stamps,
            np.asarray(price, np.float64),
            np.asarray(size, np.float64),
            np.zeros(len(stamps), np.int8) if side is None else np.asarray(side, np.int8),
            None if id is None else as_ids(id),
            stamps,
            None if received is None else np.asarray(received, np.int64),
            at,
        )
        for name in ("price", "size", "side", "id", "received"):
            column = getattr(columns, name)
            if column is not None and len(column) != len(stamps):
                msg = f"{market}: column {name!r} has {len(column)} rows, 'ts' has {len(stamps)}"
                raise ValueError(msg)
        return cls(market, columns, 0, len(stamps))

    def __len__(self) -> int:
        return self.stop - self.start

    def __reduce__(self) -> tuple[type[Trades], tuple[str, Columns, int, int]]:
        """Pickle these rows, not the block they are a view of."""
        whole = self.columns.take(slice(self.start, self.stop))
        return (Trades, (self.market, whole, 0, len(self)))

    def cut(self, a: int, b: int) -> Trades:
        """Return rows `a` to `b` of this slice, without a copy."""
        return Trades(self.market, self.columns, self.start + a, self.start + b)

    @property
    def ts(self) -> Int64:
        """Times, nondecreasing behind the tape entry."""
        return self.columns.ts[self.start : self.stop]

    @property
    def price(self) -> Float64:
        """Prices."""
        return self.columns.price[self.start : self.stop]

    @property
    def size(self) -> Float64:
        """Sizes."""
        return self.columns.size[self.start : self.stop]

    @property
    def side(self) -> Int8:
        """Aggressors: +1, -1 or 0."""
        return self.columns.side[self.start : self.stop]

    @property
    def id(self) -> Ids | None:
        """Trade ids, if the exchange gives any."""
        return None if self.columns.id is None else self.columns.id[self.start : self.stop]

    @property
    def stamp(self) -> Int64:
        """The exchange's own stamps, in order of arrival."""
        return self.columns.stamp[self.start : self.stop]

    @property
    def received(self) -> Int64 | None:
        """Our clock at arrival, if known."""
        received = self.columns.received
        return None if received is None else received[self.start : self.stop]

    @property
    def at(self) -> Position | None:
        """The log position of the first row."""
        at = self.columns.at
        return None if at is None else Position(at.partition, at.offset, at.row + self.start)


def as_ids(ids: Sequence[int] | Sequence[str] | Ids) -> Ids:
    """Return int64 where every id is a whole number, else strings.

    Examples
    --------
    >>> as_ids(["12", "13"])
    array([12, 13])
    >>> as_ids(["12", "a7"])
    array(['12', 'a7'], dtype=object)
    >>> as_ids(["007"])
    array(['007'], dtype=object)

    """
    column = np.asarray(ids)
    if column.dtype.kind == "i":
        return column.astype(np.int64, copy=False)
    texts = [str(value) for value in column.tolist()]
    if all(text.isascii() and text.isdigit() and _canonical(text) for text in texts):
        return np.array([int(text) for text in texts], np.int64)
    return np.array(texts, object)


def _canonical(digits: str) -> bool:
    return len(digits) < _DIGITS and (digits == "0" or digits[0] != "0")


def trade_time(trades: Trades, row: int) -> Time:
    """Return the time of one row as a Python int."""
    return trades.columns.ts.item(trades.start + row)
