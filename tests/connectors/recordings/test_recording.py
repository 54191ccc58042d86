"""A file in the making: it is there when it is whole, or not at all."""

from __future__ import annotations

import gc
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from connectors.disk import DiskError
from connectors.recordings import recording as recordings
from connectors.recordings.recording import Recording
from connectors.recordings.stretch import Stretch, stretch_of
from schemas import Heartbeat, Trades

A = "okx:A"


def trades(*ids: int | str, ts: int = 5) -> Trades:
    return Trades.of(A, [ts] * len(ids), [1.0] * len(ids), [1.0] * len(ids), id=ids)  # type: ignore[arg-type]


@contextmanager
def room(size: int) -> Iterator[None]:
    """Let no file grow further than that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_it_has_its_name_when_it_is_finished(tmp_path: Path) -> None:
    recording = Recording(tmp_path, "log/0", 7)
    recording.add(trades(1, 2, ts=9))
    recording.add(Heartbeat(A, 4))
    recording.add(Heartbeat("okx:B", -1))
    assert recording.rows == 4
    assert not recording.path.exists()
    recording.finish(20)
    assert [*tmp_path.iterdir()] == [recording.path]
    spans = {A: (4, 9), "okx:B": (-1, -1)}
    assert stretch_of(pq.read_metadata(recording.path)) == Stretch("log/0", 7, 20, spans)


def test_it_holds_few_rows_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "GROUP", 4)
    recording = Recording(tmp_path, "log/0", 0)
    for number in range(5):
        recording.add(trades(number, number))
    recording.finish(5)
    found = pq.read_metadata(recording.path)
    groups = [found.row_group(group).num_rows for group in range(found.num_row_groups)]
    assert groups == [4, 4, 2]
    assert pq.read_table(recording.path)["trade_id"].to_pylist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def test_texts_are_held_unless_there_are_whole_numbers(tmp_path: Path) -> None:
    recording = Recording(tmp_path, "log/0", 0)
    recording.add(trades(1))
    assert not recording.holds_texts()
    recording.discard()
    recording = Recording(tmp_path, "log/0", 0)
    recording.add(Heartbeat(A, 1))
    assert recording.holds_texts()
    recording.add(trades(1))
    recording.add(trades("x"))
    assert recording.holds_texts()
    recording.finish(3)
    assert pq.read_table(recording.path)["trade_id"].to_pylist() == [None, "1", "x"]


def test_what_is_discarded_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "GROUP", 2)
    recording = Recording(tmp_path, "log/0", 0)
    recording.add(trades(1, 2))
    recording.add(trades(3))
    recording.discard()
    del recording
    gc.collect()  # what is told only then is an error, too
    assert not [*tmp_path.iterdir()]


def test_a_disk_that_takes_no_more_is_told(tmp_path: Path) -> None:
    recording = Recording(tmp_path, "log/0", 0)
    recording.add(trades(*range(1_000)))
    with room(100), pytest.raises(DiskError, match="a recording cannot be kept: raise the limit"):
        recording.finish(1)
    recording.discard()
    with pytest.raises(DiskError, match=r"gone.*a recording cannot be kept"):
        Recording(tmp_path / "gone", "log/0", 0)
