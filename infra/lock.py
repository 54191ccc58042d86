"""A lock that a process holds for as long as it lives."""

from __future__ import annotations

import fcntl
from pathlib import Path


class Busy(Exception):
    """Another process holds the lock."""


class Lock:
    """A lock on a file. However its holder ends, it is free again.

    Parameters
    ----------
    path
        The file; it stays behind.

    Raises
    ------
    Busy
        When another holds it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     held = Lock(Path(place, "lock"))
    ...     try:
    ...         Lock(Path(place, "lock"))
    ...     except Busy:
    ...         held.close()
    ...     Lock(Path(place, "lock")).close()

    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise Busy(str(path)) from None

    def close(self) -> None:
        """Let others have it."""
        self._file.close()
