"""Migrations, on a real database of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from infra.history.history import History
from infra.history.migrate import Migration, MigrationError, pending, read, run, statements
from infra.settings import Settings

ONE = Migration("0001_one", "CREATE TABLE IF NOT EXISTS one (a Int8) ENGINE = Memory;")
TWO = Migration("0002_two", "ALTER TABLE one ADD COLUMN IF NOT EXISTS b Int8;")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Give an owner of a history whose own tables are as this version has them."""
    kept = History(Settings(tmp_path_factory.mktemp("fresh")))
    with kept.client("owner") as client:
        yield client
    kept.stop()


@pytest.fixture
def empty(fresh: Client) -> Client:
    """Give the same, as if nothing had been applied."""
    fresh.command("TRUNCATE TABLE migrations")
    fresh.command("DROP TABLE IF EXISTS one")
    return fresh


def applied(client: Client) -> list[str]:
    rows = client.query("SELECT name FROM migrations ORDER BY name").result_rows
    return [str(name) for (name,) in rows]


def test_a_new_history_has_all_tables_of_this_version(reader: Client) -> None:
    names = [m.name for m in read()]
    assert applied(reader) == names
    assert names[0] == "0001_runs"
    assert reader.command("EXISTS TABLE runs") == 1


def test_each_is_applied_once_in_order(empty: Client) -> None:
    assert run(empty, [ONE]) == ["0001_one"]
    assert run(empty, [ONE, TWO]) == ["0002_two"]
    assert run(empty, [ONE, TWO]) == []
    assert applied(empty) == ["0001_one", "0002_two"]
    assert empty.command("SELECT count() FROM one WHERE b = 0") == 0


def test_one_that_fails_is_not_recorded_and_can_be_mended(empty: Client) -> None:
    broken = Migration(TWO.name, f"{TWO.text} ALTER TABLE nowhere ADD COLUMN x Int8;")
    with pytest.raises(ClickHouseError, match="nowhere"):
        run(empty, [ONE, broken])
    assert applied(empty) == ["0001_one"]
    assert run(empty, [ONE, TWO]) == ["0002_two"]


def test_a_file_changed_afterwards_is_refused_with_the_choices(empty: Client) -> None:
    run(empty, [ONE])
    changed = Migration(ONE.name, ONE.text + " -- better")
    with pytest.raises(MigrationError, match=r"0001_one.sql was changed .*restore.*TAPEDECK_HOME"):
        run(empty, [changed])


def test_a_history_of_a_newer_version_is_refused_with_the_choices(empty: Client) -> None:
    run(empty, [ONE, TWO])
    with pytest.raises(MigrationError, match=r"newer Tapedeck \(it has 0002_two\): upgrade"):
        run(empty, [ONE])


def test_one_put_in_between_is_refused() -> None:
    with pytest.raises(MigrationError, match=r"0001_one.sql comes before 0002_two"):
        pending([ONE, TWO], {TWO.name: TWO.sha256})


@pytest.mark.parametrize("names", [["1_x"], ["0001_x", "0001_y"], ["0001 x"], ["0001"]])
def test_a_bad_file_name_is_refused(names: list[str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / f"{name}.sql").write_text("SELECT 1;")
    with pytest.raises(MigrationError, match=r"name it NNNN_name\.sql"):
        read(tmp_path)


def test_a_statement_ends_at_a_semicolon_that_is_one() -> None:
    text = "SELECT ';', \"a;b\", `c;`, 'it''s;', 'a\\';'; /* ; */ SELECT 2 -- ;\n;;\n-- end;"
    assert list(statements(text)) == [
        "SELECT ';', \"a;b\", `c;`, 'it''s;', 'a\\';'",
        "/* ; */ SELECT 2 -- ;",
    ]


def test_every_statement_of_ours_bears_repetition(fresh: Client) -> None:
    for migration in read():
        for statement in statements(migration.text):
            fresh.command(statement)
