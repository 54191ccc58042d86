"""What the commands of this room share of their options."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from infra.listed import listed
from infra.running import flowfile
from infra.running.chosen import Logs, markets_of, origin_of, pairs
from infra.running.worker import Job
from infra.screen import Misused
from infra.times import HELP, parse_time

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="What is set otherwise, such as stop_loss=0.005; once for each.",
        show_default=False,
    ),
]
FlowFile = Annotated[
    Path | None,
    typer.Option("--flow", help="The flow file, if it is not where it was.", show_default=False),
]
Picture = Annotated[
    Path | None,
    typer.Option(help="Draw it there, as .png or .svg.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print it as one JSON object.")]
Listing = Annotated[
    bool, typer.Option("--settings", help="List what can be set, and what it is; do nothing.")
]


def given(settings: list[str] | None) -> dict[str, str]:
    """Return what is set, by name.

    Examples
    --------
    >>> given(["stop_loss=0.005", "MODEL=forest"])
    {'stop_loss': '0.005', 'MODEL': 'forest'}

    """
    found: dict[str, str] = {}
    for text in settings or []:
        name, is_, value = (part.strip() for part in text.partition("="))
        if not (name and is_ and value):
            raise Misused(f"--set {text}: write it as NAME=VALUE, such as stop_loss=0.005")
        if name in found:
            raise Misused(f"--set {text}: {name} is set twice")
        found[name] = value
    return found


class Tape(NamedTuple):
    """The tape that a flow is to be tried on, as the options name it."""

    data: list[Path] | None
    logs: Logs
    since: str
    until: str
    markets: str
    market: list[str] | None
    column: list[str] | None

    @property
    def named(self) -> bool:
        """Whether any of it was given."""
        return any((self.data, *self.logs, self.since, self.until, self.markets, self.market))

    def job(self, flow: Path) -> Job:
        """Return the job of a flow on it."""
        for text in filter(None, (self.since, self.until)):
            parse_time(text, time.time_ns())
        names = markets_of(self.market or []), pairs(self.column or [], "--column", "price=last")
        return Job(
            flow=flow,
            origin=origin_of(self.data, names, self.logs, follow=False),
            since=self.since,
            until=self.until,
            markets=tuple(sorted(listed(self.markets))),
            costs=flowfile.load(flow).costs,
            started=time.time_ns(),
        )


Data = Annotated[
    list[Path] | None,
    typer.Option("--data", help="Recorded ticks, as deck replay takes them.", show_default=False),
]
FromLog = Annotated[
    str | None,
    typer.Option(
        "--from-log", metavar="[DIR]", help="The embedded log, as it is now.", show_default=False
    ),
]
FromKafka = Annotated[bool, typer.Option("--from-kafka", help="Kafka, as it is now.")]
FromHistory = Annotated[
    str | None,
    typer.Option(
        "--from-clickhouse",
        metavar="[LOG]",
        help="What history keeps of a log.",
        show_default=False,
    ),
]
Since = Annotated[
    str, typer.Option(help=f"Only what is stamped from then on: {HELP}.", show_default=False)
]
Until = Annotated[str, typer.Option(help="Only what is stamped before then.", show_default=False)]
Markets = Annotated[str, typer.Option(help="Only these, with commas between.", show_default=False)]
Market = Annotated[
    list[str] | None,
    typer.Option(help="The name of the market, as deck replay takes it.", show_default=False),
]
Column = Annotated[
    list[str] | None,
    typer.Option(help="OURS=THEIRS: what a column is called in the data.", show_default=False),
]
