"""Writing the embedded log: batches go into its file whole, durably, by one process."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from connectors.log import retention as log_retention
from connectors.log.file import bounds, explained, names, open_to_write, place, prepare
from connectors.log.holder import Hold
from connectors.log.log import partition_of
from connectors.transaction import whole

_NOBODY: Mapping[bytes, int] = MappingProxyType({})


class SqliteWriter:
    """An embedded log to write, made if it is not there; one process at a time.

    Parameters
    ----------
    directory
        The log's.
    partitions
        How many it must have; None takes what it has, or 8.

    Raises
    ------
    LogError
        When another process writes to it, or it cannot be written.

    """

    def __init__(self, directory: Path, partitions: int | None = None) -> None:
        self.directory = directory
        prepare(directory)
        self._hold = Hold(directory)
        try:
            self._file = open_to_write(directory, partitions)
        except BaseException:
            self._hold.close()
            raise
        self._names = names(self._file)
        self._ends = [bounds(self._file, number).end for number in range(len(self._names))]
        self._time = log_retention.newest(self._file) or 0
        self._home = lru_cache(1 << 16)(lambda market: partition_of(market, len(self._ends)))

    def write(
        self, batch: Iterable[tuple[str, bytes]], clients: Mapping[bytes, int] = _NOBODY
    ) -> None:
        """Append messages, and note the last number of clients: all of it, durably, or nothing.

        Parameters
        ----------
        batch
            Markets and messages.
        clients
            By their ids, the numbers of the last message from each.

        Raises
        ------
        LogError
            When the disk does not take them; then none is there.

        """
        # Times never fall, so that an offset can be found by time.
        now = self._time = max(self._time, time.time_ns())
        ends, rows = self._ends.copy(), []
        for market, message in batch:
            number = self._home(market)
            rows.append((place(number, ends[number]), market, now, message))
            ends[number] += 1
        with self._whole():
            self._file.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", rows)
            grown = [(end, n) for n, end in enumerate(ends) if end > self._ends[n]]
            self._file.executemany("UPDATE partitions SET end = ? WHERE number = ?", grown)
            seen = [(client, last, now) for client, last in clients.items()]
            self._file.executemany("INSERT OR REPLACE INTO clients VALUES (?, ?, ?)", seen)
        self._ends = ends

    def last_of(self, client: bytes) -> int | None:
        """Return the number of the last message from a client; None if it is unknown."""
        with explained(self.directory):
            query = "SELECT last FROM clients WHERE id = ?"
            row = self._file.execute(query, (client,)).fetchone()
        return row[0] if row else None

    def retain(
        self, max_age: int | None, max_bytes: int | None, before: Mapping[str, int] | None = None
    ) -> bool:
        """Take a small piece of what is too old or too much, oldest first; whether there was one.

        To be called until there is none; each piece takes a few milliseconds.

        Parameters
        ----------
        max_age
            How long messages are kept, ns; None is for ever.
        max_bytes
            How much is kept, free pages not counted; None is without end.
        before
            By partition, the offset from which on nothing may go, as it is not archived yet; where
            there is none, nothing may. None lets all go.

        """
        free = self._ends if before is None else [before.get(name, 0) for name in self._names]
        horizon = -1 if max_age is None else time.time_ns() - max_age
        with self._whole():
            taken = log_retention.take(self._file, horizon, max_bytes, free)
            log_retention.forget(self._file, time.time_ns())
        with explained(self.directory):
            return log_retention.give_back(self._file) or taken

    def used(self) -> int:
        """Return the bytes of what is kept."""
        with explained(self.directory):
            return log_retention.used(self._file)

    def close(self) -> None:
        """Give back what it holds, and let another write."""
        self._file.close()
        self._hold.close()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Do all of it, durably, or nothing."""
        with explained(self.directory), whole(self._file):
            yield
