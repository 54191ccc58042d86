"""`deck sql`, as a user runs it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner, Result

from infra.history import sql
from infra.history.history import History


@pytest.fixture(autouse=True)
def here(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPEDECK_HOME", str(history.settings.home))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("CLICKHOUSE_URL", raising=False)


def deck(*words: str) -> Result:
    app = typer.Typer()
    app.command()(sql.sql)
    return CliRunner().invoke(app, words)


def test_a_table_has_numbers_to_the_right_times_in_utc_and_nulls() -> None:
    query = """
        SELECT number * 1000 AS n, 'x' AS name, NULL AS nothing, 0.1 AS f, 1.50::Decimal(9, 2) AS d,
        toDateTime64('2026-01-01 12:00:00.5', 9, 'UTC') AS t FROM numbers(2);
    """
    lines = deck(query).stdout.splitlines()
    assert lines[1].replace(" ", "") == "┃n┃name┃nothing┃f┃d┃t┃"
    assert lines[3] == "│    0 │ x    │ NULL    │ 0.1 │ 1.5 │ 2026-01-01 12:00:00.500 │"
    assert lines[4].startswith("│ 1000 │")


def test_a_long_answer_is_cut_and_says_how_to_see_all() -> None:
    assert (
        "The first 3 rows: --rows 0 shows all"
        in deck("SELECT * FROM numbers(9)", "--rows", "3").stdout
    )
    assert len(deck("SELECT * FROM numbers(200)", "--rows", "0").stdout.splitlines()) == 204
    assert "shows all" not in deck("SELECT * FROM numbers(3)", "--rows", "3").stdout


def test_a_wide_answer_is_cut_and_names_the_rest(history: History) -> None:
    out = io.StringIO()
    query = f"SELECT {', '.join(f'{n} AS column{n}' for n in range(12))}"
    with history.client("reader") as client:
        sql.show(client, query, 10, Console(file=out, width=60, force_terminal=True))
    assert "7 more columns (column5, column6," in out.getvalue().replace("\n", " ")


def test_markup_in_a_value_is_only_text() -> None:
    assert "[bold]x[/bold]" in deck("SELECT '[bold]x[/bold]' AS a").stdout


def test_no_rows_are_said_to_be_none() -> None:
    assert deck("SELECT 1 WHERE 0").stdout == "No rows.\n"


def test_csv_and_json_are_what_programs_read() -> None:
    query = """
        SELECT 9007199254740993 AS n, 'a,"b' AS s, 0.1 AS f, '1.50'::Decimal(9, 2) AS d,
        toDateTime64('2026-01-01', 9, 'UTC') AS t, NULL AS z
    """
    [head, row] = csv.reader(io.StringIO(deck(query, "--format", "csv").stdout))
    assert head == ["n", "s", "f", "d", "t", "z"]
    when = "2026-01-01T00:00:00.000000000Z"
    assert row == ["9007199254740993", 'a,"b', "0.1", "1.5", when, "\\N"]
    assert json.loads(deck(query, "--format", "json").stdout) == [
        {"n": 9007199254740993, "s": 'a,"b', "f": 0.1, "d": "1.5", "t": when, "z": None}
    ]


def test_json_is_one_array_however_many_rows_there_are() -> None:
    query = "SELECT number FROM numbers(200000)"
    assert len(json.loads(deck(query, "--format", "json").stdout)) == 200_000


def test_parquet_goes_to_a_file_or_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    assert (
        deck(
            "SELECT number FROM numbers(5)", "--format", "parquet", "--output", str(path)
        ).exit_code
        == 0
    )
    assert pq.read_table(path)["number"].to_pylist() == [0, 1, 2, 3, 4]
    piped = deck("SELECT number FROM numbers(5)", "--format", "parquet").stdout_bytes
    assert pq.read_table(io.BytesIO(piped)).num_rows == 5
    assert [p.name for p in tmp_path.iterdir()] == ["out.parquet"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["SELECT * FROM candels"], "Maybe you meant tapedeck.candles? Tables: "),
        (["SELECT nope"], "Unknown expression identifier `nope`\n"),
        (["SELECT 1 2"], "syntax error here:\n  SELECT 1 2\n           ^\n"),
        (["SELECT 'ж',\n 'ж' 2"], "syntax error here:\n   'ж' 2\n       ^\n"),
        (["SELECT (1"], "syntax error at the end of the query:\n  SELECT (1\n           ^\n"),
        (["DROP TABLE runs"], "reader may not run DROP: it may SELECT, SHOW TABLES"),
        (["SELECT file('x')", "--format", "csv"], "reader may not use the function file\n"),
        (["SELECT 1", "--output", "x"], "a table is to look at: --format csv, json or parquet\n"),
        (["SELECT 1", "--format", "csv", "--output", "/nowhere/x"], "/nowhere/x"),
    ],
)
def test_what_is_wrong_is_said_in_few_words(words: list[str], told: str) -> None:
    result = deck(*words)
    assert result.exit_code == 1
    assert told in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
