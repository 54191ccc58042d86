"""Putting a backup back, into a home where nothing is."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import closing
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from connectors.blotter.modes import Mode, Scope
from connectors.disk import kept, sync
from connectors.outbox.file import FILE as OUTBOX
from connectors.outbox.outbox import Outbox, OutboxView
from infra.backup import note as backup_note
from infra.backup.note import HISTORY, HOME, BackupError, Note
from infra.history.copy import put_back
from infra.settings import Settings
from schemas import SECOND


def restore(settings: Settings, directory: Path) -> Note:
    """Put a backup back, whole or not at all.

    Accounts take no entries until a person says so: the exchange went on without their outboxes.

    Raises
    ------
    BackupError
        When the backup is not whole, or the home is not empty.
    HistoryError
        When history's copy cannot be read.

    """
    home = settings.home
    _check_owner(directory)
    _check_empty(home)
    note = backup_note.load(directory)
    _check_version(note)
    partial = home.with_name(f"{home.name}.partial")
    with kept("what is restored", partial):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700, parents=True)
        if (directory / HOME).exists():
            shutil.copytree(directory / HOME, partial, dirs_exist_ok=True)
    if note.history == "here":
        put_back((directory / HISTORY).absolute(), partial / "history")
    for outbox in sorted(partial.glob(f"executor/*/{OUTBOX}")):
        _halt(outbox.parent, note)
    with kept("what is restored", home):
        if home.exists():
            home.rmdir()
        partial.rename(home)
        sync(home.parent)
    return note


def when(note: Note) -> str:
    """Return when a backup was made, as people write it."""
    return f"{datetime.fromtimestamp(note.made // SECOND, timezone.utc):%Y-%m-%d %H:%M} UTC"


def _halt(directory: Path, note: Note) -> None:
    """Let an account enter nothing until a person resumes it."""
    with closing(OutboxView(directory)) as view:
        account = view.account
    why = f"restored from a backup of {when(note)}: see docs/backup.md, then deck resume --all"
    with closing(Outbox(directory, account)) as outbox, outbox.whole():
        outbox.put_mode(Scope("", ""), Mode("halted", why))
        outbox.put_first(time.time_ns())
        outbox.sync()


def _check_owner(directory: Path) -> None:
    if not directory.is_dir():
        raise BackupError(f"there is no backup in {directory}: check the path")
    found = directory.stat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise BackupError(
            f"{directory} is open to others, and stores in it are run as code: chmod 700 it, if "
            f"you trust what is there"
        )


def _check_empty(home: Path) -> None:
    if home.exists() and any(home.iterdir()):
        raise BackupError(
            f"{home} is not empty: set TAPEDECK_HOME to a directory that is not there yet, or "
            f"move what is there away; accounts.ini can be put back behind it"
        )


def _check_version(note: Note) -> None:
    ours = version("chdb")
    if note.history == "here" and _numbers(note.chdb) > _numbers(ours):
        raise BackupError(
            f"its history was written by chDB {note.chdb}, and {ours} is installed: install the "
            f"newer one"
        )


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(".") if part.isdigit()]
