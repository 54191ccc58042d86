"""How many independent trials some cells amount to: those that do nearly the same count as one.

Cells are let loose on luck alone, again and again: each stretch of the tape is given a random
weight, the same for all cells, so that what they have in common stays in common. From how good the
best of them looks follows how many independent ones would look as good.

References
----------
White, H. (2000): "A Reality Check for Data Snooping". Econometrica 68 (5), 1097-1126.
Lopez de Prado, M., and Lewis, M. J. (2019): "Detection of false investment strategies using
unsupervised learning methods". Quantitative Finance 19 (9), 1555-1565.

"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infra.whatif.tried import Position

_STRETCHES = 200
"""Into so many the tape is cut; what cells make in one of them is of the same hour."""
_DRAWS = 10_000
_AT_ONCE = 250
_SEED = 2014
_TAIL = 0.95
"""Where the best is looked at: that often it is not better."""


class Trials(NamedTuple):
    """What some cells amount to."""

    independent: float
    """As many trials as would show as good a best if each had nothing to do with the others."""
    best: float
    """How good the best looks by luck alone, on average: in standard errors of one trial."""


def trials(cells: Sequence[Sequence[Position]]) -> Trials:
    """Return what cells amount to, by what they have in common.

    Parameters
    ----------
    cells
        The positions of each, of which there are some.

    Examples
    --------
    >>> from decimal import Decimal
    >>> def cell(*returns):
    ...     made = enumerate(returns)
    ...     return [Position(n, "m", n, Decimal(0), Decimal(0), x, x) for n, x in made]
    >>> one, other = cell(0.01, -0.01, 0.02, 0.0), cell(0.02, 0.02, 0.0, -0.01)
    >>> [round(trials(some).independent) for some in ([one] * 9, [one, other] * 9)]
    [1, 2]

    """
    common = _directions(cells)
    draw = np.random.default_rng(_SEED)
    lucky = [
        (draw.standard_normal((_AT_ONCE, _STRETCHES), np.float32) @ common).max(axis=1)
        for _ in range(_DRAWS // _AT_ONCE)
    ]
    best = np.concatenate(lucky)
    seldom = NormalDist().cdf(float(np.quantile(best, _TAIL)))
    independent = log(_TAIL) / log(seldom)
    return Trials(min(max(independent, 1.0), float(len(cells))), max(float(best.mean()), 0.0))


def _directions(cells: Sequence[Sequence[Position]]) -> NDArray[np.float32]:
    """Return what each cell made in each stretch: a column each, of length 1."""
    first = min(one.opened for cell in cells for one in cell)
    length = max(one.opened for cell in cells for one in cell) - first + 1
    made = np.zeros((_STRETCHES, len(cells)))
    for number, cell in enumerate(cells):
        for one in cell:
            made[(one.opened - first) * _STRETCHES // length, number] += one.net_return
    lengths = np.linalg.norm(made, axis=0)
    directions: NDArray[np.float64] = made / np.where(lengths > 0, lengths, 1.0)
    return directions.astype(np.float32)
