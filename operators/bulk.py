"""Large parts of a state: kept once, on a shelf beside the snapshots that hold them."""

from __future__ import annotations

import copyreg
import io
import pickle
from collections import deque
from collections.abc import Callable
from typing import Protocol, TypeAlias

LARGE = 1 << 17
"""Bytes from which on it pays to keep something apart: a snapshot is made each second."""
_LATEST = 3
"""A run goes on from its last finished snapshot: what older ones held is not needed any more."""


class Shelf(Protocol):
    """Keeps bytes under names of its own; what is put there twice has two of them."""

    def put(self, content: bytes) -> str:
        """Keep something for good, and return its name."""
        ...

    def get(self, name: str) -> bytes:
        """Return what was put there, as it was."""
        ...

    def drop(self, name: str) -> None:
        """Keep it no longer."""
        ...


class Bulk:
    """Bytes that never change, such as a model as it was an hour ago.

    Parameters
    ----------
    content
        The bytes.

    """

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content


_Names: TypeAlias = dict[int, tuple[Bulk, str]]
"""What is on the shelf already, by the object's id."""


class Keeping:
    """Keeps the state of one machine, again and again.

    Parameters
    ----------
    shelf
        Takes what is large; without one it is kept with all else.

    Examples
    --------
    >>> keeping = Keeping(None)
    >>> keeping.opened(keeping.kept({"a": 1}))
    {'a': 1}

    """

    def __init__(self, shelf: Shelf | None) -> None:
        self._shelf = shelf
        self._names: _Names = {}
        self._latest: deque[set[str]] = deque(maxlen=_LATEST)

    def kept(self, state: object) -> bytes:
        """Return a state as bytes."""
        file = io.BytesIO()
        pickler = pickle.Pickler(file)
        before, self._names = self._names, {}
        if self._shelf is not None:
            shelf = self._shelf

            def reduced(bulk: Bulk) -> tuple[Callable[[str], Bulk], tuple[str]]:
                known = before.get(id(bulk)) or (bulk, shelf.put(bulk.content))
                self._names[id(bulk)] = known
                return on_shelf, (known[1],)

            pickler.dispatch_table = {**copyreg.dispatch_table, Bulk: reduced}
        pickler.dump(state)
        self._tidy()
        return file.getvalue()

    def opened(self, content: bytes) -> object:
        """Return a state that was kept."""
        opening = _Opening(content, self._shelf)
        state: object = opening.load()
        self._names = opening.names
        self._tidy()
        return state

    def _tidy(self) -> None:
        """Drop what none of the latest snapshots holds."""
        names = {name for _, name in self._names.values()}
        if self._shelf is None or (self._latest and names == self._latest[-1]):
            return
        oldest = self._latest[0] if len(self._latest) == _LATEST else set[str]()
        self._latest.append(names)
        for name in oldest.difference(*self._latest):
            self._shelf.drop(name)


class _Opening(pickle.Unpickler):
    """Reads a state, and from the shelf what is not in it."""

    def __init__(self, content: bytes, shelf: Shelf | None) -> None:
        super().__init__(io.BytesIO(content))
        self._shelf = shelf
        self.names: _Names = {}

    def find_class(self, module_name: str, global_name: str) -> object:
        if self._shelf is not None and (module_name, global_name) == _ON_SHELF:
            return self._fetched
        return super().find_class(module_name, global_name)

    def _fetched(self, name: str) -> Bulk:
        assert self._shelf is not None  # noqa: S101 - as above
        bulk = Bulk(self._shelf.get(name))
        self.names[id(bulk)] = bulk, name
        return bulk


def on_shelf(name: str) -> Bulk:
    """Stand in a state for something that is on a shelf, which whoever reads the state must have.

    Raises
    ------
    LookupError
        Always.

    """
    msg = f"{name} is kept beside its state: read that with the shelf"
    raise LookupError(msg)


_ON_SHELF = (__name__, on_shelf.__name__)
