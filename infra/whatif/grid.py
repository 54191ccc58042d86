"""The cells of a sweep: each combination of what the settings are tried at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import product
from math import prod

from infra.whatif.knobs import Changes, Knob, KnobError, full_name
from infra.whatif.values import ValueTextError, write

MOST = 10_000
"""How many cells a sweep may have."""
_DIGITS = 12
"""To so many the values of a range are rounded."""
_NUMBERS = {int, float, Decimal, timedelta}


@dataclass(frozen=True)
class Axis:
    """A setting, and what it is tried at.

    Parameters
    ----------
    name
        Its full name.
    values
        As they are written, in order.

    """

    name: str
    values: tuple[str, ...]

    @property
    def short(self) -> str:
        """The last part of its name.

        Examples
        --------
        >>> Axis("BARRIERS.stop_loss", ("0.001",)).short
        'stop_loss'

        """
        return self.name.rpartition(".")[2]


def axes(known: Iterable[Knob], given: Mapping[str, str]) -> list[Axis]:
    """Return what is to be tried.

    Parameters
    ----------
    known
        What can be set.
    given
        By name, `a:b:n` for `n` values from `a` to `b`, or values with commas between.

    Raises
    ------
    KnobError
        When there is no such setting, or it cannot be that; when there are too many cells.

    Examples
    --------
    >>> axes([Knob("FAST", 5), Knob("STOP", 0.002)], {"stop": "0.001:0.003:3", "fast": "3,5"})
    [Axis(name='STOP', values=('0.001', '0.002', '0.003')), Axis(name='FAST', values=('3', '5'))]
    >>> axes([Knob("STOP", 0.002)], {"stop": "0.001:0.01"})
    Traceback (most recent call last):
    infra.whatif.knobs.KnobError: --set stop=0.001:0.01: a range is written FROM:TO:COUNT, such as \
0.001:0.01:10; it is 0.002

    """
    by_name = {one.name: one for one in known}
    found: list[Axis] = []
    for name, text in given.items():
        knob = by_name[full_name(by_name, name)]
        try:
            values = tuple(dict.fromkeys(_values(knob, text)))
        except ValueTextError as error:
            raise KnobError(f"--set {name}={text}: {error}; it is {write(knob.value)}") from None
        found.append(Axis(knob.name, values))
    if twice := {axis.name for axis in found if [a.name for a in found].count(axis.name) > 1}:
        raise KnobError(f"--set {', '.join(sorted(twice))}: is set twice")
    if (count := prod(len(axis.values) for axis in found)) > MOST:
        raise KnobError(
            f"--set: that makes {count:,} cells, and at most {MOST:,} are tried at once"
        )
    return found


def cells(axes: Sequence[Axis]) -> list[Changes]:
    """Return each combination, the last setting varying fastest.

    Examples
    --------
    >>> cells([Axis("B", ("1", "2")), Axis("A", ("x",))])
    [(('A', 'x'), ('B', '1')), (('A', 'x'), ('B', '2'))]

    """
    names = [axis.name for axis in axes]
    return [
        tuple(sorted(zip(names, values, strict=True)))
        for values in product(*(axis.values for axis in axes))
    ]


def _values(knob: Knob, text: str) -> list[str]:
    """Return what one setting is tried at, as it is written."""
    kinds = {type(knob.value), *knob.may_be}
    if ":" in text and kinds & _NUMBERS and str not in kinds:
        return _range(knob, text)
    return [write(knob.read(part)) for part in _apart(text)]


def _range(knob: Knob, text: str) -> list[str]:
    first, last, count, *more = [*text.split(":"), "", ""][:4]
    if not count or any(more):
        example = f"{first}:{last or first}:10"
        raise ValueTextError(f"a range is written FROM:TO:COUNT, such as {example}")
    if not count.isdecimal() or int(count) < 2:  # noqa: PLR2004 - both ends
        raise ValueTextError(f"{count!r} is not how many values, at least 2")
    low, high, steps = knob.read(first), knob.read(last), int(count) - 1
    if isinstance(low, timedelta) and isinstance(high, timedelta):
        return [write(low + (high - low) * n / steps) for n in range(steps + 1)]
    begin, end = Decimal(str(low)), Decimal(str(high))
    return [write(knob.read(_plain(begin + (end - begin) * n / steps))) for n in range(steps + 1)]


def _plain(number: Decimal) -> str:
    """Return a number without what dividing has left behind its last digits.

    Examples
    --------
    >>> _plain(Decimal("0.01") / 3), _plain(Decimal("50"))
    ('0.00333333333333', '50')

    """
    return f"{Decimal(f'{number:.{_DIGITS}g}').normalize():f}"


def _apart(text: str) -> list[str]:
    """Return the values between the commas that stand in no brackets.

    Examples
    --------
    >>> _apart("(5,20), (3,10)")
    ['(5,20)', '(3,10)']

    """
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]
