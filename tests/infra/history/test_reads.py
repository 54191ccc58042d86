"""What a question has to read: the stretch of time that it is about, and not the rest."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from schemas import DAY, SECOND, Position, Time, Trades
from schemas.tables import outside_block

START: Time = 1_767_225_600 * SECOND
"""2026-01-01."""
ROWS = 60_000
"""Trades of each of four days: a month's partition, and a day of the next."""
DAYS = (2, 3, 4, 33)


@pytest.fixture(scope="module")
def market(writer: Client) -> str:
    market = f"reads:{uuid4().hex}"
    for number, day in enumerate(DAYS):
        ts = START + day * DAY + np.arange(ROWS) * SECOND
        one = np.ones(ROWS)
        place = Position("reads/0", number, 0)
        trades = Trades.of(market, ts, one, one, one.astype(np.int8), np.arange(ROWS), at=place)
        rows = pa.Table.from_batches([outside_block(Trades, [trades])])
        for _ in range(2):  # as after a crash
            writer.insert_arrow("trades", rows)
    return market


def read(client: Client, market: str, since: Time, until: Time) -> tuple[int, int]:
    """Return how many trades there are, and how many rows were read to find them."""
    query = (
        "SELECT id FROM trades WHERE market = {market:String}"
        " AND ts >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')"
        " AND ts < fromUnixTimestamp64Nano({until:Int64}, 'UTC')"
    )
    asked = {"market": market, "since": since, "until": until}
    answer = client.query(query, asked)
    return answer.row_count, int(answer.summary["read_rows"])


def test_an_hour_is_found_without_reading_its_month(reader: Client, market: str) -> None:
    since = START + 3 * DAY + 3600 * SECOND
    found, rows = read(reader, market, since, since + 3600 * SECOND)
    assert found == 3_600
    assert rows < ROWS


def test_a_month_is_found_without_reading_the_others(reader: Client, market: str) -> None:
    found, rows = read(reader, market, START + 33 * DAY, START + 34 * DAY)
    assert found == ROWS
    assert rows < 3 * ROWS
