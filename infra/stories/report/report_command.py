"""`deck report`: a run as one HTML file."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.client import Client
from rich.text import Text

from connectors.disk import kept
from infra import screen
from infra.history.history import History
from infra.settings import Settings
from infra.verify.which import Run, which

_MOST = 1_000
"""Rows of a table."""


def report(
    run: Annotated[
        str,
        typer.Argument(
            help="A run's id or how that begins, or the name of a flow or a deployment.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None, typer.Option(help="The file to write.", show_default="in the home")
    ] = None,
) -> None:
    """Write what a run did as one HTML file, to be opened in a browser and kept."""
    with screen.told():
        tell(Settings.from_environment(), run, output)


def tell(settings: Settings, run: str, output: Path | None = None) -> None:
    """Write the report of a run, and say where it is.

    Parameters
    ----------
    settings
        Where history is.
    run
        Which run is meant.
    output
        Where it goes, if not into the home.

    """
    with closing(History(settings).client("reader")) as client:
        found = which(run, client, settings.home)
        path = output or settings.home / "reports" / f"{found.flow}-{found.run[:8]}.html"
        write(client, found, path)
    screen.out.print(Text(f"report: {path}"), soft_wrap=True)


def write(client: Client, run: Run, path: Path) -> None:
    """Write the report of a run.

    Parameters
    ----------
    client
        Reads history.
    run
        Which.
    path
        Where it goes; directories are made.

    """
    from infra.stories.report.charts import charts  # noqa: PLC0415 - pictures take a second
    from infra.stories.report.figures import figures  # noqa: PLC0415
    from infra.stories.report.page import page  # noqa: PLC0415

    found = figures(client, run, _MOST)
    text = page(run, found, charts(client, run, found), _MOST, time.time_ns())
    with kept("the report", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
