"""Values as people write them on a command line: `0.005`, `30m`, `(5,20,60)`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from math import isfinite
from types import FunctionType, NoneType

NOTHING = "none"
"""How nothing at all is written."""
_SPANS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
    "us": timedelta(microseconds=1),
}
_SPAN = re.compile(r"(-?\d+(?:\.\d+)?)(us|ms|[smhdw])", re.ASCII)
_TRUTH = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class ValueTextError(ValueError):
    """A text that is no value of the kind that is wanted; it says which one is."""


def _truth(text: str) -> bool:
    return _TRUTH[text.lower()]


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(text)
    return number


def _money(text: str) -> Decimal:
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(text)
    return number


def _span(text: str) -> timedelta:
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return float(found[1]) * _SPANS[found[2]]


_KINDS: dict[type, tuple[Callable[[str], object], str]] = {
    bool: (_truth, "yes or no"),
    int: (int, "a whole number such as 20"),
    float: (_number, "a number such as 0.002"),
    Decimal: (_money, "a number such as 0.002"),
    timedelta: (_span, "a time such as 30m, 90s or 1h"),
    str: (str, "a text"),
}
PLAIN = tuple(_KINDS)


def kind(value: object) -> str:
    """Return what a value is, in a word.

    Examples
    --------
    >>> [kind(value) for value in (7, 0.5, timedelta(1), (5, 20), None, kind)]
    ['int', 'float', 'time', 'tuple of int', 'nothing', 'function']

    """
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__} of {kind(value[0])}" if value else type(value).__name__
    names = {timedelta: "time", NoneType: "nothing", str: "text"}
    return names.get(type(value), type(value).__name__)


def settable(value: object) -> bool:
    """Tell whether another value of this kind can be written."""
    if isinstance(value, (tuple, list)):
        kinds = {type(one) for one in value}
        return len(kinds) == 1 and kinds <= _KINDS.keys()
    return type(value) in _KINDS


def write(value: object) -> str:
    """Return a value as it is written, so that `read` gives it back.

    Examples
    --------
    >>> [write(value) for value in (0.002, timedelta(minutes=90), (5, 20, 60), None, True)]
    ['0.002', '90m', '(5,20,60)', 'none', 'yes']

    """
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return _written(value)
    if isinstance(value, (tuple, list)):
        return f"({','.join(map(write, value))})"
    return value.__name__ if isinstance(value, FunctionType) else str(value)


def _written(span: timedelta) -> str:
    for unit, one in _SPANS.items():
        if abs(span) >= one and not span % one:
            return f"{span // one}{unit}"
    return "0s"


def read(
    text: str, present: object, may_be: tuple[type, ...] = (), known: Mapping[str, object] = {}
) -> object:
    """Return the value that a text names.

    Parameters
    ----------
    text
        What was written.
    present
        What stands there now: the value is of its kind.
    may_be
        Other kinds that it may be of.
    known
        By name, what there is where a function is to be named.

    Raises
    ------
    ValueTextError
        When it is of none of these kinds.

    Examples
    --------
    >>> read("0.005", 0.002), read("90s", timedelta(1)), read("5,20", (1, 2, 3))
    (0.005, datetime.timedelta(seconds=90), (5, 20))
    >>> read("none", 0.002, (float, type(None)))
    >>> read("fast", 5)
    Traceback (most recent call last):
    infra.whatif.values.ValueTextError: 'fast' is not a whole number such as 20

    """
    kinds = [type(present), *may_be]
    if text.lower() == NOTHING and NoneType in kinds:
        return None
    if isinstance(present, (tuple, list)):
        return type(present)(read(part, present[0]) for part in _parts(text))
    if isinstance(present, FunctionType):
        return _function(text, known)
    # Every text is a text: that comes last.
    plain = sorted({k for k in kinds if k in _KINDS}, key=PLAIN.index)
    for one in plain:
        try:
            return _KINDS[one][0](text)
        except (ValueError, KeyError, InvalidOperation, OverflowError):
            continue
    wanted = " or ".join(dict.fromkeys(_KINDS[one][1] for one in plain))
    raise ValueTextError(f"{text!r} is not {wanted or 'a value that can be written'}")


def _parts(text: str) -> list[str]:
    inner = text[1:-1] if text[:1] + text[-1:] in ("()", "[]") else text
    return [part.strip() for part in inner.split(",") if part.strip()]


def _function(text: str, known: Mapping[str, object]) -> FunctionType:
    found = known.get(text)
    if isinstance(found, FunctionType):
        return found
    names = ", ".join(name for name, value in known.items() if isinstance(value, FunctionType))
    raise ValueTextError(f"{text!r} is no function here; there are {names or 'none'}")
