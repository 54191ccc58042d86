"""The embedded log: one SQLite file, written by one process and read by any number, by offset."""

from __future__ import annotations

import sqlite3
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from connectors import log_retention
from connectors.log import Bounds, Entry, LogError, LostError, partition_of
from connectors.log_file import explained, offset_of, open_to_read, open_to_write, place, prepare
from connectors.log_holder import Hold
from schemas import Time

_GULP_BYTES = 16 << 20
_NEXT = (
    "SELECT place, market, message FROM messages WHERE place >= ? AND place < ? "
    "ORDER BY place LIMIT ?"
)
_NOBODY: Mapping[bytes, int] = MappingProxyType({})


class SqliteLog:
    """An embedded log to read, straight from its file; threads may share it.

    What it shows was synced to the disk before.

    Parameters
    ----------
    directory
        The log's.

    Raises
    ------
    LogError
        When there is none that can be read.

    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._file = open_to_read(directory)
        self._numbers = {name: number for number, name in enumerate(names(self._file))}

    def partitions(self) -> list[str]:
        """Return the partitions' names: the log's own id is in each."""
        return list(self._numbers)

    def bounds(self, partition: str) -> Bounds:
        """Return what a partition keeps now."""
        with explained(self.directory):
            return _bounds(self._file, self._number(partition))

    def offset_at(self, partition: str, time: Time) -> int:
        """Return the first offset appended at or behind `time`, our clock's; else the end."""
        number = self._number(partition)

        def appended(offset: int) -> Time:
            query = "SELECT time FROM messages WHERE place = ?"
            row = self._file.execute(query, (place(number, offset),)).fetchone()
            return row[0] if row else -1  # taken by retention since we looked

        with explained(self.directory):
            first, end = _bounds(self._file, number)
            return first + bisect_left(range(first, end), time, key=appended)

    def open(self, partition: str, offset: int) -> SqliteCursor:
        """Return a cursor that reads from `offset` on; each thread needs its own."""
        number, end = self._number(partition), self.bounds(partition).end
        if not 0 <= offset <= end:
            raise LogError(
                f"{partition} ends at {end:,}, and {offset:,} is asked for: an older copy of the "
                f"log was put back; start afresh with another --recovery directory"
            )
        return SqliteCursor(self.directory, partition, number, offset)

    def close(self) -> None:
        """Give back what it holds."""
        self._file.close()

    def _number(self, partition: str) -> int:
        number = self._numbers.get(partition)
        if number is None:
            raise LogError(
                f"the log in {self.directory} has no partition {partition!r}: it is not the one "
                f"that was read before; start afresh with another --recovery directory"
            )
        return number


class SqliteCursor:
    """A place in a partition, from which one reads on."""

    def __init__(self, directory: Path, partition: str, number: int, offset: int) -> None:
        self.directory, self.partition = directory, partition
        self._number, self._next = number, offset
        self._file = open_to_read(directory)

    def read(self, limit: int) -> list[Entry]:
        """Return what comes next, at most `limit` messages and not much more than 16 MB."""
        found, size = [], 0
        here, behind = place(self._number, self._next), place(self._number + 1, 0)
        with (
            explained(self.directory),
            closing(self._file.execute(_NEXT, (here, behind, limit))) as rows,
        ):
            for at, market, message in rows:
                found.append(Entry(offset_of(at), market, message))
                size += len(message)
                if size >= _GULP_BYTES:
                    break
            first = found[0].offset if found else _bounds(self._file, self._number).first
        if first > self._next:
            raise LostError(
                f"{self.partition}: {first - self._next:,} messages from offset {self._next:,} on "
                f"are gone, for retention took them; the log starts at {first:,}: replay them from "
                f"a recording or from history, or start afresh with another --recovery directory"
            )
        self._next += len(found)
        return found

    def close(self) -> None:
        """Give back what it holds."""
        self._file.close()


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
        self._ends = [_bounds(self._file, number).end for number in range(len(self._names))]
        self._time = log_retention.newest(self._file)
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
        with explained(self.directory):
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
            except BaseException:
                if self._file.in_transaction:
                    self._file.execute("ROLLBACK")
                raise


def names(file: sqlite3.Connection) -> list[str]:
    """Return the names of a log's partitions; no other log, not even a later one, has the same."""
    rows = file.execute("SELECT id || '/' || number FROM log, partitions ORDER BY number")
    return [name for (name,) in rows]


def _bounds(file: sqlite3.Connection, number: int) -> Bounds:
    query = "SELECT first, end FROM partitions WHERE number = ?"
    return Bounds(*file.execute(query, (number,)).fetchone())
