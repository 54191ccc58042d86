"""Whatever is done to a file of snapshots, it is refused, or tells what was kept."""

from __future__ import annotations

import pickle
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.disk import DiskError
from infra.recovery import snapshots
from infra.recovery.snapshots import Key
from infra.running.engine import DamagedError
from schemas.sealed import SUM, sealed, sum_of

PLACE = {"first": 7, "markets": ["sim:A/USD"]}
KEPT = {
    Key("flow.candles.candles.machine", "sim:A/USD"): pickle.dumps(sealed(bytes(900))),
    Key("flow.trade.trade.machine", "sim:A/USD"): pickle.dumps(sealed(bytes(9_000))),
    Key("flow.replay", "log/0"): pickle.dumps({**PLACE, SUM: sum_of(PLACE)}),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    place = tmp_path_factory.mktemp("snapshots")
    snapshots.prepare(place)
    snapshots.write(place, KEPT)
    return place, (place / snapshots.FILE).read_bytes()


def test_what_is_written_is_read(made: tuple[Path, bytes]) -> None:
    place, content = made
    (place / snapshots.FILE).write_bytes(content)
    assert snapshots.read(place) == KEPT


def test_a_disk_that_takes_no_file_to_compare_with_is_no_damage(
    made: tuple[Path, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:  # what Python says where nothing can be written
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(snapshots, "TemporaryDirectory", full)
    snapshots._form.cache_clear()
    with pytest.raises(DiskError, match="No usable temporary directory"):
        snapshots.read(made[0])


@settings(max_examples=150)
@given(data=st.data())
def test_changed_bytes_are_refused_or_change_nothing(
    made: tuple[Path, bytes], data: st.DataObject
) -> None:
    place, content = made
    harmed = bytearray(content)
    length = st.sampled_from([1, 1, 1, 60, 5_000])
    at = data.draw(st.integers(0, len(harmed) - 1) | st.integers(0, 99))
    for index in range(at, min(at + data.draw(length), len(harmed))):
        harmed[index] ^= data.draw(st.integers(1, 255)) if index - at < 8 else 0x55
    if data.draw(st.integers(0, 9)) == 0:
        del harmed[data.draw(st.integers(0, len(harmed) - 1)) :]
    (place / snapshots.FILE).write_bytes(harmed)
    told = ""
    try:
        assert snapshots.read(place) == KEPT
    except DamagedError as error:
        told = str(error)
    assert not told or "put back the whole directory, or start afresh" in told
    assert (place / snapshots.FILE).read_bytes() == harmed
    assert [path.name for path in place.iterdir()] == [snapshots.FILE]


@pytest.mark.parametrize("table", ["exs", "fronts", "commits"])
def test_a_number_that_decides_where_to_go_on_is_kept_twice(tmp_path: Path, table: str) -> None:
    snapshots.prepare(tmp_path)
    snapshots.write(tmp_path, KEPT)
    column = {"exs": "resume_epoch", "fronts": "worker_frontier", "commits": "commit_epoch"}[table]
    file = sqlite3.connect(tmp_path / snapshots.FILE)
    file.execute(f"UPDATE {table}_twin SET {column} = {column} + 1")
    file.commit()
    file.close()
    with pytest.raises(DamagedError):
        snapshots.read(tmp_path)


def test_a_state_that_goes_by_another_name_is_refused(made: tuple[Path, bytes]) -> None:
    place, content = made
    at = -1
    for _ in range(content.count(b"sim:A/USD")):
        at = content.index(b"sim:A/USD", at + 1)
        harmed = content[:at] + b"sim:B/USD" + content[at + 9 :]
        (place / snapshots.FILE).write_bytes(harmed)
        with pytest.raises(DamagedError):
            snapshots.read(place)
    assert at >= 0
