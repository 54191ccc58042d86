"""Whether a flow is made of machines alone, so that it can be played without the engine."""

from __future__ import annotations

from collections.abc import Iterator

from bytewax.dataflow import Operator

from infra.running.worker import Job, built
from operators import Tape
from operators.tape import run
from schemas.mendable import Mendable


class RawStepError(Mendable, ValueError):
    """A step of a flow that only the engine can take."""


def check(job: Job, asked: str) -> None:
    """See that all steps of a job's flow are machines.

    Parameters
    ----------
    job
        Its flow.
    asked
        What cannot be done else.

    Raises
    ------
    RawStepError
        When some are operators of Bytewax.

    """
    tape = built(job)
    if raw := [*_raw(tape)]:
        raise RawStepError(
            f"{job.flow}: {', '.join(raw)} {'is' if len(raw) == 1 else 'are'} of Bytewax itself, "
            f"and {asked} knows machines only: write it as an operator of its own (CONTRIBUTING, "
            f"adding an operator), or use deck fork without --at, once for each setting"
        )


def _raw(tape: Tape) -> Iterator[str]:
    """Yield the steps of a flow that are not machines alone, as its author named them."""
    _, *steps = tape.flow().substeps
    for step in steps:
        if _has_raw(step):
            yield f"{type(step).__name__} {step.step_id.rpartition('.')[2]!r}"


def _has_raw(step: Operator) -> bool:
    """Tell whether something in a step is done by Bytewax, and not by a machine."""
    if (type(step).__module__, type(step).__name__) == (run.__module__, run.__name__):
        return False
    return not step.substeps or any(map(_has_raw, step.substeps))
