"""The files of the embedded history, for its owner's eyes only, and whether its server runs."""

import errno
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import typer

from infra.below import below
from infra.history.guard import Role
from schemas.mendable import Mendable

DATABASE = "tapedeck"
DATA, LOG, STATE, USERS, VERSION = "data", "server.log", "server.json", "users.json", "chdb"
"""The files of a history's home. Its server holds a lock on `STATE` for as long as it lives."""

COPY = "/copy"
"""Where its server takes the order to copy all there is."""

DRAIN = 20.0
"""Seconds a stop waits for the statements under way; then they are killed."""

FINAL = {
    "do_not_merge_across_partitions_select_final": 1,
    "use_skip_indexes_if_final_exact_mode": 0,
}
"""What lets FINAL read only the stretch of time that is asked for. Rows of one id are alike, their
time too: what is left out cannot be a newer one of what is read."""

ROLES: tuple[Role, ...] = ("reader", "writer", "owner")


class HistoryError(Mendable):
    """History cannot be used; the text says why, and what to do."""


@dataclass(frozen=True)
class Running:
    """What a server says of itself; without a port it is still starting, or stopping."""

    pid: int
    port: int | None = None
    since: int = 0
    version: str = ""


class Home:
    """One history's directory.

    Parameters
    ----------
    path
        The directory; made when first needed, with mode 0700.

    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make the directory, or check that it is only ours."""
        with explained(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_ours(self.path)

    def make_users(self) -> None:
        """Make the users' passwords, or check that they are only ours; in our turn."""
        users = self.path / USERS
        with explained(self.path):
            if not users.exists():
                made = {role: secrets.token_urlsafe(24) for role in ROLES}
                part = users.with_suffix(".part")
                part.unlink(missing_ok=True)  # of one that was killed here
                new = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(new, "w") as file:
                    json.dump(made, file)
                part.replace(users)
            _check_ours(users)

    def password(self, role: Role) -> str:
        """Return the password of a role."""
        users = self.path / USERS
        with explained(self.path):
            _check_ours(users)
            return str(json.loads(users.read_text())[role])

    def running(self) -> Running | None:
        """Return the server that holds the files; a note left behind by a dead one is none."""
        try:
            with (self.path / STATE).open("rb+") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return _running(file.read())
        except (FileNotFoundError, NotADirectoryError):
            pass
        return None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for our turn to start, stop or migrate."""
        note = self.path / "turn"
        with explained(self.path):
            note.touch(mode=0o600)
            file = note.open()
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def size(self) -> int:
        """Return the bytes of all files."""
        total = 0
        for path in below(self.path):
            with suppress(FileNotFoundError):  # parts are merged while we look
                total += path.lstat().st_size
        return total


@contextmanager
def told() -> Iterator[None]:
    """Tell the user of a command what is wrong, without a traceback, and end it."""
    try:
        yield
    except HistoryError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an error of the file system into one that says what to do."""
    try:
        yield
    except OSError as error:
        raise HistoryError(_remedy(path, error)) from error


def _remedy(path: Path, error: OSError) -> str:
    elsewhere = "or keep it elsewhere: TAPEDECK_HOME=DIRECTORY"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return f"the disk is full at {path}: free some space, {elsewhere}"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"history may not write to {path}: allow it, {elsewhere}"
    if error.errno in {errno.ENOTDIR, errno.EEXIST}:
        return (
            f"{path} is in the way, or below something that is no directory: move it, {elsewhere}"
        )
    return f"history cannot use {path}: {error.strerror or error}"


def _check_ours(path: Path) -> None:
    """Refuse what others could read or have put there."""
    found = path.stat()
    if found.st_uid != os.getuid():
        raise HistoryError(
            f"{path} belongs to another user (uid {found.st_uid}): "
            f"remove it, or set TAPEDECK_HOME to a directory of yours"
        )
    if found.st_mode & 0o077:
        mode = stat.filemode(found.st_mode)
        right = "700" if path.is_dir() else "600"
        raise HistoryError(f"others may use {path} ({mode}): chmod {right} '{path}'")


def _running(note: bytes) -> Running:
    try:
        return Running(**json.loads(note))
    except ValueError:  # half written
        return Running(pid=0)
