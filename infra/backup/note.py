"""What stands in a backup beside its files: what they are, and how to tell that they are whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import orjson

from connectors.disk import kept, sync
from schemas import Time
from schemas.mendable import Mendable

FILE = "backup.json"
HOME, HISTORY = "home", "history"
"""The directories of a backup: files as they stood in the home, and history's own copy."""

_FORMAT = 1
_PIECE = 1 << 20


class BackupError(Mendable, ValueError):
    """A backup that cannot be made or used; its text says why, and what to do."""


@dataclass(frozen=True)
class Sum:
    """What tells that a file is whole."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Note:
    """What a backup is.

    Parameters
    ----------
    made
        When it was begun.
    home
        What it is of.
    version, chdb
        Of Tapedeck, and of the embedded history.
    history
        `here`, `none`, or `elsewhere`: where another server keeps it.
    files
        By their path in it.

    """

    made: Time
    home: str
    version: str
    chdb: str
    history: str
    files: Mapping[str, Sum] = field(default_factory=dict)


def sum_of(path: Path) -> Sum:
    """Return what tells that a file is whole."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return Sum(size, digest.hexdigest())


def save(directory: Path, note: Note) -> None:
    """Write the note of a backup: the last of its files."""
    path = directory / FILE
    body = {"format": _FORMAT, **asdict(note)}
    with kept("the backup", path):
        path.write_bytes(orjson.dumps(body, option=orjson.OPT_INDENT_2))
        sync(directory)


def load(directory: Path) -> Note:
    """Return the note of a backup, when each of its files is there as it was written.

    Raises
    ------
    BackupError
        When it is none, is of a later version, or is not whole.

    """
    path = directory / FILE
    if not path.exists():
        raise BackupError(f"{directory} is no whole backup, {FILE} is not in it: take another")
    try:
        body = orjson.loads(path.read_bytes())
        if body.pop("format") != _FORMAT:
            raise BackupError(f"{directory} is a later Tapedeck's: restore it with that")
        files = {name: Sum(**found) for name, found in body.pop("files").items()}
        note = Note(**body, files=files)
    except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError) as error:
        raise BackupError(f"{path} is damaged ({error}): take another backup") from error
    _check(directory, note)
    return note


def _check(directory: Path, note: Note) -> None:
    here = {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}
    for name in sorted(here - note.files.keys() - {FILE}):
        raise BackupError(f"{directory / name} is not of this backup: move it away")
    for name, expected in note.files.items():
        if name not in here:
            raise BackupError(f"{directory / name} is missing: take another backup")
        if sum_of(directory / name) != expected:
            raise BackupError(f"{directory / name} was changed or is damaged: take another backup")
