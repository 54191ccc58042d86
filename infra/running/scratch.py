"""Where runs without a recovery store keep their files, and what earlier ones left there."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from connectors.disk import kept
from connectors.history.clickhouse import Connect, move
from connectors.history.journal import Entry, waiting
from infra.lock import Busy, Lock

_LOCK = "lock"


def journals(directory: Path) -> list[Path]:
    """Return the journals of a run: its own, and those of its processes."""
    return [directory / "journal", *sorted(directory.glob("*/journal"))]


@contextmanager
def scratch(home: Path) -> Iterator[tuple[str, Path]]:
    """Give a new run its id and a directory, which goes when nothing waits for history in it.

    Parameters
    ----------
    home
        Where everything local is kept.

    """
    run = uuid.uuid4().hex
    runs = home / "runs"
    with kept("a run's files", runs):
        made = runs / f".{run}"
        made.mkdir(parents=True, mode=0o700)
        lock = Lock(made / _LOCK)
        directory = made.rename(runs / run)  # only now may others look for what was left
    try:
        yield run, directory
    finally:
        _tidy(directory)
        lock.close()


def drain(home: Path, connect: Connect) -> tuple[int, dict[str, str]]:
    """Move what earlier runs left behind into history, and remove what they do not need.

    A run that is still at work is left alone.

    Parameters
    ----------
    home
        Where everything local is kept.
    connect
        Returns a client that may write.

    Returns
    -------
    How many blocks of rows went in, and which were refused, with why.

    """
    moved, refused = 0, dict[str, str]()
    for directory in sorted((home / "runs").glob("*")):
        with suppress(Busy, FileNotFoundError), _alone(directory):
            entries = _entries(directory)
            for entry, why in move(connect(), entries) if entries else ():
                moved += why is None
                if why is not None:
                    refused[str(entry.path)] = why
            _tidy(directory)
    return moved, refused


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Hold the locks of a run and of its processes."""
    with ExitStack() as held:
        for path in (directory, *directory.glob("[0-9]*")):
            held.callback(Lock(path / _LOCK).close)
        yield


def _entries(directory: Path) -> list[Entry]:
    return [entry for journal in journals(directory) for entry in waiting(journal)]


def left_in(directory: Path) -> str | None:
    """Say what a run's journals still hold, if they do."""
    left = len(_entries(directory))
    return f"{left} blocks of rows were not taken" if left else None


def _tidy(directory: Path) -> None:
    """Remove what nobody needs any more."""
    if not _entries(directory):
        shutil.rmtree(directory, ignore_errors=True)
        return
    for events in directory.glob("*/events"):
        shutil.rmtree(events, ignore_errors=True)
