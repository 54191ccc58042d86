"""Trades that were found too late for the tape."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import OperationalError

from connectors.exchange.late_trades import LateTrades
from connectors.exchange.rest_trades import Traded
from connectors.history.journal import waiting

LATE = [Traded("7", 5, 1.5, 2.5, 1), Traded("8", 6, 1.5, 2.5, -1)]


class Table:
    """A client that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def insert_arrow(self, table: str, rows: pa.Table) -> None:
        assert table == "trades"
        self.rows += rows.to_pylist()


def nobody() -> Client:
    raise OperationalError("nobody is there")


def test_they_go_in_marked_and_are_no_part_of_a_log(tmp_path: Path) -> None:
    table = Table()
    late = LateTrades(lambda: cast("Client", table), tmp_path)
    late.put("okx:A", LATE)
    late.close()
    assert [(r["market"], r["id"], r["backfilled"]) for r in table.rows] == [
        ("okx:A", "7", True),
        ("okx:A", "8", True),
    ]
    assert {row["partition"] for row in table.rows} == {"backfill"}
    assert late.trouble is None


def test_they_wait_for_a_history_that_is_away(tmp_path: Path) -> None:
    late = LateTrades(nobody, tmp_path)
    late.put("okx:A", LATE)
    late.close()
    assert late.trouble == "nobody is there"
    assert len(list(waiting(tmp_path))) == 1
    table = Table()
    LateTrades(lambda: cast("Client", table), tmp_path).close()
    assert len(table.rows) == 2
