"""`deck history show`: rows of a table or view, to look at or to go on with."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from clickhouse_connect.driver.exceptions import DatabaseError
from rich.table import Table

from infra import times
from infra.history.history import app
from infra.history.home import HistoryError
from infra.history.past import Past
from infra.history.sql import Format, answer, cell, explain
from infra.history.topics import TOPICS
from infra.screen import out, told

_LOOKED_AT = 100
"""Rows of a table to look at, if nobody says how many."""


@app.callback(invoke_without_command=True)
def history(context: typer.Context) -> None:
    """Ask what history keeps; start and stop the embedded ClickHouse."""
    if context.invoked_subcommand is None:
        topics()


@app.command("show")
def show(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="WHAT", help="Such as candles, positions, daily or equity; all without it."
        ),
    ] = None,
    since: Annotated[str | None, typer.Option(help=f"From then on: {times.HELP}.")] = None,
    until: Annotated[str | None, typer.Option(help="In front of then.")] = None,
    flow: Annotated[str | None, typer.Option(help="Of this flow.")] = None,
    market: Annotated[str | None, typer.Option(help="Of this market.")] = None,
    run: Annotated[
        str | None,
        typer.Option(
            help="Of this run: how its id begins, or a flow or a deployment for its latest."
        ),
    ] = None,
    last: Annotated[
        int | None,
        typer.Option(
            "--limit", "--last", min=0,
            help="So many of the last rows; 0 is all. A table has 100, a file all.",
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.table,
    output: Annotated[Path | None, typer.Option(help="The file to write; else stdout.")] = None,
) -> None:  # fmt: skip
    """Show what history keeps: any table or view, by time, flow, market and run."""
    if name is None:
        topics()
        return
    brief = form is Format.table
    if last is None and brief:
        last = _LOOKED_AT
    with told(), closing(Past()) as past:
        wanted = past.wanted(market, flow, run, since, until, last or None)
        query, parameters = past.question(name, wanted, brief=brief)
        try:
            rows = answer(past.client, query, form, output, 0, parameters)
        except DatabaseError as error:
            raise HistoryError(explain(error, query, past.client)) from None
        if rows == 0 and (since or until):
            _elsewhen(past.span(name, wanted))


def _elsewhen(found: tuple[date, date, int] | None) -> None:
    """Say at which times there are rows, where none are at those that were asked for."""
    if found is None:
        out.print("There are none at any other time, either.", highlight=False)
        return
    first, last, count = found
    out.print(f"There are {count:,}, from {cell(first)} to {cell(last)}.", highlight=False)


def topics() -> None:
    """Print what can be asked."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, topic in TOPICS.items():
        table.add_row(name, topic.a_row)
    out.print("deck history show WHAT --since 2h --market M; a row is\n", highlight=False)
    out.print(table, highlight=False)
    out.print(
        "\nAlso --until, --flow, --run, --limit, --format csv, json or parquet.\n"
        "deck sql asks in SQL; deck history --help lists what starts, stops and keeps history.",
        highlight=False,
    )
