"""A recovery store: what a run needs to go on after it was stopped or killed."""

from __future__ import annotations

import fcntl
import os
import platform
import uuid
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import IO

import orjson
from bytewax.recovery import init_db_dir

_FILE = "run.json"
_FORMAT = 1


class StoreError(ValueError):
    """A recovery store that does not fit; its text names the choices."""


@dataclass(frozen=True)
class Identity:
    """What a store belongs to. What differs later is refused."""

    format: int
    flow: str
    run: str
    processes: int
    events: bool
    """Whether derived events are kept for `--events`."""
    history: bool
    python: str
    bytewax: str
    river: str


class Store:
    """A directory with the snapshots of each process, and what they belong to.

    It holds pickles, that is code: only its owner may read or write it.

    Parameters
    ----------
    directory
        Where it is, or will be made.
    flow, processes, events, history
        What the run that uses it is like.

    Raises
    ------
    StoreError
        When it belongs to another flow or form of run, is used by another process, or is open to
        other users of this machine.

    """

    def __init__(
        self, directory: Path, flow: str, processes: int, *, events: bool, history: bool
    ) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._check_owner()
        self._lock = self._locked()
        wanted = Identity(
            _FORMAT, flow, uuid.uuid4().hex, processes, events, history,
            ".".join(platform.python_version_tuple()[:2]), version("bytewax"), version("river"),
        )  # fmt: skip
        self.resumed = (directory / _FILE).exists()
        self.identity = self._read(wanted) if self.resumed else wanted
        if not self.resumed:
            self._begin()

    def process(self, number: int) -> Path:
        """Return the directory of one process."""
        return self.directory / str(number)

    def close(self) -> None:
        """Let others use it."""
        self._lock.close()

    def _begin(self) -> None:
        for number in range(self.identity.processes):
            snapshots = self.process(number) / "snapshots"
            if not snapshots.exists():
                snapshots.mkdir(parents=True, mode=0o700)
                init_db_dir(snapshots, 1)
        partial = self.directory / f"{_FILE}.partial"
        partial.write_bytes(orjson.dumps(asdict(self.identity), option=orjson.OPT_INDENT_2))
        partial.rename(self.directory / _FILE)

    def _read(self, wanted: Identity) -> Identity:
        try:
            kept = Identity(**orjson.loads((self.directory / _FILE).read_bytes()))
        except (orjson.JSONDecodeError, TypeError) as error:
            msg = f"{self.directory / _FILE} cannot be read ({error}): {_AFRESH}"
            raise StoreError(msg) from error
        for field in fields(Identity):
            was, is_ = getattr(kept, field.name), getattr(wanted, field.name)
            if field.name != "run" and was != is_:
                msg = (
                    f"{self.directory} was made with {field.name} {was}, this run has {is_}: "
                    f"use {was}, or {_AFRESH}"
                )
                raise StoreError(msg)
        return kept

    def _check_owner(self) -> None:
        status = self.directory.stat()
        if status.st_uid != os.getuid() or status.st_mode & 0o022:
            msg = (
                f"{self.directory} can be written by others, and what is in it is run as code: "
                f"chmod 700 it, if you trust what is there, or {_AFRESH}"
            )
            raise StoreError(msg)

    def _locked(self) -> IO[str]:
        lock = (self.directory / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            msg = f"{self.directory} is used by another run: wait for it, stop it, or {_AFRESH}"
            raise StoreError(msg) from None
        return lock


_AFRESH = "start afresh with another --recovery directory"
