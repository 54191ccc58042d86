"""A directory for what is too large for a snapshot: each thing a file, written once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from connectors.disk import kept, sync
from schemas.mendable import Mendable

_NAME = re.compile(rb"large-[0-9a-f]{32}-[0-9a-f]{32}")


class ShelfError(Mendable, ValueError):
    """Something on the shelf is gone or damaged; the text says what, and what to do."""


class Shelf:
    """Keeps bytes in files; whoever has been told a name finds them there after any crash.

    Parameters
    ----------
    directory
        Where they are; it is made when there is something to keep.

    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, content: bytes) -> str:
        """Keep something for good, and return its name.

        Raises
        ------
        DiskError
            When the disk does not take it.

        """
        name = f"large-{_sum(content)}-{uuid.uuid4().hex}"
        path = self._directory / name
        partial = path.with_suffix(".partial")
        with kept("a large model", path):
            self._directory.mkdir(mode=0o700, exist_ok=True)
            partial.touch(mode=0o600)
            partial.write_bytes(content)
            sync(partial)
            partial.rename(path)
            sync(self._directory)
        return name

    def get(self, name: str) -> bytes:
        """Return what was put there, as it was.

        Raises
        ------
        ShelfError
            When it is gone, or something else now.

        """
        path = self._directory / name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ShelfError(_missing(path)) from error
        if _sum(content) != name.split("-")[1]:
            msg = f"{path} is damaged: put back the whole directory"
            raise ShelfError(msg)
        return content

    def drop(self, name: str) -> None:
        """Keep it no longer."""
        with suppress(OSError):  # what is left is removed when nobody is at work
            (self._directory / name).unlink()

    def tidy(self, states: Iterable[bytes]) -> None:
        """Keep only what these states hold; nobody is at work with it.

        Raises
        ------
        ShelfError
            When something of it is missing.

        """
        held = set(names(states))
        for name in sorted(held):
            if not (self._directory / name).exists():
                raise ShelfError(_missing(self._directory / name))
        if self._directory.exists():
            for path in self._directory.iterdir():
                if path.name not in held:
                    path.unlink()


def names(states: Iterable[bytes]) -> Iterator[str]:
    """Yield what states hold on a shelf.

    Examples
    --------
    >>> [*names([b"a state that holds nothing"])]
    []

    """
    for state in states:
        yield from (found.decode() for found in _NAME.findall(state))


def _sum(content: bytes) -> str:
    return blake2b(content, digest_size=16).hexdigest()


def _missing(path: Path) -> str:
    return f"{path} is missing: put back the whole directory"
