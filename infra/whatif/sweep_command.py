"""`deck sweep`: many settings tried on one tape, and what is to be thought of the best."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from enum import Enum
from math import prod
from pathlib import Path
from typing import Annotated

import orjson
import typer

from infra import screen
from infra.history.history import History
from infra.running.chosen import Logs
from infra.running.replay import replay
from infra.running.worker import Job
from infra.screen import Misused, say
from infra.settings import Settings as Home
from infra.whatif import maps, sweep_table
from infra.whatif.arguments import (
    Column,
    Data,
    FromHistory,
    FromKafka,
    FromLog,
    Json,
    Market,
    Markets,
    Picture,
    Since,
    Tape,
    Until,
    given,
)
from infra.whatif.asked import Fork
from infra.whatif.cells import Read, cell_of
from infra.whatif.forking import settings_of
from infra.whatif.grid import axes
from infra.whatif.parents import find
from infra.whatif.sweeping import Asked, Sweep, sweep

_STOPPED = 130
_LOOKS_BACK = 3_600
"""Seconds: with many cells it takes minutes from one block of the tape to the next."""


class By(str, Enum):
    """What the best is the best by."""

    pnl = "pnl"
    gain = "return"
    sharpe = "sharpe"


def command(
    what: Annotated[
        str,
        typer.Argument(
            metavar="FLOW|RUN",
            help="The flow file; or a run, whose flow is tried on its tape.",
            show_default=False,
        ),
    ],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=FROM:TO:COUNT",
            help="What is tried: so many values from one to another, or NAME=A,B,C; once for each.",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    from_log: FromLog = None,
    from_kafka: FromKafka = False,
    from_clickhouse: FromHistory = None,
    since: Since = "",
    until: Until = "",
    markets: Markets = "",
    market: Market = None,
    column: Column = None,
    folds: Annotated[
        int,
        typer.Option(
            min=0, help="How often the best so far is chosen, and judged on what is next."
        ),
    ] = 4,
    by: Annotated[By, typer.Option(help="What the best is the best by; all after fees.")] = By.pnl,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that divide the cells.", show_default="all cores"),
    ] = None,
    keep: Annotated[
        int, typer.Option(min=0, help="So many of the best become runs in history.")
    ] = 0,
    output: Annotated[
        Path | None,
        typer.Option(help="Write all cells there: .parquet, .json or .csv.", show_default=False),
    ] = None,
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    """Try each combination of settings on one tape: NAME=FROM:TO:COUNT, or NAME=A,B,C."""
    with screen.told(), screen.output(alone=as_json) as out:
        if output is not None:
            sweep_table.check(output)
        tape = Tape(
            data, Logs(from_log, from_kafka, from_clickhouse), since, until, markets, market, column
        )
        job = _job(what, tape)
        wanted = given(settings)
        if not wanted:
            raise Misused("--set is missing: name what is tried, such as stop_loss=0.001:0.01:10")
        base = job.fork.changes if job.fork is not None else ()
        asked = Asked(axes(settings_of(job, base).values(), wanted), folds, by.value)
        found = _swept(job, asked, processes or os.cpu_count() or 1)
        if as_json:
            out.write(orjson.dumps(sweep_table.plain(found)) + b"\n")
        else:
            _show(found)
        for line in sweep_table.troubles(found):
            say(line, "yellow")
        _write(found, output, picture)
        _keep(job, found, keep)
        if not found.finished:
            say("stopped before the end: what is told is of a part of the tape", "yellow")
            raise typer.Exit(_STOPPED)


def _job(what: str, tape: Tape) -> Job:
    """Return the job of a flow file, or of a run."""
    if what.endswith(".py") or Path(what).is_file():
        return tape.job(Path(what))
    if tape.named:
        raise Misused(f"{what} is a run, and has a tape of its own: leave out where to read one")
    home = Home.from_environment()
    with closing(History(home).client("reader")) as client:
        parent = find(what, client, home, None)
    if parent.said:
        say(parent.said, "yellow")
    return replace(parent.job, fork=Fork(parent.run.run, parent.changes))


def _swept(job: Job, asked: Asked, processes: int) -> Sweep:
    count = prod(len(axis.values) for axis in asked.axes)
    with screen.bar(f"sweep {job.flow.stem}", _LOOKS_BACK) as bar:
        task = bar.add_task("sweep", total=None, note=f"{count:,} cells")

        def watch(parts: Sequence[Read]) -> None:
            # Each process reads all of the tape: how far the slowest is, is how far all are.
            total = max(part.total for part in parts)
            bar.update(task, total=total or None, completed=min(part.read for part in parts))

        return sweep(job, asked, processes, watch)


def _show(found: Sweep) -> None:
    for table in sweep_table.tables(found):
        screen.out.print(table)
    if (drawn := maps.map_of(found)) is not None:
        screen.out.print(maps.shown(found, drawn, screen.out.width))
    for line in sweep_table.lines(found):
        screen.out.print(line, highlight=False, soft_wrap=True)
    cells = len(found.rows) / found.seconds if found.seconds else 0.0
    screen.out.print(
        f"{len(found.rows):,} cells on {found.trades:,} trades in {found.seconds:.2f} s: "
        f"{cells:,.1f} cells/s",
        highlight=False,
    )


def _write(found: Sweep, output: Path | None, picture: Path | None) -> None:
    if output is not None:
        sweep_table.write(found, output)
    if picture is not None:
        drawn = maps.map_of(found)
        if drawn is None:
            raise Misused(f"--picture {picture}: a map needs a setting with more than one value")
        maps.draw(found, drawn, picture)


def _keep(job: Job, found: Sweep, count: int) -> None:
    """Let the best become runs in history."""
    for row in found.rows[:count]:
        if not row.tried.error:
            cell = cell_of(job, row.tried.changes)
            done = replay(cell, None, None, lambda _: None, lambda line: say(line, "yellow"))
            set_ = ", ".join("=".join(one) for one in row.tried.changes)
            screen.out.print(f"run {done.run[:8]}: {set_}", highlight=False)
