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
"""Trades of each day."""
DAYS = (2, 3, 4, 33)


@pytest.fixture(scope="module")
def market(writer: Client) -> str:
    """Keep four days, each in three parts of the same stretch, as what comes from many feeds."""
    market = f"reads:{uuid4().hex}"
    for part in range(3):
        rows = [block(market, number, part) for number in range(len(DAYS))]
        writer.insert_arrow("trades", pa.Table.from_batches(rows))
    return market


def block(market: str, number: int, part: int) -> pa.RecordBatch:
    ts = START + DAYS[number] * DAY + np.arange(part, ROWS, 3) * SECOND
    one, place = np.ones(len(ts)), Position("reads/0", 3 * number + part, 0)
    side = one.astype(np.int8)
    trades = Trades.of(market, ts, one, one, side, np.arange(len(ts)), at=place)
    return outside_block(Trades, [trades])


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
