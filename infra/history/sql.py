"""`deck sql`: ask history, as its reader; a table to look at, or a file to go on with."""

import re
import shutil
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeAlias, cast

import typer
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from infra.history.history import History
from infra.history.home import HistoryError, explained, told

_WIDEST = 40
"""Characters of a column that are shown, at most, on a terminal."""
_ENDLESS = 1 << 16
"""Characters of a line that is no terminal's."""

_UNKNOWN_TABLE, _SYNTAX = 60, 62

Parameters: TypeAlias = dict[str, object] | None
"""What stands for `{name:Type}` in a query."""


class Format(str, Enum):
    """What `deck sql` writes."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"


_CLICKHOUSE: dict[Format, tuple[str, dict[str, Any]]] = {
    Format.csv: ("CSVWithNames", {"date_time_output_format": "iso"}),
    Format.json: (
        "JSONEachRow",
        {
            "date_time_output_format": "iso",
            "output_format_json_array_of_rows": 1,
            "output_format_json_quote_decimals": 1,
        },
    ),
    Format.parquet: ("Parquet", {}),
}


def sql(
    query: Annotated[str, typer.Argument(help="One SELECT, SHOW, DESCRIBE or EXPLAIN.")],
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.table,
    output: Annotated[Path | None, typer.Option(help="The file to write; else stdout.")] = None,
    rows: Annotated[int, typer.Option(help="Rows of a table to show; 0 shows all.")] = 100,
) -> None:
    """Ask history a question in SQL."""
    with told(), History().client("reader") as client:
        query = query.strip().rstrip(";")
        try:
            answer(client, query, form, output, rows)
        except DatabaseError as error:
            raise HistoryError(explain(error, query, client)) from None


def answer(
    client: Client,
    query: str,
    form: Format,
    output: Path | None,
    rows: int,
    parameters: Parameters = None,
) -> int | None:
    """Write what a query answers, in a form, to a file or stdout.

    Returns how many rows a table shows; of a file nobody counts them.
    """
    if form is not Format.table:
        _write(client, query, form, output, parameters)
        return None
    if output:
        raise HistoryError("a table is to look at: --format csv, json or parquet")
    width = None if _looked_at() else _ENDLESS
    return show(client, query, rows, Console(width=width), parameters)


def show(
    client: Client, query: str, rows: int, console: Console, parameters: Parameters = None
) -> int:
    """Print a table, cut to `rows` and to the columns that fit; return how many rows it has."""
    with client.query_row_block_stream(query, parameters) as stream:
        source = stream.source
        names, types = source.column_names, [kind.name for kind in source.column_types]
        taken: list[Sequence[object]] = []
        for block in stream:
            taken.extend(block)
            if rows and len(taken) > rows:
                break
    shown = taken[:rows] if rows else taken
    cells = [[cell(value) for value in row] for row in shown]
    fit = _fitting(names, cells, console.width)
    table = Table(header_style="bold", row_styles=["", "on grey7"] if console.is_terminal else None)
    for name, kind in list(zip(names, types, strict=True))[:fit]:
        right = re.search(r"\b(U?Int|Float|Decimal|BFloat)\d*", kind) is not None
        table.add_column(
            escape(name), justify="right" if right else "left", overflow="ellipsis", no_wrap=True,
            max_width=_WIDEST if console.is_terminal else None,
        )  # fmt: skip
    for row in cells:
        table.add_row(*row[:fit])
    if names:
        console.print(table)
    for note in _notes(len(shown), len(taken) > len(shown), names[fit:]):
        console.print(note, style="dim", highlight=False)
    return len(shown)


def _looked_at() -> bool:
    return sys.stdout.isatty()


def _fitting(names: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> int:
    """Return how many columns fit into a width, the first in any case."""
    used = 1
    for place, name in enumerate(names):
        widest = max(len(name), *(len(row[place]) for row in cells), 0)
        used += min(widest, _WIDEST) + len(" │ ")
        if used > width and place:
            return place
    return len(names)


def explain(error: DatabaseError, query: str, client: Client) -> str:
    """Return a short text of what is wrong with a query, and what would be right."""
    text = str(error)
    found = re.search(
        r"DB::Exception: (.*?)\s*(?:\(([A-Z_]+)\))?\s*(?:\(for url [^)]*\))?$", text, re.S
    )
    why = re.sub(r"[:.]? In scope .*", "", found[1], flags=re.S) if found else text
    if error.code == _UNKNOWN_TABLE:
        names = [str(name) for (name,) in client.query("SHOW TABLES").result_rows]
        what = re.sub(r"[. ]*$", ".", why).replace("?.", "?")
        return f"{what} Tables: {', '.join(names) or 'none yet'}"
    if error.code == _SYNTAX and (at := re.search(r"failed at position (\d+)", why)):
        return f"syntax error {_where(query, int(at[1]))}"
    return why.rstrip()


def _write(
    client: Client, query: str, form: Format, output: Path | None, parameters: Parameters
) -> None:
    name, settings = _CLICKHOUSE[form]
    if output is None and form is Format.parquet and sys.stdout.isatty():
        raise HistoryError("parquet is not to look at: --output FILE, or into a pipe")
    stream = cast(BinaryIO, client.raw_stream(query, parameters, settings, name))
    with closing(stream), explained(output or Path("stdout")):
        if output is None:
            shutil.copyfileobj(stream, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        part = output.with_name(f".{output.name}.part")
        with part.open("wb") as file:
            shutil.copyfileobj(stream, file)
        part.replace(output)


def cell(value: object) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return "[dim]NULL[/dim]"
    if isinstance(value, datetime):
        utc = value.astimezone(timezone.utc) if value.tzinfo else value
        return f"{utc:%Y-%m-%d %H:%M:%S.%f}".removesuffix("000").removesuffix(".000")
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return escape(" ".join(str(value).split()))


def _notes(rows: int, more: bool, hidden: Sequence[str]) -> list[str]:
    notes = []
    if more:
        notes.append(f"The first {rows:,} rows: --rows 0 shows all, --format csv writes them.")
    if hidden:
        names = ", ".join(hidden)
        notes.append(f"{len(hidden)} more columns ({names}): name those to see, or --format csv.")
    if not rows:
        notes.append("No rows.")
    return notes


def _where(query: str, position: int) -> str:
    """Point at a character of a query; ClickHouse counts bytes from 1."""
    before = query.encode()[: position - 1].decode(errors="ignore")
    line = query.splitlines()[min(before.count("\n"), query.count("\n"))]
    column = len(before.rpartition("\n")[2])
    if len(before) >= len(query):
        return f"at the end of the query:\n  {line}\n  {' ' * column}^"
    return f"here:\n  {line}\n  {' ' * column}^"
