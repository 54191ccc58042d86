"""Replay under the engine itself: whole, stopped and gone on, crashed and gone on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.errors import BytewaxRuntimeError
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, cluster_main, run_main

from connectors.recordings.replay import Replay
from connectors.recordings.tracks import Item
from schemas import Event
from tests.connectors.recording_rig import SYMBOLS, WRITERS, play, told_of, trade

ROWS = 3_000
# The engine ships no types for these.
run: Callable[..., None] = run_main
cluster: Callable[..., None] = cluster_main
prepare: Callable[[Path, int], None] = init_db_dir
kept_in: Callable[[str], RecoveryConfig] = RecoveryConfig


def flow(source: Replay, out: list[Item], stop_at: int = -1, stumble_at: int = -1) -> Dataflow:
    """Return a flow that hands on what the source gives."""
    steps = 0

    def watch(item: Item) -> Item:
        nonlocal steps
        steps += 1
        if steps == stop_at:
            source.stop()
        if steps == stumble_at:
            raise ZeroDivisionError
        return item

    made = Dataflow("test")
    tape = op.map("watch", op.input("replay", made, source), watch)
    op.output("out", tape, TestingSink(out))
    return made


def tapes(out: list[Item]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for market, strip in out:
        found.setdefault(market, []).extend(strip)
    return found


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    rows = [trade(n, SYMBOLS[n % 3]) for n in range(ROWS)]
    for n in range(100, ROWS, 500):
        rows[n]["price"] = -1.0
    alone = [trade(n, "okx:D") for n in range(ROWS)]
    return [
        WRITERS["parquet"](tmp_path / "1.parquet", rows[: ROWS // 2]),
        WRITERS["csv"](tmp_path / "2.csv", rows[ROWS // 2 :]),
        WRITERS["jsonl"](tmp_path / "3.jsonl", alone),
    ]


@pytest.fixture
def store(tmp_path: Path) -> RecoveryConfig:
    path = tmp_path / "store"
    path.mkdir()
    prepare(path, 1)
    return kept_in(str(path))


def test_the_engine_gets_every_row(files: list[Path]) -> None:
    out: list[Item] = []
    run(flow(Replay(files, batch=7, block=100), out))
    assert told_of(tapes(out)) == told_of(play(lambda: Replay(files)))


def test_more_workers_change_nothing(files: list[Path]) -> None:
    out: list[Item] = []
    cluster(flow(Replay(files, batch=7, block=100), out), [], 0, worker_count_per_proc=2)
    assert told_of(tapes(out)) == told_of(play(lambda: Replay(files)))


def test_a_stopped_replay_goes_on_where_it_was(files: list[Path], store: RecoveryConfig) -> None:
    out: list[Item] = []
    done = []
    for stop_at, batch in ((40, 7), (200, 3), (1, 11), (-1, 100)):
        source = Replay(files, batch=batch, block=100)
        run(flow(source, out, stop_at), recovery_config=store, epoch_interval=timedelta(hours=1))
        done.append((source.progress.trades, source.progress.rejects))
    assert told_of(tapes(out)) == told_of(play(lambda: Replay(files)))
    assert done == sorted(done)
    assert done[-1] == (2 * ROWS - 6, 6)


def test_after_a_crash_nothing_is_missing(files: list[Path], store: RecoveryConfig) -> None:
    whole = told_of(play(lambda: Replay(files)))
    before: list[Item] = []
    with pytest.raises(BytewaxRuntimeError):
        run(
            flow(Replay(files, batch=7, block=100), before, stumble_at=150),
            recovery_config=store,
            epoch_interval=timedelta(0),
        )
    behind: list[Item] = []
    run(flow(Replay(files, batch=50, block=100), behind), recovery_config=store)
    first, second = told_of(tapes(before)), told_of(tapes(behind))
    for market, rows in whole.items():
        start, end = first[market], second[market]
        assert rows[: len(start)] == start
        assert rows[len(rows) - len(end) :] == end
        assert len(rows) <= len(start) + len(end) < 2 * len(rows)
