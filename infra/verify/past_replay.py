"""`deck replay --as`: which run is meant, and whether it came out the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from infra import screen
from infra.history.history import History
from infra.running import flowfile
from infra.running.problems import explained
from infra.running.scratch import left_in
from infra.running.worker import Job
from infra.screen import Misused, say
from infra.settings import Settings
from infra.verify.as_read import AnyLog
from infra.verify.parity import compare
from infra.verify.past_run import PastRun, find


def past(
    flow: Path, name: str, log: AnyLog | None, given: Mapping[str, object]
) -> tuple[PastRun, Job]:
    """Return a run, and what replays it as it was, having said what is to be known of it.

    Parameters
    ----------
    flow
        The flow file.
    name
        Which run.
    log
        The log that it read, if that is to be read elsewhere.
    given
        Other options, and what they were given: none goes with it.

    """
    for option, value in given.items():
        if value not in (None, "", []) and value is not False:  # 0 is a fee
            raise Misused(f"{option} --as {name}: a run is replayed as it was; leave it out")
    run = find(name, Settings.from_environment())
    job = run.job(flow, log)
    if why := run.differs(flowfile.load(flow).code_version):
        say(why, "yellow")
    return run, job


def compared(run: PastRun, events: Path) -> None:
    """Say whether history keeps the same of a run, and end with an error if it does not."""
    if not run.history:
        raise Misused(f"--check: {run.run[:8]} was kept out of history; compare its --events, cmp")
    with explained(resumable=False):
        found = compare(events, History().client("reader"), run.flow, run.run)
    if found.difference is not None:
        say("not the same as in history; the first event that differs:", "red")
        for line in found.difference.lines():
            screen.out.print(line, highlight=False, soft_wrap=True)
        if left := left_in(run.store):
            say(f"{left} by history yet: let the run go on, or start it again", "yellow")
        raise typer.Exit(1)
    more = f"; history has {found.more:,} more, behind its last snapshot" if found.more else ""
    screen.out.print(
        f"identical: {found.events:,} events, sha256 {found.digest[:16]}{more}", highlight=False
    )
