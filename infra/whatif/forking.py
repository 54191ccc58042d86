"""A fork: the tape of a run once more, with something set."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from infra.running.worker import Job, built
from infra.times import parse_time
from infra.whatif import machines
from infra.whatif.asked import Fork
from infra.whatif.hooks import Panel
from infra.whatif.knobs import Changes, Knob, knobs, resolved, turned
from infra.whatif.parents import Parent
from infra.whatif.values import write
from operators import Costs

_COSTS = "COSTS"


def settings_of(job: Job, changes: Changes = ()) -> dict[str, Knob]:
    """Return what can be set of a job's flow, by name, and what it is.

    Parameters
    ----------
    job
        Its flow, and what its orders pay.
    changes
        What is set in it.

    """
    panel = Panel(changes)
    built(job, panel)
    return {**panel.seen, **{one.name: one for one in knobs(_COSTS, job.costs)}}


def costs_with(costs: Costs, changes: Changes) -> Costs:
    """Return what orders pay, with what is set of it.

    Examples
    --------
    >>> costs_with(Costs(fees_bps=2), (("COSTS.latency_ms", "50"), ("FAST", "7")))
    Costs(fees_bps=2, slippage_bps=0.0, latency_ms=50.0, max_book_age_ms=1000.0, maker_fee_bps=None)

    """
    for name, text in changes:
        head, *parts = name.split(".")
        if head == _COSTS:
            set_ = turned(costs, parts, text, {})
            assert isinstance(set_, Costs)  # noqa: S101 - a part of it was set
            costs = set_
    return costs


def forked(parent: Parent, given: Mapping[str, str], at: str) -> Job:
    """Return the job that is a run with something set.

    Parameters
    ----------
    parent
        The run.
    given
        What is set, by names that may be short.
    at
        The tape time from which on; empty is from the start.

    Raises
    ------
    KnobError
        When something cannot be set.
    TimeError
        When the time cannot be read.
    RawStepError
        When from a time on, and the flow has steps that only the engine can take.

    """
    job = parent.job
    if at:
        machines.check(job, "--at")
    known = settings_of(job, parent.changes)
    changes = resolved(known.values(), given)
    whole = tuple(sorted((dict(parent.changes) | dict(changes)).items()))
    return replace(
        job,
        costs=costs_with(job.costs, changes),
        fork=Fork(
            parent.run.run,
            whole,
            parse_time(at, time.time_ns()) if at else None,
            former=parent.changes,
            former_costs=job.costs,
            was=tuple((name, write(known[name].value)) for name, _ in changes),
        ),
    )
