"""Which process tries which cells: those that have steps in common are tried by the same one.

What a process does for all of its cells at once, such as reading the tape, is done again in the
next process; what sets cells apart is done once wherever they are. So the grid is cut where cells
have least in common.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.running.worker import Job
from infra.whatif.cells import made_of
from infra.whatif.grid import Axis, cells
from infra.whatif.knobs import Changes
from infra.whatif.prints import print_of
from operators.tape import Machine
from schemas.mendable import Mendable


def divided(job: Job, axes: Sequence[Axis], count: int) -> list[list[Changes]]:
    """Return the cells of each process; there are no more processes than cells.

    Parameters
    ----------
    job
        The flow.
    axes
        What is tried.
    count
        How many processes there may be.

    """
    grid = cells(_early_first(job, axes) if count > 1 else axes)
    count = min(count, len(grid))
    return [grid[k * len(grid) // count : (k + 1) * len(grid) // count] for k in range(count)]


def _early_first(job: Job, axes: Sequence[Axis]) -> list[Axis]:
    """Return settings by the first step that they change, so that this varies slowest."""
    first = {axis.name: axis.values[0] for axis in axes}
    base = _machines(job, first)

    def unchanged(axis: Axis) -> int:
        others = (_machines(job, {**first, axis.name: value}) for value in axis.values[1:])
        return min((_in_common(base, other) for other in others if other), default=len(base))

    return sorted(axes, key=unchanged)


def _machines(job: Job, set_: Mapping[str, str]) -> list[Machine]:
    """Return the machines of a cell; none if it cannot be built, which is told when it is tried."""
    try:
        return [make() for make in made_of(job, tuple(sorted(set_.items())))]
    except (Mendable, ValueError):
        return []


def _in_common(one: Sequence[Machine], other: Sequence[Machine]) -> int:
    """Return how many steps two cells begin with in common."""
    alike = [print_of(ours) == print_of(theirs) for ours, theirs in zip(one, other, strict=False)]
    return [*alike, False].index(False)
