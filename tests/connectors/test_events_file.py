from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from connectors.disk import DiskError
from connectors.events_file import EventsFile, gather
from schemas import Halt
from schemas.tables import Record


def records(market: str, *numbers: int) -> list[Record]:
    return [Record(number, Halt(market, 1, "halted", "me")) for number in numbers]


def gathered(place: Path) -> list[tuple[str, int]]:
    gather([place / "events", place / "nowhere"], place / "out.jsonl")
    lines = map(orjson.loads, (place / "out.jsonl").read_bytes().splitlines())
    return [(line["market"], line["seq"]) for line in lines]


def test_events_stand_by_market_then_number(tmp_path: Path) -> None:
    file = EventsFile(tmp_path / "events")
    file.resume(None)
    for market, number in (("m:B/C", 0), ("m:A", 0), ("m:B/C", 1), ("m:A-", 0), ("m:A", 1)):
        file.write(records(market, number))
    file.close()
    wanted = [("m:A", 0), ("m:A", 1), ("m:A-", 0), ("m:B/C", 0), ("m:B/C", 1)]
    assert gathered(tmp_path) == wanted
    assert not (tmp_path / "out.jsonl.partial").exists()


def test_what_came_behind_the_snapshot_is_cut_off(tmp_path: Path) -> None:
    file = EventsFile(tmp_path / "events")
    file.resume(None)
    file.write(records("m:A", 0))
    state = file.snapshot()
    file.write([*records("m:A", 1), *records("m:A", 2)])
    file.write(records("m:B", 0))
    file.close()
    again = EventsFile(tmp_path / "events")
    again.resume(state)
    again.write(records("m:A", 1))
    again.close()
    assert gathered(tmp_path) == [("m:A", 0), ("m:A", 1)]


@pytest.mark.parametrize("lost", ["some", "all"])
def test_events_that_are_gone_are_told(tmp_path: Path, lost: str) -> None:
    file = EventsFile(tmp_path / "events")
    file.resume(None)
    file.write(records("m:A", 0))
    state = file.snapshot()
    [path] = (tmp_path / "events").iterdir()
    path.write_bytes(path.read_bytes()[:-1]) if lost == "some" else path.unlink()
    with pytest.raises(DiskError, match="events that were kept there are gone: start afresh"):
        EventsFile(tmp_path / "events").resume(state)
