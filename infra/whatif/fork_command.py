"""`deck fork`: what a run would have made of its tape with other settings."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from infra import screen
from infra.history.history import History
from infra.options import Events, Processes
from infra.running.playing import watcher
from infra.running.replay import replay
from infra.running.report import troubles
from infra.running.worker import Job
from infra.screen import Misused, say
from infra.settings import Settings as Home
from infra.times import HELP
from infra.verify.which import which
from infra.whatif.arguments import FlowFile, Json, Listing, Picture, Settings, given
from infra.whatif.forking import forked, settings_of
from infra.whatif.knobs import Knob
from infra.whatif.laid import SENT, show, sides_of
from infra.whatif.parents import find
from infra.whatif.values import write

_STOPPED = 130


def fork(
    run: Annotated[
        str,
        typer.Argument(
            help="The run: its id or how that begins, a deployment, or a flow for its latest.",
            show_default=False,
        ),
    ],
    settings: Settings = None,
    at: Annotated[
        str,
        typer.Option(help=f"From when on it is set, by the tape: {HELP}.", show_default=False),
    ] = "",
    listing: Listing = False,
    flow: FlowFile = None,
    processes: Processes = 1,
    events: Events = None,
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    """Replay the tape of a run with other settings, as a run of its own; compare both."""
    with screen.told(), screen.output(alone=as_json) as out:
        home = Home.from_environment()
        with closing(History(home).client("reader")) as client:
            parent = find(run, client, home, flow)
            if listing:
                _list(settings_of(parent.job, parent.changes).values())
                return
            wanted = given(settings)
            if at and not wanted:
                raise Misused("--at without --set: say what is other from then on")
            if parent.said:
                say(parent.said, "yellow")
            job = replace(forked(parent, wanted, at), processes=processes)
            runs, labels = [parent.run], [parent.run.mode]
            if parent.run.mode in SENT and wanted:
                as_it_was = replace(forked(parent, {}, ""), processes=processes)
                runs.append(which(_played(as_it_was, None), client, home.home))
                labels.append("paper as run")
            runs.append(which(_played(job, events), client, home.home))
            labels.append("fork" if len(runs) == 2 else "paper changed")  # noqa: PLR2004 - a pair
            show(sides_of(runs, client, labels), picture, out if as_json else None)


def _played(job: Job, events: Path | None) -> str:
    """Replay a job, and return the id of its run."""
    with screen.bar(f"fork {job.flow.stem}") as bar:
        done = replay(job, None, events, watcher(bar), lambda line: say(line, "yellow"))
    for line in troubles(done, kept=True):
        say(line, "yellow")
    if not done.finished:
        say("stopped before the end; run it again and it begins anew", "yellow")
        raise typer.Exit(_STOPPED)
    return done.run


def _list(knobs: Iterable[Knob]) -> None:
    grid = Table(title="what can be set", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("name", "is", "takes"):
        grid.add_column(name)
    for knob in knobs:
        grid.add_row(knob.name, write(knob.value), knob.kind)
    screen.out.print(grid)
