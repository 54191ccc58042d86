"""Who writes to an embedded log: one process, which holds a lock on a note about itself."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from connectors.log.file import explained
from connectors.log.log import LogError
from schemas import Time

NOTE = "writer.json"
_LOOKS, _LOOK_SECONDS = 20, 0.05


class Holder(NamedTuple):
    """What the process that writes says of itself."""

    pid: int
    since: Time


class Hold:
    """The right to write to a log; however its holder ends, it is free again.

    Parameters
    ----------
    directory
        The log's.

    Raises
    ------
    LogError
        When another process, or another part of this one, has it.

    """

    def __init__(self, directory: Path) -> None:
        with explained(directory):
            note = os.open(directory / NOTE, os.O_RDWR | os.O_CREAT, 0o600)
            self._file = os.fdopen(note, "r+b", buffering=0)
            try:
                self._take(directory)
                self._tell()
            except BaseException:
                self._file.close()
                raise

    def _take(self, directory: Path) -> None:
        # Whoever looks whether one writes holds the lock for a moment.
        for _ in range(_LOOKS):
            with suppress(BlockingIOError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(_LOOK_SECONDS)
        other = holder(directory)
        who = f"process {other.pid}" if other else "another process"
        raise LogError(f"{who} writes to the log in {directory}: one at a time; hand yours to it")

    def _tell(self) -> None:
        text = json.dumps(Holder(os.getpid(), time.time_ns())._asdict()).encode()
        self._file.write(text)
        self._file.truncate()

    def close(self) -> None:
        """Let others have it."""
        self._file.close()


def holder(directory: Path) -> Holder | None:
    """Return who writes to a log; a note left behind by a dead process is nobody's."""
    with suppress(FileNotFoundError, NotADirectoryError), (directory / NOTE).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _read(file.read())
    return None


def _read(note: bytes) -> Holder:
    try:
        return Holder(**json.loads(note))
    except ValueError:  # half written
        return Holder(0, 0)
