"""The file of an outbox, for its owner's eyes only: made, held by one process, opened, checked."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

from connectors.disk import DiskError, kept
from schemas.mendable import Mendable

FILE, LOCK = "outbox.sqlite3", "outbox.lock"
Durability = Literal["FULL", "OFF"]

_FORMAT = 1
_OURS = 0x7A9ED0B0
_PATIENCE_SECONDS = 30.0
_WAL_BYTES = 64 << 20
_TABLES = (
    "CREATE TABLE outbox (account TEXT NOT NULL, number INTEGER NOT NULL)",
    "CREATE TABLE asks (flow TEXT, run TEXT, market TEXT, number INTEGER, action TEXT, "
    "said TEXT NOT NULL, PRIMARY KEY (flow, run, market, number, action)) WITHOUT ROWID",
    "CREATE TABLE slips (id TEXT PRIMARY KEY, market TEXT NOT NULL, exchange_id TEXT NOT NULL, "
    "live INTEGER NOT NULL, sent INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID",
    "CREATE INDEX slips_there ON slips (exchange_id, market) WHERE exchange_id != ''",
    "CREATE INDEX slips_live ON slips (live) WHERE live",
    "CREATE INDEX slips_sent ON slips (sent)",
    "CREATE TABLE holdings (flow TEXT, run TEXT, market TEXT, position INTEGER, "
    "live INTEGER NOT NULL, body BLOB NOT NULL, "
    "PRIMARY KEY (flow, run, market, position)) WITHOUT ROWID",
    "CREATE INDEX holdings_live ON holdings (live) WHERE live",
    "CREATE TABLE deals (market TEXT, trade_id TEXT, side TEXT, slip TEXT NOT NULL, "
    "PRIMARY KEY (market, trade_id, side)) WITHOUT ROWID",
    "CREATE TABLE modes (flow TEXT, market TEXT, mode TEXT NOT NULL, why TEXT NOT NULL, "
    "PRIMARY KEY (flow, market)) WITHOUT ROWID",
    "CREATE TABLE baselines (market TEXT PRIMARY KEY, amount TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE results (quote TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE instruments (market TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE flows (flow TEXT, run TEXT, PRIMARY KEY (flow, run)) WITHOUT ROWID",
    "CREATE TABLE words (number INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    "CREATE TABLE offsets (partition TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE unread (partition TEXT, offset INTEGER, why TEXT NOT NULL, "
    "payload TEXT NOT NULL, PRIMARY KEY (partition, offset)) WITHOUT ROWID",
)


class OutboxError(Mendable, ValueError):
    """An outbox that cannot be used; its text says why, and what to do."""


def hold(directory: Path) -> IO[bytes]:
    """Make an outbox's directory, and return the right to write to it; closing it gives that back.

    Raises
    ------
    OutboxError
        When another process has it, or others may look into it.

    """
    with explained(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_ours(directory, "700")
        number = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        file = os.fdopen(number, "r+b", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise OutboxError(
                f"another executor uses the outbox in {directory}: one an account; stop that one"
            ) from None
    return file


def open_to_write(
    directory: Path, account: str, first: int, synchronous: Durability
) -> sqlite3.Connection:
    """Open an outbox, made if it is not there; only who holds it may.

    Parameters
    ----------
    directory
        Where it is.
    account
        Whose orders it keeps.
    first
        The number in front of a new one's first report.
    synchronous
        `FULL` for what `outbox_sync` makes durable; `OFF` for tests.

    """
    path = directory / FILE
    with explained(directory):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        _check_ours(path, "600")
        file = connect(directory)
        try:
            file.execute("PRAGMA journal_mode = WAL")
            # A commit waits for no disk, nor moves anything out of its log: see outbox_sync.
            file.execute(f"PRAGMA synchronous = {'NORMAL' if synchronous == 'FULL' else 'OFF'}")
            file.execute("PRAGMA wal_autocheckpoint = 0")
            file.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
            if not _made(file, directory):
                _make(file, account, first)
            _check_account(file, directory, account)
        except BaseException:
            file.close()
            raise
    return file


def open_to_read(directory: Path) -> sqlite3.Connection:
    """Open an outbox that another process may write; nothing can be changed through it."""
    path = directory / FILE
    if not path.exists():
        raise OutboxError(f"there is no outbox in {directory}: deck executor makes one")
    with explained(directory):
        file = connect(directory, "?mode=ro")
        try:
            made = _made(file, directory)
        except BaseException:
            file.close()
            raise
    if not made:
        file.close()
        raise OutboxError(f"the outbox in {directory} is not made yet: deck executor makes it")
    return file


def connect(directory: Path, mode: str = "") -> sqlite3.Connection:
    """Open an outbox's file as it is."""
    return sqlite3.connect(
        f"{(directory / FILE).absolute().as_uri()}{mode}", uri=True, isolation_level=None,
        check_same_thread=False, timeout=_PATIENCE_SECONDS,
    )  # fmt: skip


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn what goes wrong with an outbox's file into an error that says what to do."""
    try:
        with kept("the outbox", directory):
            yield
    except DiskError as error:
        raise OutboxError(str(error)) from error
    except sqlite3.Error as error:
        raise OutboxError(
            f"the outbox in {directory} cannot be used ({error}): look at the disk, and do not "
            f"remove it while anything is held"
        ) from error


def _check_ours(path: Path, right: str) -> None:
    found = path.stat()
    if found.st_uid != os.getuid():
        raise OutboxError(f"{path} belongs to another user (uid {found.st_uid}): keep it elsewhere")
    if found.st_mode & 0o077:
        raise OutboxError(f"others may use {path}: chmod {right} '{path}'")


def _made(file: sqlite3.Connection, directory: Path) -> bool:
    """Tell whether the file is an outbox, or empty."""
    ours: int = file.execute("PRAGMA application_id").fetchone()[0]
    written: int = file.execute("PRAGMA user_version").fetchone()[0]
    if not ours and not file.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return False
    if ours != _OURS:
        raise OutboxError(f"{directory / FILE} is another program's: move it away")
    if written != _FORMAT:
        raise OutboxError(
            f"the outbox in {directory} has format {written}, and this version knows {_FORMAT}: "
            f"use the version that made it until nothing is held"
        )
    return True


def _make(file: sqlite3.Connection, account: str, first: int) -> None:
    """Make the tables, whole or not at all."""
    file.execute("BEGIN IMMEDIATE")
    for table in _TABLES:
        file.execute(table)
    file.execute("INSERT INTO outbox VALUES (?, ?)", (account, first))
    file.execute(f"PRAGMA application_id = {_OURS}")
    file.execute(f"PRAGMA user_version = {_FORMAT}")
    file.execute("COMMIT")


def _check_account(file: sqlite3.Connection, directory: Path, account: str) -> None:
    found: str = file.execute("SELECT account FROM outbox").fetchone()[0]
    if found != account:
        raise OutboxError(
            f"the outbox in {directory} is of the account {found}, not {account}: each has its own"
        )
