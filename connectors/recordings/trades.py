"""The trades of a block of rows: our columns of them, and what is wrong with which."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.recordings import cells
from connectors.recordings.blocks import Block
from connectors.recordings.columns import Layout
from connectors.recordings.files import DataError, File
from schemas import Columns, Trades
from schemas.wire import wrong

Rows: TypeAlias = "range | NDArray[np.intp]"
"""Places of rows in a block, ascending."""
Mask: TypeAlias = "NDArray[np.bool_]"
X = TypeVar("X")

_GOOD = {
    "symbol": "a symbol",
    "ts": "a time after 1970",
    "price": "a number above 0, and below 1e100",
    "size": "a number above 0, and below 1e100",
    "side": "one of +1, -1, 0, buy, sell",
}


@dataclass(slots=True)
class Table:
    """Trades of any markets, in the order of the file.

    Parameters
    ----------
    columns
        The trades.
    rows
        Where in the block each stands; a range if the table is the block whole.
    codes
        Which market each is of; `None` if all are of one.
    missing
        Which have no id, if some have none.
    bad
        For each of our columns that has bad cells, where they are.

    """

    columns: Columns
    rows: Rows
    codes: NDArray[np.integer] | None
    missing: Mask | None = None
    bad: dict[str, Mask] = field(default_factory=dict)

    def mark(self, ours: str, rows: Mask) -> None:
        """Call a column bad in some rows of the block."""
        mask = rows if isinstance(self.rows, range) else rows[self.rows]
        if mask.any():
            self.bad = {ours: mask, **self.bad}

    def faults(self, block: Block, layout: Layout) -> Iterator[tuple[int, str]]:
        """Yield the place and the fault of each bad trade."""
        if not self.bad:
            return
        for place in np.flatnonzero(np.logical_or.reduce(list(self.bad.values()))).tolist():
            ours = next(name for name, mask in self.bad.items() if mask[place])
            value = block.columns[ours][int(self.rows[place])].as_py()
            shown = "missing" if value is None else repr(value)
            yield place, f"{layout.names[ours]} is {shown}, not {_GOOD[ours]}"

    def good(self) -> Table:
        """Return the trades with nothing wrong."""
        if not self.bad:
            return self
        return self._take(np.flatnonzero(~np.logical_or.reduce(list(self.bad.values()))))

    def among(self, rows: Mask | None) -> Table:
        """Return these trades of it; `None` means all."""
        return self if rows is None else self._take(np.flatnonzero(rows))

    def by_market(self) -> Iterator[tuple[int, Table]]:
        """Yield each market's code and trades."""
        if not len(self.columns):
            return
        if self.codes is None:
            yield 0, self
            return
        codes = self.codes
        if codes.min() == codes.max():
            yield int(codes[0]), self
            return
        order = np.argsort(codes, kind="stable")
        whole = self._take(order)
        codes, rows = codes[order], whole.rows
        edges = [0, *(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist(), len(codes)]
        for start, stop in pairwise(edges):
            part = whole.columns.take(slice(start, stop))
            missing = None if whole.missing is None else whole.missing[start:stop]
            yield int(codes[start]), Table(part, rows[start:stop], None, missing)

    def part(self, start: int, stop: int) -> Table:
        """Return consecutive trades of a table with nothing wrong and of one market."""
        if stop - start == len(self.columns):
            return self
        missing = None if self.missing is None else self.missing[start:stop]
        columns = self.columns.take(slice(start, stop))
        return Table(columns, self.rows[start:stop], None, missing)

    def _take(self, places: NDArray[np.intp]) -> Table:
        codes = None if self.codes is None else self.codes[places]
        rows = places if isinstance(self.rows, range) else self.rows[places]
        missing = None if self.missing is None else self.missing[places]
        return Table(self.columns.take(places), rows, codes, missing)


def read(
    file: File,
    layout: Layout,
    block: Block,
    rows: Rows,
    codes: NDArray[np.integer] | None,
) -> Table:
    """Return the trades in `rows` of a block.

    Raises
    ------
    DataError
        When a column is of a type that makes no sense.

    """
    given = dict(block.columns)
    if not isinstance(rows, range):
        given = {name: cells.pick(column, rows) for name, column in given.items()}
        codes = None if codes is None else codes[rows]
    columns = _Cells(file, layout, given).columns()
    table = Table(columns, rows, codes)
    masks = wrong(Trades("", columns, 0, len(columns)))
    table.bad = {name: mask for name, mask in masks.items() if mask.any()}
    ids = given.get("trade_id")
    if ids is not None and 0 < ids.null_count < len(ids):
        table.missing = ~cells.written(ids)
    return table


class _Cells:
    """The cells of some rows, column by column."""

    def __init__(self, file: File, layout: Layout, given: Mapping[str, pa.Array]) -> None:
        self.file, self.layout, self.given = file, layout, given

    def columns(self) -> Columns:
        """Return our columns."""
        units, given = self.layout.units, self.given
        ts = self._read("ts", lambda column: cells.times(column, units.get("ts")))
        return Columns(
            ts,
            self._read("price", cells.numbers),
            self._read("size", cells.numbers),
            self._read("side", cells.sides) if "side" in given else np.zeros(len(ts), np.int8),
            self._read("trade_id", cells.ids) if "trade_id" in given else None,
            ts,
            self._read("received", lambda column: cells.received(column, units.get("received")))
            if "received" in given
            else None,
        )

    def _read(self, ours: str, how: Callable[[pa.Array], X]) -> X:
        try:
            return how(self.given[ours])
        except cells.Unsuitable as error:
            raise unsuitable(self.file, self.layout, ours, str(error)) from None


def unsuitable(file: File, layout: Layout, ours: str, what: str) -> DataError:
    """Return the error that tells of a column that cannot be what it should."""
    name = layout.names[ours]
    remedy = f"map another one: --column {ours}=NAME"
    if what == cells.PLAIN:
        remedy = f"say what they count: --column {ours}={name}:ms (or s, us, ns)"
    return DataError(f"{file.path}: column {name!r} holds {what}; {remedy}")
