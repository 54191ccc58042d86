"""How an embedded log forgets: oldest first, in small pieces between which appending goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from connectors.log.file import place
from schemas import DAY, Time

_MESSAGES = 64
_PAGES = 500
_SPARE_PAGES, _SPARE_PART = 4096, 20
"""Free pages that stay in the file for what comes next: so many, and this part of it."""

_CLIENT_NS = 30 * DAY
_NEVER = (1 << 63) - 1


def take(
    file: sqlite3.Connection, horizon: Time, max_bytes: int | None, free: Sequence[int]
) -> bool:
    """Take some of the oldest messages, in a transaction of the caller's; whether any was.

    Parameters
    ----------
    file
        The log's.
    horizon
        Messages appended before it go.
    max_bytes
        Until no more than this is used, younger ones go, too.
    free
        By partition, the offset from which on nothing may go.

    """
    oldest = _oldest(file, free)
    if oldest is None:
        return False
    number, first, end = oldest
    too_much = max_bytes is not None and used(file) > max_bytes
    went = file.execute(
        "DELETE FROM messages WHERE place >= ? AND place < ? AND time < ?",
        (
            place(number, first),
            place(number, min(end, first + _MESSAGES)),
            _NEVER if too_much else horizon,
        ),
    ).rowcount
    file.execute("UPDATE partitions SET first = first + ? WHERE number = ?", (went, number))
    return went > 0


def forget(file: sqlite3.Connection, now: Time) -> None:
    """Forget clients that appended nothing for long, in a transaction of the caller's."""
    file.execute("DELETE FROM clients WHERE seen < ?", (now - _CLIENT_NS,))


def give_back(file: sqlite3.Connection) -> bool:
    """Give some free pages back to the file system, if there are many; whether it did."""
    if _pages(file, "freelist_count") <= _spare(file):
        return False
    # `execute` would take one step, which is one page.
    file.executescript(f"PRAGMA incremental_vacuum({_PAGES})")
    return True


def used(file: sqlite3.Connection) -> int:
    """Return the bytes of the file that are in use."""
    pages = _pages(file, "page_count") - _pages(file, "freelist_count")
    return pages * _pages(file, "page_size")


def oldest(file: sqlite3.Connection) -> Time | None:
    """Return when the oldest message that is kept was appended, if there is one."""
    return min(_times(file, last=False), default=None)


def newest(file: sqlite3.Connection) -> Time | None:
    """Return when the newest message that is kept was appended, if there is one."""
    return max(_times(file, last=True), default=None)


def _times(file: sqlite3.Connection, *, last: bool) -> list[Time]:
    """Return when the first or the last message of each partition was appended."""
    return [
        _time(file, number, end - 1 if last else first)
        for number, first, end in _partitions(file)
        if first < end
    ]


def _time(file: sqlite3.Connection, number: int, offset: int) -> Time:
    query = "SELECT time FROM messages WHERE place = ?"
    time: Time = file.execute(query, (place(number, offset),)).fetchone()[0]
    return time


def _oldest(file: sqlite3.Connection, free: Sequence[int]) -> tuple[int, int, int] | None:
    """Return the partition whose first message is the oldest: its number, first, and free end."""
    heads = [
        (_time(file, number, first), number, first, min(end, free[number]))
        for number, first, end in _partitions(file)
        if first < min(end, free[number])
    ]
    return min(heads)[1:] if heads else None


def _partitions(file: sqlite3.Connection) -> list[tuple[int, int, int]]:
    return file.execute("SELECT number, first, end FROM partitions").fetchall()


def _spare(file: sqlite3.Connection) -> int:
    return max(_SPARE_PAGES, _pages(file, "page_count") // _SPARE_PART)


def _pages(file: sqlite3.Connection, what: str) -> int:
    found: int = file.execute(f"PRAGMA {what}").fetchone()[0]
    return found
