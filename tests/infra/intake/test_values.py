"""`deck values`: numbers of other sources, from a file or a program, on the tapes of markets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors.log.source import LogSource
from infra.log.log import MarketLog
from infra.settings import Settings
from schemas import Event, Reject, Trades, Value
from schemas.wire import encode
from tests.connectors.recording_rig import play
from tests.infra.rig import Rig

MARKET = "okx:A/B"
GOOD = '{"market": ["okx:A/B", "okx:C/D"], "series": "fear", "value": 21, "ts": 7}'
FLOW = """
from operators import Tape, base, entries, long
from schemas import Value


def afraid(now):
    return long(base(1), reason="fear") if now.values["fear"] > 20 else None


def strategy(tape: Tape) -> Tape:
    return entries("entries", tape, on=Value, rule=afraid)
"""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    yield Rig(tmp_path)
    MarketLog(Settings(tmp_path)).stop()


def tapes(rig: Rig) -> dict[str, list[Event]]:
    with closing(MarketLog(Settings(rig.home)).log()) as log:
        return play(lambda: LogSource(log))


def test_the_numbers_of_a_file_stand_on_the_tapes_they_are_for(rig: Rig) -> None:
    (rig.home / "fear.jsonl").write_text(f"{GOOD}\nnonsense\n")
    said = rig.deck("values", "fear.jsonl")
    assert "2 numbers are in the log" in said.out
    assert "1 could not be read" in said.err
    found = tapes(rig)
    for market in (MARKET, "okx:C/D"):
        [value] = found[market]
        assert isinstance(value, Value)
        assert (value.ts, value.series, value.value) == (7, "fear", 21.0)
    [reject] = found["values:unknown"]
    assert isinstance(reject, Reject)
    assert reject.payload == "nonsense"


def test_a_program_can_tell_numbers_as_it_learns_them(rig: Rig) -> None:
    said = rig.deck("values", "-", into=GOOD)
    assert "2 numbers are in the log" in said.out
    [value] = tapes(rig)[MARKET]
    assert isinstance(value, Value)
    assert value.received is not None


def test_a_rule_sees_them(rig: Rig) -> None:
    with closing(MarketLog(Settings(rig.home)).client()) as client:
        client.append(MARKET, encode(Trades.of(MARKET, [5], [1.0], [1.0])))
    rig.deck("values", "-", into=GOOD)
    (rig.home / "afraid.py").write_text(FLOW)
    rig.deck("replay", "afraid.py", "--from-log", "--events", "out.jsonl", "--no-history")
    assert '"type":"Signal"' in (rig.home / "out.jsonl").read_text()


@pytest.mark.parametrize("options", [(), ("-", "--topic", "fear")])
def test_there_is_one_source(rig: Rig, options: tuple[str, ...]) -> None:
    assert "name either a file" in rig.deck("values", *options, status=1).err


def test_a_topic_needs_kafka(rig: Rig) -> None:
    rig.environment["KAFKA_BOOTSTRAP"] = ""
    assert "set KAFKA_BOOTSTRAP" in rig.deck("values", "--topic", "fear", status=1).err
