"""A journal on disk: rows wait here until history has them, so that a flow never waits for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa


class JournalError(OSError):
    """The journal cannot be written: nothing may go on, lest rows get lost."""


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

    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for torn in directory.glob("*.partial"):
            torn.unlink()
        numbers = [int(path.name.split(".")[0]) for path in directory.glob("*.arrow")]
        self.next = max(numbers, default=0) + 1

    def append(self, table: str, rows: pa.RecordBatch) -> None:
        """Keep a block, durably.

        Raises
        ------
        JournalError
            When the disk does not take it, such as a full one.

        """
        name = f"{self.next:012d}.{table}.arrow"
        partial = self.directory / f"{name}.partial"
        try:
            with partial.open("wb") as file:
                with pa.ipc.new_stream(file, rows.schema) as stream:
                    stream.write_batch(rows)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(self.directory / name)
        except OSError as error:
            partial.unlink(missing_ok=True)
            msg = f"cannot keep {rows.num_rows} rows for history in {self.directory}: {error}"
            raise JournalError(msg) from error
        self.next += 1

    def waiting(self) -> Iterator[Entry]:
        """Yield what waits, oldest first."""
        for path in sorted(self.directory.glob("*.arrow")):
            yield Entry(path, path.name.split(".")[1])


def read(entry: Entry) -> pa.Table:
    """Return the rows of a block."""
    with entry.path.open("rb") as file:
        return pa.ipc.open_stream(file).read_all()
