"""Walking forward: what is chosen on the past is judged on what came next.

Each cell runs over the whole tape once, and its models go on learning; so what was known at a time
is what it had closed by then, and what would have come of choosing it then is what it opened from
then on. A position that was open at that time is in neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from infra.whatif.tried import Figures, Position, Tried, figures
from schemas import Time


class Fold(NamedTuple):
    """One step of the walk."""

    begin: Time
    at: Time
    """When it was chosen."""
    end: Time
    chosen: int | None
    """Which cell; None if none had closed a position by then."""
    past: Figures
    """What that had made by then."""
    next: Figures
    """What it made of what it opened from then on, until the end of the fold."""


class Split(NamedTuple):
    """What a cell made by a time, and of what it opened from then on."""

    past: Figures
    next: Figures


def edges(span: tuple[Time, Time], folds: int) -> list[Time]:
    """Return where a tape is cut into stretches of the same length: one more than folds.

    Examples
    --------
    >>> edges((0, 99), 4)
    [0, 20, 40, 60, 80, 100]

    """
    first, last = span
    length = last + 1 - first
    return [first + length * n // (folds + 1) for n in range(folds + 2)]


def split(positions: Sequence[Position], at: Time, end: Time | None = None) -> Split:
    """Return what positions made that were closed before a time, and opened from then on.

    Parameters
    ----------
    positions
        Those of one cell.
    at
        The time.
    end
        Up to when they were opened; None is the end of the tape.

    """
    past = [one for one in positions if one.closed < at]
    behind = [one for one in positions if one.opened >= at and (end is None or one.opened < end)]
    return Split(figures(past), figures(behind))


def walk(tried: Sequence[Tried], span: tuple[Time, Time], folds: int, by: str) -> list[Fold]:
    """Return the walk over a tape: at the end of each stretch the best cell so far is chosen.

    Of equals the first is; a cell that failed is none.

    Parameters
    ----------
    tried
        The cells.
    span
        The first and the last time of the tape.
    folds
        How often one is chosen.
    by
        What the best is the best by.

    """
    steps = []
    places = edges(span, folds)
    for at, end in pairwise(places[1:]):
        splits = [split(one.positions, at, end) for one in tried]
        ranks = [
            float("-inf") if one.error else parts.past.by(by)
            for one, parts in zip(tried, splits, strict=True)
        ]
        best = max(range(len(tried)), key=lambda n: ranks[n], default=None)
        if best is None or ranks[best] == float("-inf"):
            nothing = figures([])
            steps.append(Fold(places[0], at, end, None, nothing, nothing))
        else:
            steps.append(Fold(places[0], at, end, best, *splits[best]))
    return steps
