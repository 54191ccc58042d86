"""Backing up a home as one, while everything in it runs."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from connectors.disk import kept, sync
from infra.backup import note as backup_note
from infra.backup.note import HISTORY, HOME, BackupError, Note, Sum, sum_of
from infra.backup.parts import Piece, logs, pieces, stores
from infra.below import below
from infra.databases import copy_database
from infra.history.copy import copy
from infra.history.history import History
from infra.recovery.layout import RUN
from infra.settings import Settings

_SPARE = 1.1


@dataclass(frozen=True)
class Saved:
    """What a backup has got."""

    note: Note
    parts: dict[str, int]
    """Bytes of each."""


def back_up(settings: Settings, to: Path) -> Saved:
    """Copy logs, stores, outboxes and history into a directory that is not there yet.

    It is `to` only when it is whole; what is there of a try that failed is `to` with `.partial`.

    Raises
    ------
    BackupError
        When it cannot be made.
    HistoryError
        When history cannot be copied.

    """
    place = to.absolute()
    _check(settings.home, place)
    partial = place.with_name(f"{place.name}.partial")
    with kept("the backup", partial):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
    made = time.time_ns()
    copier = _Copier(settings.home, partial)
    for piece in pieces(settings.home):
        copier.take(piece)
    copier.check_stores()
    where = _history(settings, copier)
    for piece in logs(settings.home):
        copier.take(piece)
    package = version("tapedeck")
    note = Note(made, str(settings.home), package, version("chdb"), where, copier.files)
    backup_note.save(partial, note)
    with kept("the backup", place):
        partial.rename(place)
        sync(place.parent)
    return Saved(note, dict(copier.parts))


class _Copier:
    """Copies pieces, durably, and keeps what tells that they are whole."""

    def __init__(self, home: Path, to: Path) -> None:
        self._home, self.to = home, to
        self.files: dict[str, Sum] = {}
        self.parts: Counter[str] = Counter()

    def take(self, piece: Piece) -> None:
        """Copy a file."""
        to = self.to / HOME / piece.path.relative_to(self._home)
        if str(to.relative_to(self.to)) in self.files:
            return
        try:
            with kept("the backup", to):
                _make(to.parent)
                (copy_database if piece.database else _copy)(piece.path, to)
        except OSError as error:
            if piece.passing and not piece.path.exists():
                to.unlink(missing_ok=True)
                return
            raise BackupError(f"{piece.path} cannot be copied: {error}") from error
        self.note(to, piece.part)

    def note(self, path: Path, part: str) -> None:
        """Keep what tells that a file is whole."""
        found = self.files[str(path.relative_to(self.to))] = sum_of(path)
        self.parts[part] += found.bytes

    def check_stores(self) -> None:
        """See that no store was made anew, or for other processes, while it was copied."""
        for store in stores(self._home):
            here = store / RUN
            there = self.to / HOME / here.relative_to(self._home)
            if there.exists() and there.read_bytes() != here.read_bytes():
                raise BackupError(f"{store} was changed while it was copied: back up again")


def _check(home: Path, to: Path) -> None:
    """See that a backup can be made there, before it takes long."""
    if not home.is_dir():
        raise BackupError(f"there is nothing in {home} to back up: is TAPEDECK_HOME right?")
    if to.exists():
        raise BackupError(f"{to} is there already: name a directory that is not")
    if not to.parent.is_dir():
        raise BackupError(f"there is no directory {to.parent}: make it")
    if to.is_relative_to(home):
        raise BackupError(f"{to} is in {home}, and would be lost with it: put it elsewhere")
    needed = int(_SPARE * sum(_size(path) for path in home.iterdir()))
    free = shutil.disk_usage(to.parent).free
    if needed > free:
        raise BackupError(
            f"{to.parent} has {free / 1e9:,.1f} GB free, and up to {needed / 1e9:,.1f} GB are "
            f"needed: free some space, or put it elsewhere"
        )


def _size(path: Path) -> int:
    total = 0
    for found in [path, *below(path)]:
        with suppress(FileNotFoundError):
            total += found.lstat().st_size
    return total


def _copy(path: Path, to: Path) -> None:
    with path.open("rb") as source, to.open("wb") as target:
        to.chmod(0o600)
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())


def _history(settings: Settings, copier: _Copier) -> str:
    """Copy history, or say where it is."""
    if settings.clickhouse_url:
        return "elsewhere"
    history = History(settings)
    if not history.home.path.exists():
        return "none"
    to = copier.to / HISTORY
    copy(history, to)
    for path in sorted(to.rglob("*")):
        if path.is_file():
            copier.note(path, "history")
    return "here"


def _make(directory: Path) -> None:
    """Make a directory and those above it for its user alone: a restore makes them the same."""
    if not directory.is_dir():
        _make(directory.parent)
        directory.mkdir(mode=0o700)
