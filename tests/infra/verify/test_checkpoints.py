"""Checkpoints are whole, few, and of the run that has the store."""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from connectors.disk import DiskError
from infra.databases import copy_database
from infra.recovery import snapshots
from infra.recovery.layout import SHELF
from infra.recovery.snapshots import Key
from infra.recovery.starts import Start, note
from infra.verify import checkpoints
from infra.verify.checkpoints import VERIFY, Checkpoint, Checkpoints
from infra.verify.regular import Regular, keep_end
from schemas import DAY
from schemas.sealed import sealed

OLD, NEW = ("5f0c", "1.0"), ("77aa", "1.0")


@pytest.fixture
def book(tmp_path: Path) -> Checkpoints:
    """Return the checkpoints of a run of two processes that has kept something."""
    store = tmp_path / "demo" / "store"
    store.mkdir(parents=True, mode=0o700)
    said = {"run": "a" * 32, "flow": "cross", "processes": 2, "started": time.time_ns()}
    (store / "run.json").write_bytes(orjson.dumps(said))
    for number in range(2):
        keep(store, number, b"1")
    note(store, Start(*OLD, since="6h"))
    return Checkpoints(store)


def keep(store: Path, number: int, state: bytes) -> None:
    """Let a process have kept a state."""
    place = store / str(number) / "snapshots"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    snapshots.prepare(place)
    pickled = pickle.dumps(sealed(state))
    snapshots.write(place, {Key("cross.candles.machine", f"okx:{number}"): pickled})


def take(book: Checkpoints, why: str = "regular") -> Checkpoint:
    taken = book.take(why)
    assert taken is not None
    return taken


def test_what_was_kept_is_in_it_whatever_is_kept_later(book: Checkpoints) -> None:
    first = take(book)
    before = [snapshots.read(first.directory / str(number)) for number in range(2)]
    keep(book.store, 0, b"2")
    second = take(book)
    assert [one.name for one in book.kept()] == [first.name, second.name]
    assert [snapshots.read(first.directory / str(number)) for number in range(2)] == before
    assert snapshots.read(second.directory / "0") != before[0]
    assert (first.code, first.run, first.flow) == (OLD, "a" * 32, "cross")
    assert (first.directory.stat().st_mode & 0o777, first.identity["processes"]) == (0o700, 2)


def test_it_is_of_one_moment_while_the_engine_goes_on(book: Checkpoints) -> None:
    path = book.store / "0" / "snapshots" / snapshots.FILE
    with closing(sqlite3.connect(path)) as engine:
        engine.execute("BEGIN IMMEDIATE")
        engine.execute("DELETE FROM snaps")
        taken = take(book)
        engine.rollback()
    assert snapshots.read(taken.directory / "0")


def test_nothing_is_taken_of_a_store_without_a_snapshot_or_that_is_made_anew(
    book: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    snaps = book.store / "1" / "snapshots"
    snaps.rename(book.store / "kept")
    snaps.mkdir()
    snapshots.prepare(snaps)
    assert book.take(VERIFY) is None
    shutil.rmtree(snaps)
    (book.store / "kept").rename(snaps)

    def renewed(path: Path, to: Path) -> None:
        copy_database(path, to)
        (book.store / "run.json").write_bytes(orjson.dumps({"run": "b", "processes": 1}))

    monkeypatch.setattr(checkpoints, "copy_database", renewed)
    assert book.take(VERIFY) is None
    assert not [*book.all()]
    assert Checkpoints(book.store / "nowhere").take(VERIFY) is None


def test_those_of_an_earlier_run_and_half_copies_are_none(book: Checkpoints) -> None:
    first, half = take(book), take(book)
    (half.directory / "1" / snapshots.FILE).unlink()
    assert [one.name for one in book.kept()] == [first.name]
    said = orjson.loads((book.store / "run.json").read_bytes())
    (book.store / "run.json").write_bytes(orjson.dumps({**said, "run": "b" * 32}))
    assert book.kept() == []


def test_the_oldest_go_but_none_while_somebody_verifies(book: Checkpoints) -> None:
    taken = [take(book, why) for why in ("regular", VERIFY, "code", "regular", VERIFY)]
    with closing(book.held()):
        book.thin(2)
        assert len(book.kept()) == 5
    book.thin(2)
    assert [one.name for one in book.kept()] == [taken[n].name for n in (2, 3, 4)]


def test_what_a_death_left_half_is_removed_later(book: Checkpoints) -> None:
    take(book)
    for name, age in (("old", 7_200), ("fresh", 0)):
        left = book.directory / f"{name}.partial"
        left.mkdir()
        os.utime(left, (time.time() - age,) * 2)
    take(book)
    assert {path.name for path in book.directory.glob("*.partial")} == {"fresh.partial"}


def test_models_on_the_shelf_are_kept_too(book: Checkpoints) -> None:
    shelf = book.store / SHELF
    shelf.mkdir()
    (shelf / "large-1").write_bytes(b"a forest")
    taken = take(book)
    (shelf / "large-1").unlink()
    assert (taken.directory / SHELF / "large-1").read_bytes() == b"a forest"


def test_a_run_that_goes_on_with_other_code_leaves_where_it_ended(book: Checkpoints) -> None:
    keep_end(book.store, OLD)
    assert book.kept() == []
    keep_end(book.store, NEW)
    [taken] = book.kept()
    assert (taken.why, taken.code) == ("code", NEW)


def test_each_version_of_the_flow_is_kept(book: Checkpoints, tmp_path: Path) -> None:
    flow = tmp_path / "cross.py"
    for version, text in (("5f0c", "one"), ("77aa", "two"), ("5f0c", "another")):
        flow.write_text(text)
        book.keep_flow(flow, version)
    assert book.flow("cross", "5f0c").read_text() == "one"
    assert book.flow("cross", "77aa").read_text() == "two"


def test_one_is_taken_each_day_by_our_clock(
    book: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [time.time_ns()]
    monkeypatch.setattr(time, "time_ns", lambda: clock[0])
    counts = []
    regular = Regular(book.store, DAY, 3, logging.getLogger("test"))
    for hours in (1, 22, 2, 1, 23, 12, 12, 24, 24):
        clock[0] += hours * DAY // 24
        regular.look()
        counts.append(len(book.kept()))
    assert counts == [0, 0, 1, 1, 2, 2, 3, 3, 3]
    again = Regular(book.store, DAY, 3, logging.getLogger("test"))  # the parent died
    latest = book.kept()[-1]
    again.look()
    assert book.kept()[-1] == latest


def test_a_disk_that_does_not_take_one_is_told_and_tried_again(
    book: Checkpoints, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [time.time_ns() + DAY]
    monkeypatch.setattr(time, "time_ns", lambda: clock[0])
    regular = Regular(book.store, DAY, 3, logging.getLogger("test"))

    def full(_path: Path, _to: Path) -> None:
        raise DiskError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints, "copy_database", full)
        regular.look()
        regular.look()
    assert [record.getMessage() for record in caplog.records] == [
        "no checkpoint was kept: the disk is full"
    ]
    clock[0] += DAY // 24
    regular.look()
    assert len(book.kept()) == 1
