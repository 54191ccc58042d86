"""A replay's events are compared with history's, and the first that differs is named."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from connectors.events_file import line
from infra.verify import parity
from infra.verify.parity import Parity, compare
from schemas import Averages, Event, Fill, Gap, Halt, Order, Refused
from schemas.tables import BORN_ON_TAPE, Record, block, table

A, B = "okx:A/USD", "okx:B/USD"
FILL = Fill(A, 4, 1, 1, "buy", Decimal("100.50"), Decimal("2.0"), Decimal("-0.10"), "USD", "t1")
TOLD: list[Event] = [
    Averages(A, 1, {"sma2": 0.1 + 0.2, "ema3": 2.0}),
    Order(A, 3, 1, 1, "enter", "buy", Decimal("2"), "often", expected=Decimal("100.5")),
    FILL,
    Gap(A, 5, "ids", 5, 6, "1", "7"),
    Halt(B, 7, "halted", "by me"),
    Refused(B, 8, "long", "the market is halted"),
]
RECORDS = [Record(n % 4, event) for n, event in enumerate(TOLD)]
Check = Callable[[Sequence[Record], Sequence[Record]], Parity]


@pytest.fixture
def check(reader: Client, writer: Client, tmp_path: Path) -> Check:
    def made(replayed: Sequence[Record], kept: Sequence[Record]) -> Parity:
        run = uuid.uuid4().hex
        for kind in BORN_ON_TAPE:
            records = [record for record in kept if type(record.event) is kind]
            if records:
                rows = pa.Table.from_batches([block("flow", run, kind, records)])
                writer.insert_arrow(table(kind), rows)
        file = tmp_path / "events.jsonl"
        file.write_bytes(b"".join(map(line, replayed)))
        return compare(file, reader, "flow", run)

    return made


@pytest.mark.parametrize("rows", [1, 2, 20_000])
def test_what_is_the_same_is_identical_with_one_hash(
    check: Check, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(parity, "_ROWS", rows)
    found = check(RECORDS, RECORDS)
    assert (found.events, found.more, found.difference) == (6, 0, None)
    assert found.digest == check(RECORDS, RECORDS).digest
    assert found.digest != check(RECORDS[:-1], RECORDS).digest


def test_the_first_that_differs_is_named_with_what_stands_in_front_of_it(check: Check) -> None:
    other = [*RECORDS]
    other[2] = Record(2, replace(FILL, price=Decimal("100.51")))
    other[4] = Record(0, Halt(B, 7, "halted", "by you"))
    difference = check(RECORDS, other).difference
    assert difference is not None
    before, kept, replayed = difference.lines()
    assert '"seq":1,' in before
    assert '"price":"100.51"' in kept
    assert '"price":"100.5' in replayed
    assert '"price":"100.51"' not in replayed


def test_what_history_has_not_is_a_difference_and_what_it_has_besides_is_counted(
    check: Check,
) -> None:
    difference = check(RECORDS, RECORDS[:-1]).difference
    assert difference is not None
    assert "in history: nothing" in [*difference.lines()][1]
    assert check(RECORDS[:-1], RECORDS).more == 1
    assert check(RECORDS[:4], RECORDS).more == 2
