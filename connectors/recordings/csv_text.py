"""Recordings in CSV, read in blocks."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache

import pyarrow as pa
from pyarrow import csv as fast

from connectors.recordings.blocks import ALL, BLOCK_ROWS, Block, Extent
from connectors.recordings.columns import TIMES, Layout, Wanted
from connectors.recordings.files import DataError, File
from connectors.recordings.lines import Lines, read_lines
from connectors.recordings.stretch import Stretch

_SEPARATORS = ",;\t|"
_HEADER = 1
_WORDS = pa.dictionary(pa.int32(), pa.string())
_KINDS = {
    "price": pa.float64(),
    "size": pa.float64(),
    "symbol": _WORDS,
    "side": _WORDS,
    "trade_id": pa.string(),
    "event": pa.string(),
}


class CsvReader:
    """A CSV file whose first line names its columns; rows are counted as lines, from 1.

    Parameters
    ----------
    file
        The file. Cells are separated by a comma, semicolon, tab or bar.
    wanted
        The user's mapping of columns.
    one_market
        Whether the market is known without a column `symbol`.

    """

    def __init__(self, file: File, wanted: Wanted, one_market: bool) -> None:
        self.file = file
        head = next(read_lines(file, 2)).split()
        header = head[0].removeprefix("\ufeff")
        self._separator = max(_SEPARATORS, key=header.count)
        self._names = [name.strip() for name in _cells(header, self._separator)]
        self.layout: Layout = wanted.layout(file, self._names, one_market)
        if len(head) == _HEADER:
            raise DataError(f"{file.path}: no rows; leave the file out")

    def stretch(self) -> Stretch | None:
        """Return nothing: logs are recorded as Parquet."""
        return None

    def extent(self) -> Extent | None:
        """Return nothing: a text proves nothing without being read."""
        return None

    def blocks(
        self,
        first: int = 0,
        rows: int = BLOCK_ROWS,
        wanted: Collection[str] = ALL,
        skip: Callable[[str], bool] | None = None,
    ) -> Iterator[Block]:
        """Read the file from line `first` on; see `Reader`."""
        places = {
            ours: self._names.index(name)
            for ours, name in self.layout.names.items()
            if ours in wanted
        }
        for lines in read_lines(self.file, rows, first or _HEADER + 1):
            try:
                columns = self._fast(lines, places)
            except pa.ArrowInvalid:
                yield self._slow(lines, places)
            else:
                numbers = range(lines.first, lines.first + lines.count)
                yield Block(lines.first, numbers, columns, _row_of(lines), lines.read)

    def _fast(self, lines: Lines, places: Mapping[str, int]) -> dict[str, pa.Array]:
        """Return the columns of lines that are all as they should be."""
        names = [str(place) for place in range(len(self._names))]
        kinds = {str(place): self._kind(ours) for ours, place in places.items()}
        table = fast.read_csv(
            pa.BufferReader(lines.text),
            fast.ReadOptions(column_names=names, use_threads=False, block_size=len(lines.text) + 1),
            fast.ParseOptions(delimiter=self._separator),
            fast.ConvertOptions(
                column_types=kinds,
                include_columns=list(kinds),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
        if table.num_rows != lines.count:
            raise pa.ArrowInvalid("a row is not a line")
        whole = table.combine_chunks()
        return {ours: whole.column(str(place)).chunk(0) for ours, place in places.items()}

    def _slow(self, lines: Lines, places: Mapping[str, int]) -> Block:
        """Return lines cell by cell, as texts; the bad ones stand out later."""
        split = [(number, line) for number, line in enumerate(lines.split(), lines.first) if line]
        cells, broken = [], {}
        for row, (_, line) in enumerate(split):
            found = _cells(line, self._separator)
            if len(found) != len(self._names):
                broken[row] = f"{len(found)} cells, not {len(self._names)}"
                found = [""] * len(self._names)
            cells.append(found)
        columns = {
            ours: pa.array([row[place] or None for row in cells], pa.string())
            for ours, place in places.items()
        }
        numbers = [number for number, _ in split]
        return Block(lines.first, numbers, columns, lambda row: split[row][1], lines.read, broken)

    def _kind(self, ours: str) -> pa.DataType:
        if ours in TIMES:
            return pa.int64() if self.layout.units.get(ours) == "ns" else pa.string()
        return _KINDS[ours]


def _row_of(lines: Lines) -> Callable[[int], str]:
    split = cache(lines.split)  # only where a row is bad
    return lambda row: split()[row]


def _cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line; one if it cannot be taken apart."""
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return [line]
