"""A three-line flow around a step, to see it in the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, run_main

from operators.costs import Costs
from operators.tape import Strip, Tape
from schemas import Event
from tests.tapes import MARKET

Item: TypeAlias = tuple[str, Strip]
Step: TypeAlias = Callable[[Tape], Tape]

Fed: TypeAlias = Sequence[Event | TestingSource.EOF]

STOP = TestingSource.EOF()
"""Ends a run; the next one goes on behind it."""


def wired(events: Fed, step: Step) -> tuple[Dataflow, list[Item]]:
    """Return a flow in which a step reads a tape of one event a strip, and what will come out."""
    flow, out = Dataflow("flow"), list[Item]()
    items = [
        event if isinstance(event, TestingSource.EOF) else (MARKET, [event]) for event in events
    ]
    source = op.input("in", flow, TestingSource[Item](items))
    op.output("out", step(Tape.of(source, Costs())), TestingSink(out))
    return flow, out


def in_a_flow(events: Fed, step: Step, recovery: Path | None = None) -> list[Event]:
    """Return what a step makes of a tape; with `recovery`, of what an earlier run left of it."""
    flow, out = wired(events, step)
    ran(flow, recovery)
    return [event for _, strip in out for event in strip]


def ran(flow: Dataflow, recovery: Path | None = None) -> None:
    """Run a flow to its end or the next `STOP`, with a snapshot behind each item."""
    config = None
    if recovery is not None:
        if not list(recovery.iterdir()):
            init_db_dir(recovery, 1)  # type: ignore[no-untyped-call]
        config = RecoveryConfig(recovery)  # type: ignore[no-untyped-call]
    run_main(flow, epoch_interval=timedelta(0), recovery_config=config)  # type: ignore[no-untyped-call]
