"""The embedded log: one SQLite file, read by any number of processes, by offset."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import closing
from pathlib import Path

from connectors.log import retention as log_retention
from connectors.log.bell import Bell
from connectors.log.file import bounds, explained, inode, names, offset_of, open_to_read, place
from connectors.log.log import Bounds, Entry, LogError, LostError
from schemas import Time

_GULP_BYTES = 16 << 20
_NEXT = (
    "SELECT place, market, message FROM messages WHERE place >= ? AND place < ? "
    "ORDER BY place LIMIT ?"
)


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
            return bounds(self._file, self._number(partition))

    def offset_at(self, partition: str, time: Time) -> int:
        """Return the first offset appended at or behind `time`, our clock's; else the end."""
        number = self._number(partition)

        def appended(offset: int) -> Time:
            query = "SELECT time FROM messages WHERE place = ?"
            row = self._file.execute(query, (place(number, offset),)).fetchone()
            return row[0] if row else -1  # taken by retention since we looked

        with explained(self.directory):
            first, end = bounds(self._file, number)
            return first + bisect_left(range(first, end), time, key=appended)

    def oldest(self) -> Time | None:
        """Return when the oldest message that is kept was appended."""
        with explained(self.directory):
            return log_retention.oldest(self._file)

    def open(self, partition: str, offset: int) -> SqliteCursor:
        """Return a cursor that reads from `offset` on; each thread needs its own."""
        number, end = self._number(partition), self.bounds(partition).end
        if not 0 <= offset <= end:
            raise LogError(
                f"{partition} ends at {end:,}, and {offset:,} is asked for: an older copy of the "
                f"log was put back; start afresh with another --recovery directory"
            )
        return SqliteCursor(self.directory, partition, number, offset)

    def waker(self) -> Bell:
        """Return what rings when something is written, in whatever partition."""
        return Bell(self.directory)

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
        self._inode = inode(directory)
        self._more = False
        """Whether more may have been there at the last look."""
        self._file = open_to_read(directory)
        self._bell = Bell(directory)

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
            first = found[0].offset if found else self._looked()
        if first > self._next:
            raise LostError(
                f"{self.partition}: {first - self._next:,} messages from offset {self._next:,} on "
                f"are gone, for retention took them; the log starts at {first:,}: replay them from "
                f"a recording or from history, or start afresh with another --recovery directory"
            )
        self._next += len(found)
        self._more = len(found) == limit or size >= _GULP_BYTES
        return found

    def lag(self) -> int:
        """Return how many messages were to be read yet behind those that were read last."""
        if not self._more:
            return 0
        with explained(self.directory):
            return bounds(self._file, self._number).end - self._next

    def wait(self, seconds: float) -> None:
        """Return when something was written to the log, or so many seconds later."""
        self._bell.wait(seconds)

    def close(self) -> None:
        """Give back what it holds."""
        self._bell.close()
        self._file.close()

    def _looked(self) -> int:
        """Return the first offset that is kept, where nothing was to be read."""
        if inode(self.directory) != self._inode:
            raise LogError(
                f"the log in {self.directory} was moved away while it was read: put it back, or "
                f"start afresh with another --recovery directory"
            )
        return bounds(self._file, self._number).first
