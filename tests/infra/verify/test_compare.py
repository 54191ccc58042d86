"""A stretch is compared with history's rows of the same numbers, market by market."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client

from connectors.events_file import line
from infra.verify import compare as comparing
from infra.verify.compare import Compared, compare, lines
from infra.verify.parity import Kept
from schemas import Averages, Event, Fill, Halt, Refused
from schemas.tables import BORN_ON_TAPE, Record, block, table

A, B = "okx:A/USD", "okx:B/USD"
FILL = Fill(A, 4, 1, 1, "buy", Decimal("100.50"), Decimal("2.0"), Decimal("-0.10"), "USD", "t1")
TOLD: list[tuple[int, Event]] = [
    (7, Averages(A, 1, {"sma2": 0.1 + 0.2})),
    (8, FILL),
    (9, Refused(A, 8, "long", "already long")),
    (2, Halt(B, 3, "halted", "by me")),
    (3, Refused(B, 8, "long", "the market is halted")),
]
RECORDS = [Record(*one) for one in TOLD]
SINCE, UNTIL = {A: 7, B: 2}, {A: 10, B: 4}
Check = Callable[..., Compared]


@pytest.fixture
def check(reader: Client, writer: Client, tmp_path: Path) -> Check:
    def made(
        replayed: Sequence[Record], kept: Sequence[Record], until: Mapping[str, int] = UNTIL
    ) -> Compared:
        run = uuid.uuid4().hex
        for kind in BORN_ON_TAPE:
            if records := [record for record in kept if type(record.event) is kind]:
                rows = pa.Table.from_batches([block("flow", run, kind, records)])
                writer.insert_arrow(table(kind), rows)
        file = tmp_path / "events.jsonl"
        file.write_bytes(b"".join(map(line, replayed)))
        return compare(file, Kept(reader, {"flow": "flow", "run": run}), SINCE, until)

    return made


@pytest.mark.parametrize("rows", [1, 20_000])
def test_what_stands_in_front_and_behind_is_of_other_stretches(
    check: Check, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(comparing, "_ROWS", rows)
    others = [Record(6, Halt(A, 0, "halted", "")), Record(4, Halt(B, 9, "halted", ""))]
    found = check(RECORDS, [*RECORDS, *others])
    assert (found.events, found.markets, found.first) == (5, 0, None)
    assert found.digest != check(RECORDS[:-1], RECORDS[:-1]).digest


def test_of_several_markets_the_earliest_on_the_tape_is_named(check: Check) -> None:
    other = [*RECORDS]
    other[2] = Record(9, Refused(A, 8, "long", "another"))
    other[3] = Record(2, Halt(B, 3, "halted", "by you"))
    found = check(RECORDS, other)
    assert found.markets == 2
    assert found.first is not None
    assert (found.first.market, found.first.seq, found.first.ts) == (B, 2, 3)
    assert found.first.fields == {"why": ("by me", "by you")}


def test_it_is_shown_field_by_field_between_its_neighbours(check: Check) -> None:
    other = [*RECORDS]
    other[1] = Record(8, replace(FILL, price=Decimal("100.51"), trade_id="t2"))
    first = check(RECORDS, other).first
    assert first is not None
    shown = [*lines(first)]
    assert shown[0].startswith('the same still: {"type":"Averages"')
    assert shown[1].startswith('      replayed: {"type":"Fill"')
    assert shown[2].startswith('    in history: {"type":"Fill"')
    assert shown[3].strip().startswith('price: replayed "100.5')
    assert shown[4].strip() == 'trade_id: replayed "t1", in history "t2"'
    assert shown[5].startswith('next, replayed: {"type":"Refused"')
    assert shown[6].startswith('    next, kept: {"type":"Refused"')


@pytest.mark.parametrize(
    ("replayed", "kept", "seq"),
    [
        (RECORDS, [*RECORDS[:1], *RECORDS[2:]], 8),  # history lacks one
        (RECORDS[:2] + RECORDS[3:], RECORDS, 9),  # the replay lacks the last of a market
        (RECORDS[:3], RECORDS, 2),  # or all of one
        (RECORDS, [*RECORDS, Record(8, Averages(A, 4, {"sma2": 1.0}))], 8),  # one too many
    ],
)
def test_one_more_or_less_is_a_difference(
    check: Check, replayed: list[Record], kept: list[Record], seq: int
) -> None:
    found = check(replayed, kept)
    assert found.first is not None
    assert found.first.seq == seq


def test_without_history_there_is_the_hash(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(map(line, RECORDS)))
    found = compare(file, None, SINCE, UNTIL)
    assert (found.events, found.first) == (5, None)
