"""A replay for whoever looks on: a bar while it goes, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import orjson
import typer
from rich.progress import Progress

from infra import screen
from infra.running import report
from infra.running.closing import tables
from infra.running.far import Far, whole
from infra.running.replay import Watcher, replay
from infra.running.unmet import unmet
from infra.running.worker import Job
from infra.screen import say

_STOPPED = 130


def play(job: Job, recovery: Path | None, events: Path | None, json: BinaryIO | None) -> str:
    """Replay, show how far it is and what came of it, and return the run's id."""
    with screen.bar(f"replay {job.flow.stem}") as bar:
        done = replay(job, recovery, events, watcher(bar), lambda line: say(line, "yellow"))
    if json is not None:
        json.write(orjson.dumps(report.summary(done)) + b"\n")
    else:
        for table in tables(done, screen.out.width):
            screen.out.print(table)
        speed = done.trades / done.seconds if done.seconds else 0.0
        screen.out.print(
            f"{done.trades:,} trades in {done.seconds:.2f} s: {speed:,.0f} ticks/s", highlight=False
        )
    for line in (*unmet(job, done.markets), *report.troubles(done, kept=job.history)):
        say(line, "yellow")
    if not done.finished:
        again = "it goes on from here" if recovery else "it begins anew"
        say(f"stopped before the end; run it again and {again}", "yellow")
        raise typer.Exit(_STOPPED)
    return done.run


def watcher(bar: Progress) -> Watcher:
    """Return what shows on a bar how far a replay is."""
    task = bar.add_task("replay", total=None, note="")

    def watch(parts: list[Far]) -> None:
        at = whole(parts)
        note = f"{at.trades:,} trades"
        bar.update(task, total=at.total or None, completed=at.read, note=note)

    return watch
