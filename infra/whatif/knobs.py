"""What of a flow can be set without editing it, and how each is called."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import timedelta
from types import FunctionType, UnionType
from typing import Any, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from infra.whatif.values import PLAIN, ValueTextError, kind, read, settable, write
from schemas.mendable import Mendable

Changes: TypeAlias = tuple[tuple[str, str], ...]
"""By full name what is set, as it is written; sorted, so that the same is equal."""


class KnobError(Mendable, ValueError):
    """Something that cannot be set; the text says what can."""


@dataclass(frozen=True)
class Knob:
    """Something that can be set.

    Parameters
    ----------
    name
        Such as `FAST`, `BARRIERS.stop_loss` or `candles.every`.
    value
        What it is now.
    may_be
        Of which other kinds it may be.

    """

    name: str
    value: object
    may_be: tuple[type, ...] = ()

    @property
    def kind(self) -> str:
        """What kinds of values it takes, in a word or two."""
        others = [_WORDS.get(one, one.__name__) for one in self.may_be]
        return " or ".join(dict.fromkeys([kind(self.value), *others]))

    def read(self, text: str) -> object:
        """Return what is written, as a value of it."""
        return read(text, self.value, self.may_be)


_WORDS = {type(None): kind(None), timedelta: kind(timedelta()), str: kind("")}


def knobs(name: str, value: object, may_be: tuple[type, ...] = ()) -> Iterator[Knob]:
    """Yield what can be set of a value: itself, or its parts.

    Examples
    --------
    >>> from operators import Barriers
    >>> [f"{one.name} = {one.value}" for one in knobs("BARRIERS", Barriers(stop_loss=0.002))][:2]
    ['BARRIERS.stop_loss = 0.002', 'BARRIERS.take_profit = None']

    """
    parts = dict(_parts(value))
    for part, (inner, kinds) in parts.items():
        yield from knobs(f"{name}.{part}", inner, kinds)
    plain = settable(value) if not parts else False
    if plain or any(one in PLAIN for one in may_be):
        yield Knob(name, value, may_be)


def _parts(value: object) -> Iterator[tuple[str, tuple[object, tuple[type, ...]]]]:
    """Yield the name of each part of a value, what it is, and what it may be."""
    if is_dataclass(value) and not isinstance(value, type):
        hints = _hints(type(value))
        for one in fields(value):
            yield one.name, (getattr(value, one.name), _plain(hints.get(one.name)))
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        hints = _hints(type(value))
        for name in value._fields:
            yield name, (getattr(value, name), _plain(hints.get(name)))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if isinstance(key, str):
                yield key, (inner, ())


def _hints(kind: type) -> dict[str, object]:
    """Return what a class says of its fields; nothing if it names what is not there."""
    try:
        return get_type_hints(kind)
    except NameError:
        return {}


def _plain(hint: object) -> tuple[type, ...]:
    """Return those kinds of a hint that can be written."""
    union = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return tuple(one for one in union if one in (*PLAIN, type(None)))


def turned(
    value: object,
    parts: Sequence[str],
    text: str,
    known: Mapping[str, object],
    may_be: tuple[type, ...] = (),
) -> object:
    """Return a value of which a part was set.

    Parameters
    ----------
    value
        The whole.
    parts
        Which part, from the outside in; the whole if there are none.
    text
        What it is set to, as it is written.
    known
        By name, what there is where a function is named.

    Raises
    ------
    ValueError
        When it cannot be that.

    """
    if not parts:
        return read(text, value, may_be, known)
    head, *rest = parts
    inner, kinds = dict(_parts(value))[head]
    new = turned(inner, rest, text, known, kinds)
    if isinstance(value, Mapping):
        return {**value, head: new}
    if isinstance(value, tuple):
        return cast("Any", value)._replace(**{head: new})
    return replace(cast("Any", value), **{head: new})


def resolved(known: Iterable[Knob], given: Mapping[str, str]) -> Changes:
    """Return what is to be set by full names, having seen that there are such.

    Parameters
    ----------
    known
        What can be set.
    given
        By name, which may be its last part only where one has that, what it is set to.

    Raises
    ------
    KnobError
        When there is no such setting or several, or it cannot be that.

    Examples
    --------
    >>> known = [Knob("FAST", 5), Knob("BARRIERS.stop_loss", 0.002), Knob("SIZE.amount", 1000.0)]
    >>> resolved(known, {"stop_loss": "5e-3", "fast": "7"})
    (('BARRIERS.stop_loss', '0.005'), ('FAST', '7'))

    """
    by_name = {one.name: one for one in known}
    made: dict[str, str] = {}
    for name, text in given.items():
        knob = by_name[full_name(by_name, name)]
        try:
            value = knob.read(text) if not isinstance(knob.value, FunctionType) else text
        except ValueTextError as error:
            raise KnobError(f"--set {name}={text}: {error}; it is {write(knob.value)}") from None
        if made.setdefault(knob.name, write(value)) != write(value):
            raise KnobError(f"--set {name}={text}: {knob.name} is set twice")
    return tuple(sorted(made.items()))


def full_name(known: Iterable[str], name: str) -> str:
    """Return the full name of a setting.

    Raises
    ------
    KnobError
        When there is none of that name, or there are several.

    """
    names = [*known]
    if name in names:
        return name
    tests: list[Callable[[str], bool]] = [
        lambda one: one.endswith(f".{name}"),
        lambda one: one.lower() == name.lower(),
        lambda one: one.lower().endswith(f".{name.lower()}"),
    ]
    for test in tests:
        found = [one for one in names if test(one)]
        if len(found) == 1:
            return found[0]
        if found:
            raise KnobError(f"--set {name}: there are {', '.join(found)}: name one of them whole")
    there = ", ".join(sorted(names)) or "none: give a number in the flow file a name"
    raise KnobError(f"--set {name}: there is no such setting; there are {there}")
