"""The SQLite file of an embedded log, for its owner's eyes only: made, opened and checked."""

from __future__ import annotations

import os
import secrets
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.disk import DiskError, kept
from connectors.log.log import Bounds, LogError

FILE = "market.sqlite3"
PARTITIONS = 8
"""How many a new log has."""

_OFFSET_BITS = 48

_FORMAT = 1
_OURS = 0x7A9EDECC
_PATIENCE_SECONDS = 30.0
_WAL_PAGES, _WAL_BYTES = 4096, 64 << 20
_TABLES = (
    "CREATE TABLE log (id TEXT NOT NULL)",
    "CREATE TABLE partitions "
    "(number INTEGER PRIMARY KEY, first INTEGER NOT NULL, end INTEGER NOT NULL)",
    "CREATE TABLE messages (place INTEGER PRIMARY KEY, "
    "market TEXT NOT NULL, time INTEGER NOT NULL, message BLOB NOT NULL)",
    "CREATE TABLE clients "
    "(id BLOB PRIMARY KEY, last INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID",
)


def place(partition: int, offset: int) -> int:
    """Return where a message is: one key for both, so that one tree holds all, in order.

    Examples
    --------
    >>> offset_of(place(3, 17))
    17

    """
    return partition << _OFFSET_BITS | offset


def offset_of(at: int) -> int:
    """Return the offset of a message that is there."""
    return at & (1 << _OFFSET_BITS) - 1


def names(file: sqlite3.Connection) -> list[str]:
    """Return the names of a log's partitions; no other log, not even a later one, has the same."""
    rows = file.execute("SELECT id || '/' || number FROM log, partitions ORDER BY number")
    return [name for (name,) in rows]


def bounds(file: sqlite3.Connection, number: int) -> Bounds:
    """Return what a partition keeps."""
    query = "SELECT first, end FROM partitions WHERE number = ?"
    return Bounds(*file.execute(query, (number,)).fetchone())


def open_to_read(directory: Path) -> sqlite3.Connection:
    """Open a log's file; nothing can be changed through it.

    Raises
    ------
    LogError
        When there is none that this version can read.

    """
    path = directory / FILE
    with explained(directory):
        if not path.exists():
            raise LogError(f"there is no log in {directory}: deck log start makes one")
        file = _connect(f"{path.absolute().as_uri()}?mode=ro")
        try:
            made = _is_log(file, directory)
        except BaseException:
            file.close()
            raise
    if not made:
        file.close()
        raise LogError(f"the log in {directory} is not made yet: deck log start")
    return file


def inode(directory: Path) -> int | None:
    """Return what tells a log's file from another one made in its place; None if there is none."""
    try:
        return (directory / FILE).stat().st_ino
    except FileNotFoundError:
        return None


def open_to_write(directory: Path, partitions: int | None) -> sqlite3.Connection:
    """Open a log's file, made if it is not there; only who holds the log may.

    Parameters
    ----------
    directory
        The log's.
    partitions
        How many it must have; None takes what it has, or `PARTITIONS`.

    """
    path = directory / FILE
    with explained(directory):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        check_ours(path)
        file = _connect(path.absolute().as_uri())
        try:
            file.execute("PRAGMA auto_vacuum = INCREMENTAL")
            file.execute("PRAGMA journal_mode = WAL")
            # A commit is shown to readers behind its fsync: SQLite writes the index of its
            # write-ahead log last.
            file.execute("PRAGMA synchronous = FULL")
            file.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
            file.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
            if not _is_log(file, directory):
                _make(file, partitions or PARTITIONS)
            _check_partitions(file, directory, partitions)
        except BaseException:
            file.close()
            raise
    return file


def prepare(directory: Path) -> None:
    """Make a log's directory, or check that it is only ours."""
    with explained(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_ours(directory)


def check_ours(path: Path) -> None:
    """Refuse what others could read or have put there."""
    found = path.stat()
    if found.st_uid != os.getuid():
        raise LogError(
            f"{path} belongs to another user (uid {found.st_uid}): keep the log elsewhere"
        )
    if found.st_mode & 0o077:
        right = "700" if path.is_dir() else "600"
        mode = stat.filemode(found.st_mode)
        raise LogError(f"others may use {path} ({mode}): chmod {right} '{path}'")


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn what goes wrong with a log's files into an error that says what to do."""
    try:
        with kept("the log", directory):
            yield
    except DiskError as error:
        raise LogError(str(error)) from error
    except sqlite3.Error as error:
        raise LogError(f"{directory}: {_remedy(str(error))}") from error


def _remedy(said: str) -> str:
    if "full" in said:
        return "the disk is full, nothing more can be kept: free some space"
    if "malformed" in said or "not a database" in said or "no such" in said:
        return f"the log is damaged, or none ({said}): put back a copy, or move it away"
    if "unable to open" in said or "readonly" in said:
        return f"the log cannot be opened ({said}): look who may read and write it"
    return f"the log cannot be used ({said}): look at the disk"


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, isolation_level=None, check_same_thread=False, timeout=_PATIENCE_SECONDS
    )


def _is_log(file: sqlite3.Connection, directory: Path) -> bool:
    """Tell whether the file is a log, or empty."""
    ours: int = file.execute("PRAGMA application_id").fetchone()[0]
    written: int = file.execute("PRAGMA user_version").fetchone()[0]
    if not ours and not file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return False
    if ours != _OURS:
        raise LogError(f"{directory / FILE} is another program's: move it away")
    if written > _FORMAT:
        raise LogError(
            f"the log in {directory} has format {written}, and this version knows {_FORMAT}: "
            f"use the newer version, or keep another log elsewhere"
        )
    return True


def _make(file: sqlite3.Connection, partitions: int) -> None:
    """Make the tables, whole or not at all."""
    file.execute("BEGIN IMMEDIATE")
    for table in _TABLES:
        file.execute(table)
    file.execute("INSERT INTO log VALUES (?)", (secrets.token_hex(8),))
    file.executemany(
        "INSERT INTO partitions VALUES (?, 0, 0)", [(number,) for number in range(partitions)]
    )
    file.execute(f"PRAGMA application_id = {_OURS}")
    file.execute(f"PRAGMA user_version = {_FORMAT}")
    file.execute("COMMIT")


def _check_partitions(file: sqlite3.Connection, directory: Path, wanted: int | None) -> None:
    found: int = file.execute("SELECT count(*) FROM partitions").fetchone()[0]
    if wanted not in {None, found}:
        raise LogError(
            f"the log in {directory} has {found} partitions, and {wanted} are wanted: their number "
            f"is for good, keep another log elsewhere"
        )
