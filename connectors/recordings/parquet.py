"""Recordings in Parquet, read in blocks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.recordings.blocks import ALL, BLOCK_ROWS, Block, Extent
from connectors.recordings.cells import is_time
from connectors.recordings.columns import UNITS, Layout, Wanted
from connectors.recordings.files import DataError, File
from connectors.recordings.stretch import Stretch, stretch_of

_BUFFER = 1 << 20
"""Bytes read at once of each column, so that a row group of any size is never held whole."""


class ParquetReader:
    """A Parquet file; rows are counted from 0.

    Parameters
    ----------
    file
        The file.
    wanted
        The user's mapping of columns.
    one_market
        Whether the market is known without a column `symbol`.

    """

    def __init__(self, file: File, wanted: Wanted, one_market: bool) -> None:
        self.file = file
        with _broken(file):
            self._metadata = pq.read_metadata(file.path)
            self._schema = self._metadata.schema.to_arrow_schema()
        if not self._metadata.num_rows:
            raise DataError(f"{file.path}: no rows; leave the file out")
        self.layout: Layout = wanted.layout(file, self._schema.names, one_market)

    def stretch(self) -> Stretch | None:
        """Return which part of a log the file holds, if it was recorded from one."""
        return stretch_of(self._metadata)

    def extent(self) -> Extent | None:
        """Return the symbol and the span of time that the file's statistics prove."""
        groups = range(self._metadata.num_row_groups)
        times = [self._range(group, "ts") for group in groups]
        if None in times:
            return None
        names = {self._symbol(group) for group in groups}
        bounds = [bound for span in times if span is not None for bound in span]
        return Extent(names.pop() if len(names) == 1 else None, min(bounds), max(bounds))

    def blocks(
        self,
        first: int = 0,
        rows: int = BLOCK_ROWS,
        wanted: Collection[str] = ALL,
        skip: Callable[[str], bool] | None = None,
    ) -> Iterator[Block]:
        """Read the file from row `first` on; see `Reader`."""
        names = {ours: name for ours, name in self.layout.names.items() if ours in wanted}
        few = [names[ours] for ours in ("symbol", "side") if ours in names]
        per_row = self.file.size / self._metadata.num_rows
        with (
            _broken(self.file),
            pq.ParquetFile(self.file.path, read_dictionary=few, buffer_size=_BUFFER) as source,
        ):
            for start, end, groups in self._spans(rows):
                if end <= first or (skip is not None and self._none_wanted(groups, skip)):
                    continue
                row = start
                batches = source.iter_batches(
                    rows, row_groups=groups, columns=list(names.values()), use_threads=False
                )
                for batch in batches:
                    stop = row + len(batch)
                    begin = max(first - row, 0)
                    for cut in _ends(len(batch), rows, soon=first == row == 0):
                        if cut > begin:
                            part = batch.slice(begin, cut - begin)
                            numbers = range(row + begin, row + cut)
                            columns = {ours: part.column(name) for ours, name in names.items()}
                            read = round(numbers.stop * per_row)
                            yield Block(numbers.start, numbers, columns, partial(_json, part), read)
                            begin = cut
                    row = stop

    def _spans(self, rows: int) -> Iterator[tuple[int, int, list[int]]]:
        """Return from where to where the row groups reach that are read together, and which.

        There are as many as fill a block: alone, small ones cost too much.
        """
        row, start, groups = 0, 0, []
        for group in range(self._metadata.num_row_groups):
            groups.append(group)
            row += self._metadata.row_group(group).num_rows
            if row - start >= rows or group + 1 == self._metadata.num_row_groups:
                yield start, row, groups
                start, groups = row, []

    def _none_wanted(self, groups: Sequence[int], skip: Callable[[str], bool]) -> bool:
        symbols = [self._symbol(group) for group in groups]
        return all(symbol is not None and skip(symbol) for symbol in symbols)

    def _symbol(self, group: int) -> str | None:
        """Return the one symbol that all rows of a row group have, if that is known."""
        statistics = self._statistics(group, "symbol")
        if statistics is None or statistics.null_count != 0 or statistics.min != statistics.max:
            return None
        return str(statistics.min)

    def _range(self, group: int, ours: str) -> tuple[int, int] | None:
        statistics = self._statistics(group, ours)
        if statistics is None:
            return None
        kind = self._schema.field(self.layout.names[ours]).type
        if pa.types.is_integer(kind):
            factor = 10 ** UNITS[self.layout.units.get(ours, "ns")]
            return statistics.min * factor, statistics.max * factor
        if is_time(kind):
            low, high = (
                pa.array([statistics.min, statistics.max], kind)
                .cast(pa.timestamp("ns"))
                .view(pa.int64())
                .to_pylist()
            )
            return low, high
        return None

    def _statistics(self, group: int, ours: str) -> pq.Statistics | None:
        name = self.layout.names.get(ours)
        columns = self._metadata.row_group(group)
        for index in range(columns.num_columns):
            column = columns.column(index)
            if column.path_in_schema == name:
                found = column.statistics
                return found if found is not None and found.has_min_max else None
        return None


def _ends(length: int, rows: int, *, soon: bool) -> Iterator[int]:
    """Yield where the blocks of a batch end; `soon`, small ones come first.

    Nobody computes anything before the first block is there.
    """
    for part in (8, 4, 2) if soon else ():
        if 0 < rows // part < length:
            yield rows // part
    yield length


def _json(rows: pa.RecordBatch, row: int) -> str:
    values = {name: rows.column(name)[row].as_py() for name in rows.schema.names}
    return orjson.dumps(values, default=str).decode()


@contextmanager
def _broken(file: File) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        reason = str(error).split("\n")[0]
        raise DataError(
            f"{file.path}: a broken Parquet file ({reason}); record or download it again"
        ) from error
