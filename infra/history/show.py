"""`deck history show`: rows of a table or view, to look at or to go on with."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import DatabaseError

from infra import times
from infra.history.history import app
from infra.history.home import HistoryError
from infra.history.past import Past
from infra.history.sql import Format, answer, explain
from infra.screen import told

_LOOKED_AT = 100
"""Rows of a table to look at, if nobody says how many."""


@app.command("show")
def show(
    name: Annotated[
        str, typer.Argument(help="A table or view, such as candles, positions, daily or equity.")
    ],
    since: Annotated[str | None, typer.Option(help=f"From then on: {times.HELP}.")] = None,
    until: Annotated[str | None, typer.Option(help="In front of then.")] = None,
    flow: Annotated[str | None, typer.Option(help="Of this flow.")] = None,
    market: Annotated[str | None, typer.Option(help="Of this market.")] = None,
    run: Annotated[str | None, typer.Option(help="Of this run; its first characters do.")] = None,
    last: Annotated[
        int | None,
        typer.Option(
            min=0, help="So many of the last rows; 0 is all. A table has 100, a file all."
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.table,
    output: Annotated[Path | None, typer.Option(help="The file to write; else stdout.")] = None,
) -> None:
    """Show what history keeps: any table or view, by time, flow, market and run."""
    brief = form is Format.table
    if last is None and brief:
        last = _LOOKED_AT
    with told(), closing(Past()) as past:
        wanted = past.wanted(market, flow, run, since, until, last or None)
        query, parameters = past.question(name, wanted, brief=brief)
        try:
            answer(past.client, query, form, output, 0, parameters)
        except DatabaseError as error:
            raise HistoryError(explain(error, query, past.client)) from None
