"""A journal on disk: rows wait here until history has them, so that a flow never waits for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from connectors.disk import kept, sync

_ENDING = ".arrow"


class Entry(NamedTuple):
    """A block of rows that waits."""

    path: Path
    table: str


class Journal:
    """Blocks of rows in files, in order. Whoever has read one safely removes it.

    Parameters
    ----------
    directory
        Where they are kept; made if it is not there.

    Raises
    ------
    DiskError
        When they cannot be kept there.

    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        with kept("rows for history", directory):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            for torn in directory.glob("*.partial"):
                torn.unlink()
        numbers = [int(entry.path.name.split(".")[0]) for entry in waiting(directory)]
        self._next = max(numbers, default=0) + 1

    def append(self, table: str, rows: pa.RecordBatch) -> None:
        """Keep a block, durably.

        Raises
        ------
        DiskError
            When the disk does not take it, such as a full one: nothing may go on, lest rows get
            lost.

        """
        path = self.directory / f"{self._next:012d}.{table}{_ENDING}"
        partial = path.with_name(f"{path.name}.partial")
        with kept("rows for history", self.directory):
            try:
                with partial.open("wb") as file:
                    with pa.ipc.new_stream(file, rows.schema) as stream:
                        stream.write_batch(rows)
                    file.flush()
                    os.fsync(file.fileno())
                partial.rename(path)
                sync(self.directory)
            except OSError:
                partial.unlink(missing_ok=True)
                raise
        self._next += 1


def waiting(directory: Path) -> Iterator[Entry]:
    """Yield what waits in a journal, oldest first."""
    for path in sorted(directory.glob(f"*{_ENDING}")):
        yield Entry(path, path.name.split(".")[1])


def read(entry: Entry) -> pa.Table:
    """Return the rows of a block."""
    with entry.path.open("rb") as file:
        return pa.ipc.open_stream(file).read_all()
