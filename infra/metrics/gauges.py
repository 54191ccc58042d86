"""What a process measures of itself, on its way to whoever publishes it: light, and it pickles."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

Labels: TypeAlias = "tuple[str, ...]"
"""The values of a metric's labels, in their order."""

BOUNDS = (
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0,
)  # fmt: skip
"""Seconds: how long is counted up to each, and beyond the last."""


class Spread(NamedTuple):
    """How long something took, each time."""

    counts: tuple[int, ...]
    """How often it was in which of `BOUNDS`; the last is beyond."""
    total: float
    """Seconds in all."""


class Stopwatch:
    """Notes how long something took.

    Examples
    --------
    >>> watch = Stopwatch()
    >>> for seconds in (0.0001, 0.004, 60.0):
    ...     watch.note(seconds)
    >>> spread = watch.spread()
    >>> spread.counts[0], spread.counts[3], spread.counts[-1], round(spread.total, 4)
    (1, 1, 1, 60.0041)

    """

    __slots__ = ("_counts", "_total")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._total = 0.0

    def note(self, seconds: float) -> None:
        """Count one; clocks that step back count as no time at all."""
        seconds = max(seconds, 0.0)
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self._total += seconds

    def spread(self) -> Spread:
        """Return what was noted so far; from any thread."""
        return Spread(tuple(self._counts), self._total)


class Gauges(NamedTuple):
    """All that a process measures, by metric and labels."""

    numbers: Mapping[str, Mapping[Labels, float]] = {}
    spreads: Mapping[str, Mapping[Labels, Spread]] = {}


NOTHING = Gauges()


def merged(parts: Iterable[Gauges]) -> Gauges:
    """Return what several processes measure together: each number of theirs can be added up.

    Examples
    --------
    >>> one, other = Gauges({"a": {("m",): 1.0}}), Gauges({"a": {("m",): 2.0, ("n",): 3.0}})
    >>> merged([one, other]).numbers
    {'a': {('m',): 3.0, ('n',): 3.0}}

    """
    numbers: dict[str, dict[Labels, float]] = {}
    spreads: dict[str, dict[Labels, Spread]] = {}
    for part in parts:
        for name, values in part.numbers.items():
            known = numbers.setdefault(name, {})
            for labels, value in values.items():
                known[labels] = known.get(labels, 0.0) + value
        for name, timed in part.spreads.items():
            so_far = spreads.setdefault(name, {})
            for labels, spread in timed.items():
                before = so_far.get(labels)
                so_far[labels] = spread if before is None else _added(before, spread)
    return Gauges(numbers, spreads)


def _added(one: Spread, other: Spread) -> Spread:
    counts = tuple(a + b for a, b in zip(one.counts, other.counts, strict=True))
    return Spread(counts, one.total + other.total)
