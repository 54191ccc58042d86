"""A sweep: many settings tried on one tape, on all cores, and what is to be thought of the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from infra.running import processes
from infra.running.problems import ReplayError, explained
from infra.running.worker import Job
from infra.whatif import machines
from infra.whatif.cells import Cells, Part, Read
from infra.whatif.dividing import divided
from infra.whatif.folds import Fold, Split, edges, split, walk
from infra.whatif.grid import Axis, cells
from infra.whatif.knobs import Changes
from infra.whatif.luck import Luck, luck
from infra.whatif.tried import Figures, Tried, figures
from schemas import Time

Watcher = Callable[[list[Read]], None]


@dataclass(frozen=True)
class Asked:
    """What a sweep is to find out.

    Parameters
    ----------
    axes
        What is tried.
    folds
        How often one is chosen on the way; 0 is never: all of the tape is looked at as one.
    by
        What the best is the best by.

    """

    axes: Sequence[Axis]
    folds: int = 4
    by: str = "pnl"


@dataclass(frozen=True)
class Row:
    """A cell, and what it made.

    Parameters
    ----------
    number
        Its place in the grid.
    tried
        What became of it.
    whole
        Over the whole tape.
    past, next
        In front of the last fold, and in it; nothing if there are no folds.

    """

    number: int
    tried: Tried
    whole: Figures
    past: Figures | None = None
    next: Figures | None = None

    @property
    def chosen_by(self) -> Figures:
        """What it is ranked by: what was known in front of the last fold."""
        return self.whole if self.past is None else self.past


@dataclass(frozen=True)
class Sweep:
    """What came of a sweep.

    Parameters
    ----------
    asked
        What it was to find out.
    rows
        The cells, the best first; those that failed last.
    folds
        The walk over the tape.
    span
        The first and last time of the tape.
    trades, steps, seconds
        How much was read, by how many machines for each market, and how long that took.
    finished
        Whether all of the tape was read.

    """

    asked: Asked
    rows: list[Row]
    folds: list[Fold]
    span: tuple[Time, Time] | None
    trades: int
    steps: int
    seconds: float
    finished: bool

    @property
    def failed(self) -> list[Row]:
        """The cells that could not be tried to the end."""
        return [row for row in self.rows if row.tried.error]

    @property
    def luck(self) -> Luck | None:
        """How the best compares with luck, by all of the tape that it was chosen on."""
        good = [row for row in self.rows if not row.tried.error]
        at = self.folds[-1].at if self.folds else None
        known = [
            [one for one in row.tried.positions if at is None or one.closed < at] for row in good
        ]
        return luck(known, len(self.rows))


def sweep(job: Job, asked: Asked, count: int, watch: Watcher) -> Sweep:
    """Try each combination of settings on one tape.

    Parameters
    ----------
    job
        The flow and its tape.
    asked
        What is to be found out.
    count
        How many processes divide the cells; the same comes out of any number.
    watch
        Is told how far they are.

    Raises
    ------
    ReplayError
        When the tape cannot be read, or none of the cells could be tried.
    RawStepError
        When the flow has steps that only the engine can take.

    """
    machines.check(job, "a sweep")
    with explained(resumable=False):
        shares = divided(job, asked.axes, count)
        if len(shares) == 1:
            parts = processes.alone(Cells(job, shares[0]), watch)
        else:
            parts = processes.together(partial(_cells, job, shares), len(shares), watch)
    return judged(asked, parts)


def _cells(job: Job, shares: Sequence[Sequence[Changes]], number: int) -> Cells:
    return Cells(job, shares[number])


def judged(asked: Asked, parts: Sequence[Part]) -> Sweep:
    """Return what is to be thought of the cells of all processes."""
    by_changes = {one.changes: one for part in parts for one in part.tried}
    tried = [by_changes[changes] for changes in cells(asked.axes)]
    if all(one.error for one in tried):
        raise ReplayError(f"none of the {len(tried):,} cells could be tried: {tried[0].error}")
    spans = [part.span for part in parts if part.span is not None]
    span = (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None
    folds = walk(tried, span, asked.folds, asked.by) if span and asked.folds else []
    at = edges(span, asked.folds)[-2] if span and asked.folds else None
    rows = [_row(number, one, at) for number, one in enumerate(tried)]
    return Sweep(
        asked,
        sorted(rows, key=lambda row: _rank(row, asked.by)),
        folds,
        span,
        max(part.trades for part in parts),
        sum(part.steps for part in parts),
        max(part.seconds for part in parts),
        all(part.finished for part in parts),
    )


def _row(number: int, tried: Tried, at: Time | None) -> Row:
    whole = figures(tried.positions)
    if at is None:
        return Row(number, tried, whole)
    parts: Split = split(tried.positions, at)
    return Row(number, tried, whole, parts.past, parts.next)


def _rank(row: Row, by: str) -> tuple[bool, float, int]:
    """Return what puts the best first, and of equals the first of the grid."""
    return bool(row.tried.error), -row.chosen_by.by(by), row.number
