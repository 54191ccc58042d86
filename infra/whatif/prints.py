"""Whether two machines were built alike, so that one may stand for both.

A print is equal only if machines do the same with the same tape: it is made of all their settings
and of the state they begin with. What cannot be looked into is like nothing but itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from types import CodeType, FunctionType
from typing import TypeAlias

from operators.tape import Machine

Print: TypeAlias = tuple[object, ...]
_PLAIN = (bool, int, float, str, bytes, Decimal, timedelta, type(None))
_ROOMS = ("operators.", "schemas.")
_FLOWS = "flows."


def print_of(machine: Machine) -> Print:
    """Return what a machine is made of.

    Examples
    --------
    >>> from operators.averages import MovingAverages
    >>> one, other = MovingAverages({"sma": (5,)}), MovingAverages({"sma": (5,)})
    >>> print_of(one) == print_of(other), print_of(one) == print_of(MovingAverages({"sma": (7,)}))
    (True, False)

    """
    settings = {name: value for name, value in _attributes(machine) if name != "state"}
    return type(machine), _of(settings, {id(machine)}), _begun(machine.state)


def _begun(state: object) -> object:
    """Return the state that a machine begins with; with a class of the flow in it, it is alone."""
    try:
        kept = pickle.dumps(state)
    except Exception:  # noqa: BLE001 - whatever it is made of: it is not compared then
        return id(state)
    return id(state) if _FLOWS.encode() in kept else kept


def _of(value: object, above: set[int]) -> object:
    """Return the print of a value, `above` which these are."""
    if isinstance(value, _PLAIN):
        return type(value), repr(value)
    if id(value) in above:
        return "above", type(value)
    inner = above | {id(value)}
    if isinstance(value, (Mapping, set, frozenset, tuple, list)):
        return type(value), _of_many(value, inner)
    if isinstance(value, FunctionType) and _of_a_flow(value):
        return _of_function(value, inner)
    ours = type(value).__module__.startswith(_ROOMS)
    return (type(value), _of(dict(_attributes(value)), inner)) if ours else id(value)


def _of_many(values: Collection[object], above: set[int]) -> Print:
    if isinstance(values, Mapping):
        return tuple((_of(name, above), _of(value, above)) for name, value in values.items())
    found = [_of(value, above) for value in values]
    return tuple(sorted(found, key=repr) if isinstance(values, (set, frozenset)) else found)


def _of_a_flow(function: FunctionType) -> bool:
    return str(function.__globals__.get("__name__")).startswith(_FLOWS)


def _of_function(function: FunctionType, above: set[int]) -> Print:
    """Return the print of a function of a flow file: its code, and all that it looks up there."""
    names = function.__globals__
    looked_up = {name: names[name] for name in sorted(_names(function.__code__)) if name in names}
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    parts: Iterable[object] = (function.__defaults__, function.__kwdefaults__, cells, looked_up)
    return function.__code__, *(_of(part, above) for part in parts)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _names(const)


def _attributes(value: object) -> Iterator[tuple[str, object]]:
    for kind in type(value).__mro__:
        for name in getattr(kind, "__slots__", ()):
            if hasattr(value, name) and name != "__dict__":
                yield name, getattr(value, name)
    yield from getattr(value, "__dict__", {}).items()
