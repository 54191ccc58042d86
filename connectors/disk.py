"""What goes wrong when files are kept on disk, told so that it can be mended."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.mendable import Mendable

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class DiskError(Mendable, OSError):
    """What must be kept cannot be; the text names the place and says what to do."""


@contextmanager
def kept(what: str, where: Path) -> Iterator[None]:
    """Turn an error of the file system into one that names what was to be kept, and where.

    Examples
    --------
    >>> with kept("events", Path("store")):
    ...     raise OSError(errno.ENOSPC, "")
    Traceback (most recent call last):
    connectors.disk.DiskError: store: the disk is full, events cannot be kept: free some space

    """
    try:
        yield
    except DiskError:
        raise
    except OSError as error:
        raise DiskError(f"{where}: {_remedy(what, error)}") from error


def sync(directory: Path) -> None:
    """Make the names in a directory durable, too."""
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _remedy(what: str, error: OSError) -> str:
    if error.errno in _FULL:
        return f"the disk is full, {what} cannot be kept: free some space"
    if error.errno == errno.EFBIG:
        return f"no file may grow further, {what} cannot be kept: raise the limit (ulimit -f)"
    if error.errno in _FORBIDDEN:
        return f"{what} may not be kept there: look who may write to it"
    return f"{what} cannot be kept: {error.strerror or error}"
