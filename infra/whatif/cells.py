"""Many cells on one tape: it is read once, and steps that cells have in common are taken once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from bytewax.inputs import StatefulSourcePartition

from connectors.recordings.tracks import Item
from infra.running.worker import Job, built, tune
from infra.whatif.asked import Fork
from infra.whatif.forking import costs_with
from infra.whatif.knobs import Changes
from infra.whatif.steps import grown
from infra.whatif.tried import Tried
from operators.tape import Machine, Strip
from schemas import Time, Trades
from schemas.mendable import Mendable

_NOTHING_SECONDS = 0.001


class Read(NamedTuple):
    """How far a process is."""

    read: int
    total: int


@dataclass
class Part:
    """What became of the cells of one process."""

    tried: list[Tried]
    span: tuple[Time, Time] | None
    """The first and last time of the tape; None if it has no trades."""
    trades: int
    seconds: float
    steps: int
    """How many steps were taken for all of them."""
    finished: bool


def _handed_out(
    partition: StatefulSourcePartition[Item, Any],
) -> Iterator[Item]:
    """Yield all that a part of a source has."""
    while True:
        try:
            items = partition.next_batch()
        except StopIteration:
            return
        yield from items
        if not items:
            time.sleep(_NOTHING_SECONDS)


def cell_of(job: Job, changes: Changes) -> Job:
    """Return the job that is one cell: what a job is, with something set beside what is already."""
    before = {} if job.fork is None else dict(job.fork.changes)
    whole = tuple(sorted((before | dict(changes)).items()))
    fork = Fork(changes=whole, kind="sweep")
    return replace(job, costs=costs_with(job.costs, changes), fork=fork)


def made_of(job: Job, changes: Changes) -> Sequence[Callable[[], Machine]]:
    """Return what makes the machine of each step of a cell.

    Raises
    ------
    ValueError
        When it cannot be built.

    """
    return built(cell_of(job, changes)).machines


class Cells:
    """The cells of one process.

    Parameters
    ----------
    job
        The flow and its tape.
    changes
        What is set in each.

    """

    def __init__(self, job: Job, changes: Sequence[Changes]) -> None:
        self.job, self.tried = job, [Tried(one) for one in changes]
        self._roots = grown([*self._built()])
        self._source = job.origin.open(job.settings, (0, 1), job.batch, job.window)
        self._span: tuple[Time, Time] | None = None
        self._stopped = self._over = False

    def run(self) -> Part:
        """Play the tape to its end, or until `stop`."""
        tune()
        begun, steps = time.perf_counter(), sum(root.count() for root in self._roots)
        for market, strip in self._items():
            for root in self._roots:
                self._note(root.take(market, strip))
        self._over = not self._stopped
        return Part(
            self.tried, self._span, self._source.progress.trades, time.perf_counter() - begun,
            steps, self._over,
        )  # fmt: skip

    def stop(self) -> None:
        """Let it end where it is."""
        self._stopped = True
        self._source.stop()

    def at(self) -> Read:
        """Return how far it is."""
        progress = self._source.progress
        return Read(progress.total if self._over else progress.read, progress.total)

    def _built(self) -> Iterator[tuple[Sequence[Callable[[], Machine]], Tried]]:
        for tried in self.tried:
            try:
                yield made_of(self.job, tried.changes), tried
            except (Mendable, ValueError) as error:
                tried.error = str(error)

    def _items(self) -> Iterator[tuple[str, Strip]]:
        for part in self._source.list_parts():
            with closing(self._source.build_part("sweep", part, None)) as partition:
                yield from _handed_out(partition)

    def _note(self, strip: Strip) -> None:
        """Take note of how far the tape goes, by its first step."""
        times = [event for event in strip if isinstance(event, Trades)]
        if times:
            first, last = int(times[0].ts[0]), int(times[-1].ts[-1])
            known = self._span or (first, last)
            self._span = min(known[0], first), max(known[1], last)
