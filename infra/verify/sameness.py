"""Whether two kept states are the same, and where they first differ if they are not.

The bytes of two pickles differ where the same text is one object here and two there. So states are
compared by what they hold: type by type, value by value, to the last bit of each number.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from types import BuiltinFunctionType, FunctionType
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from operators.taught import Taught

_PLAIN = (type(None), bool, int, float, complex, str, bytes, Decimal)
_NAMED = (type, FunctionType, BuiltinFunctionType)
_SHOWN = 60
_NO_SEED = object()
_DRAWS = "_rng"
_PROTOCOL = 4

Parts: TypeAlias = "list[tuple[str, object]]"


class Spot(NamedTuple):
    """Where two states differ first."""

    path: str
    ours: str
    theirs: str


class Sameness:
    """Reckons what states hold, each object once.

    Examples
    --------
    >>> same = Sameness()
    >>> same.digest({"a": [1.0, "x"]}) == same.digest({"a": [1.0, "x"]})
    True
    >>> same.spot({"a": [1.0, "x"]}, {"a": [1.0, "y"]})
    Spot(path="['a'][1]", ours="'x'", theirs="'y'")

    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, bytes]] = {}
        self._above: dict[int, int] = {}

    def digest(self, value: object) -> bytes:
        """Return a hash of what a value holds."""
        if isinstance(value, _PLAIN):
            return _hash(f"{type(value).__name__} {value!r}".encode())
        if (found := self._known.get(id(value))) is not None:
            return found[1]
        if (height := self._above.get(id(value))) is not None:
            return _hash(f"above {len(self._above) - height}".encode())
        self._above[id(value)] = len(self._above)
        head, parts = taken_apart(value)
        if isinstance(value, set | frozenset):
            each = sorted(self.digest(part) for _, part in parts)
        else:
            each = [_hash(name.encode(), self.digest(part)) for name, part in parts]
        del self._above[id(value)]
        made = _hash(head.encode(), *each)
        self._known[id(value)] = value, made  # held, so that no other object gets its id
        return made

    def spot(self, ours: object, theirs: object, path: str = "") -> Spot | None:
        """Return where two values differ first; None if they do not."""
        if self.digest(ours) == self.digest(theirs):
            return None
        head, parts = taken_apart(ours)
        other, others = taken_apart(theirs)
        if head == other and len(parts) == len(others):
            for (name, part), (named, there) in zip(parts, others, strict=True):
                if name != named:
                    return Spot(path, name, named)
                if found := self.spot(part, there, path + name):
                    return found
        return Spot(path, _shown(ours, head, parts), _shown(theirs, other, others))


def taken_apart(value: object) -> tuple[str, Parts]:
    """Return what a value is, and what it is made of, each part with its name."""
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, _PLAIN):
        return f"{name} {value!r}", []
    if isinstance(value, _NAMED):
        return f"{value.__module__}.{value.__qualname__}", []
    if isinstance(value, np.ndarray):
        return f"{name} {value.dtype.str} {value.shape}", _of_array(value)
    if isinstance(value, Mapping) and kind.__module__ in ("builtins", "collections"):
        return f"{name} of {len(value)}", [*_pairs(value)]
    if isinstance(value, list | tuple | set | frozenset | deque):
        most = value.maxlen if isinstance(value, deque) else None
        return f"{name} of {len(value)}, at most {most}", _numbered(value)
    return _reduced(value, name)


def _of_array(value: np.ndarray[Any, Any]) -> Parts:
    if value.dtype == object:
        return _numbered(value.ravel().tolist())
    return [("", hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest())]


def _reduced(value: object, name: str) -> tuple[str, Parts]:
    """Take an object apart as a pickle would."""
    if isinstance(value, Taught):  # what else it has depends on when snapshots were made
        return name, [(".model", value.model), (".regresses", value.regresses)]
    reduced = value.__reduce_ex__(_PROTOCOL)
    if isinstance(reduced, str):
        return f"{name} {reduced}", []
    given: tuple[Any, ...] = (*reduced[1:], None, None, None)
    arguments, state, items, pairs = given[:4]
    if isinstance(state, tuple) and len(state) == 2 and isinstance(state[1], dict):  # noqa: PLR2004
        slots = [*_fields(state[0]), *_fields(state[1])]  # what has slots gives two of them
    else:
        slots = _fields(state) if isinstance(state, dict) else [("", state)]
    made = [(f"({number})", one) for number, one in enumerate(arguments)]
    return name, [*made, *slots, *_numbered(items or ()), *_pairs(dict(pairs or ()))]


def _fields(state: object) -> Parts:
    """Return what an object has, but no source of chance that nobody seeded.

    No model draws from one: `Predict` refuses those. River's distributions keep one all the same.
    """
    if not isinstance(state, dict):
        return [] if state is None else [("", state)]
    unseeded = state.get("seed", _NO_SEED) is None
    return [(f".{name}", one) for name, one in state.items() if not (unseeded and name == _DRAWS)]


def _numbered(values: Iterable[object]) -> Parts:
    return [(f"[{number}]", one) for number, one in enumerate(values)]


def _pairs(values: Mapping[object, object]) -> Iterator[tuple[str, object]]:
    for key, one in values.items():
        if not isinstance(key, _PLAIN):
            yield ".key", key
        yield f"[{key!r}]", one


def _shown(value: object, head: str, parts: Parts) -> str:
    text = repr(value) if isinstance(value, _PLAIN) or not parts else head
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _hash(*parts: bytes) -> bytes:
    made = hashlib.blake2b(digest_size=16)
    for part in parts:
        made.update(len(part).to_bytes(8, "big") + part)
    return made.digest()
