"""How an embedded log forgets: oldest first, in small pieces between which appending goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from connectors.log_file import place
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
    file.execute("DELETE FROM clients WHERE seen < ?", (newest(file) - _CLIENT_NS,))
    return went > 0


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


def newest(file: sqlite3.Connection) -> Time:
    """Return when the last message was appended; 0 if there is none."""
    query = (
        "SELECT max(time) FROM partitions JOIN messages ON place = (number << 48 | end - 1) "
        "WHERE end > first"
    )
    return file.execute(query).fetchone()[0] or 0


def _oldest(file: sqlite3.Connection, free: Sequence[int]) -> tuple[int, int, int] | None:
    """Return the partition whose first message is the oldest: its number, first, and free end."""
    heads = []
    for number, first, end in file.execute("SELECT number, first, end FROM partitions").fetchall():
        if first < (limit := min(end, free[number])):
            query = "SELECT time FROM messages WHERE place = ?"
            (time,) = file.execute(query, (place(number, first),)).fetchone()
            heads.append((time, number, first, limit))
    return min(heads)[1:] if heads else None


def _spare(file: sqlite3.Connection) -> int:
    return max(_SPARE_PAGES, _pages(file, "page_count") // _SPARE_PART)


def _pages(file: sqlite3.Connection, what: str) -> int:
    found: int = file.execute(f"PRAGMA {what}").fetchone()[0]
    return found
