"""A recording in the making: a Parquet file of one partition of a log, whole or not there."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.disk import kept, sync
from connectors.recordings.rows import Form, Rows
from connectors.recordings.stretch import Stretch, file_name
from connectors.recordings.strips import times
from schemas import Outside, Time

GROUP = 1 << 16
"""Rows that are held in memory, and written as one row group."""
_WHAT = "a recording"


class Recording:
    """A file that grows; until it is finished it has a name that nobody reads.

    Parameters
    ----------
    directory
        Where it is made.
    partition, first
        The partition of the log it is of, and from which offset on.

    Raises
    ------
    DiskError
        When it cannot be kept, such as on a full disk.

    """

    def __init__(self, directory: Path, partition: str, first: int) -> None:
        self.path = directory / file_name(partition, first)
        self.rows = 0
        self._partition, self._first = partition, first
        self._spans: dict[str, tuple[Time, Time]] = {}
        self._rows = Rows(Form())
        self._partial = self.path.with_name(f"{self.path.name}.part")
        with kept(_WHAT, self._partial):
            self._file = self._partial.open("wb")
        self._writer: pq.ParquetWriter | None = None

    def holds_texts(self) -> bool:
        """Let ids be texts, if none were whole numbers so far; whether they are."""
        form = self._rows.form
        form.ids = form.ids or "texts"
        return form.ids == "texts"

    def add(self, event: Outside, message: bytes | None = None) -> None:
        """Record an event; see `Rows.add`."""
        self.rows += self._rows.add(event, message)
        first, last = times(event)
        known = self._spans.get(event.market, (first, last))
        self._spans[event.market] = (min(known[0], first), max(known[1], last))
        if self._rows.count >= GROUP:
            self._write()

    def finish(self, end: int) -> None:
        """Give the file its name, when it is safe on disk, with all in front of offset `end`."""
        stretch = Stretch(self._partition, self._first, end, self._spans)
        writer = self._write()
        with kept(_WHAT, self._partial):
            writer.add_key_value_metadata(stretch.metadata())
            writer.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._partial.rename(self.path)
            sync(self.path.parent)

    def discard(self) -> None:
        """Let the file go."""
        if self._writer is not None:
            # Else it would end itself later, in a file that is closed.
            with suppress(OSError, pa.ArrowException):
                self._writer.close()
        with suppress(OSError):
            self._file.close()
        self._partial.unlink(missing_ok=True)

    def _write(self) -> pq.ParquetWriter:
        form = self._rows.form
        with kept(_WHAT, self._partial):
            if self._writer is None:
                form.ids = form.ids or "whole"
                self._writer = pq.ParquetWriter(
                    self._file, form.schema(), compression="zstd", use_dictionary=["symbol"]
                )
            if self._rows.count:
                self._writer.write_table(self._rows.table())
        self._rows.clear()
        return self._writer
