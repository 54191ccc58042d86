"""Recordings of a log: however they come about, replay plays them as the log itself."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import closing
from copy import copy
from itertools import count
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.disk import DiskError
from connectors.log.log import LostError
from connectors.log.source import LogSource
from connectors.recordings.files import DataError
from connectors.recordings.recorder import Recorder
from connectors.recordings.replay import Replay
from connectors.recordings.stretch import archived
from connectors.window import Window
from schemas import OUTSIDE, Command, Event, Heartbeat, Outside, Trades
from tests.connectors.memory_log import MemoryLog, long_log
from tests.connectors.recording_rig import play, stops
from tests.infra.rig import until
from tests.schemas.events import WHOLE, events
from tests.tapes import Trade, rows, trades_of

Message: TypeAlias = "Outside | tuple[str, bytes]"
"""An event, or what cannot be read, with its key."""

NUMBERS, TEXTS, NONE, TURNING = "okx:A/USD", "okx:B/USD", "bybit:Ü/USDT:USDT", "kraken:C/EUR"
MARKETS = (NUMBERS, TEXTS, NONE, TURNING)
folders = count()


@st.composite
def messages(draw: st.DrawFn) -> list[Message]:
    """Return what may stand in a log: every kind of outside event, and what cannot be read."""
    found: list[Message] = []
    for _ in range(draw(st.integers(0, 25))):
        market = draw(st.sampled_from(MARKETS))
        kind = draw(st.sampled_from([*OUTSIDE, Trades, Trades, Trades, None]))
        if kind is None:
            found.append((market, draw(st.binary(max_size=20))))
            continue
        event = draw(events(kind))
        event.market = market
        if isinstance(event, Trades):
            event = with_ids(event, draw(ids(market)))
        found.append(event)  # type: ignore[arg-type]
    return found


def ids(market: str) -> st.SearchStrategy[list[Any]]:
    """Return ids of a market; those of `TURNING` are numbers and texts."""
    few: st.SearchStrategy[Any] = {
        NUMBERS: WHOLE,
        TEXTS: st.text(max_size=4) | st.just(" y "),
        TURNING: st.integers(0, 9) | st.sampled_from([-1, 10**18]),
        NONE: st.none(),
    }[market]
    texts = st.sampled_from(["7", "8", "t9", "", " "])
    kinds = [few, texts] if market == TURNING else [few]
    return st.one_of([st.lists(kind, min_size=5, max_size=5) for kind in kinds])


def with_ids(trades: Trades, ids: list[Any]) -> Trades:
    return Trades.of(
        trades.market, trades.stamp, trades.price, trades.size, trades.side,
        None if ids[0] is None else ids[: len(trades)],
        trades.received,
    )  # fmt: skip


def put(log: MemoryLog, found: Sequence[Message]) -> None:
    for message in found:
        if isinstance(message, tuple):
            log.append(*message)
        else:
            log.put(message)


def tapes(log: MemoryLog, private: bool) -> dict[str, list[Event]]:
    """Return what a flow is given that reads the log itself."""
    return play(lambda: LogSource(log, window=Window(private=private)))


def told(tapes: dict[str, list[Event]]) -> dict[str, list[str]]:
    """Return the tapes so that they can be compared row by row, but for their positions."""
    return {market: [repr(_placeless(row)) for row in rows(tape)] for market, tape in tapes.items()}


def _placeless(row: Trade | Event) -> Trade | Event:
    if isinstance(row, (Trade, Trades)):
        return row
    bare = copy(row)
    bare.at = None  # type: ignore[union-attr]
    return bare


def files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.parquet"))


def record(log: MemoryLog, directory: Path, **settings: int) -> None:
    with closing(Recorder(log, directory, **settings)) as recorder:  # type: ignore[arg-type]
        while recorder.step():
            pass


def beats(market: str, *stamps: int) -> Iterator[Heartbeat]:
    return (Heartbeat(market, ts) for ts in stamps)


@settings(max_examples=60)
@given(
    messages(),
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["read", "finish", "close", "kill"]))),
    st.booleans(),
    st.integers(1, 12),
    st.sampled_from([1, 3, 100]),
    stops(),
)
def test_a_recording_cut_and_killed_anywhere_is_played_as_the_log(
    tmp_path_factory: pytest.TempPathFactory,
    found: list[Message],
    steps: list[tuple[int, str]],
    private: bool,
    most: int,
    block: int,
    stops: set[int],
) -> None:
    directory = tmp_path_factory.getbasetemp() / f"recording{next(folders)}"
    log = MemoryLog(count=2, step=most % 3 + 1)
    recorder = Recorder(log, directory, private=private, rows=most)
    for few, end in [*steps, (len(found), "close")]:
        put(log, found[:few])
        found = found[few:]
        recorder.step()
        if end == "finish":
            recorder.finish()
        elif end != "read":
            recorder.close() if end == "close" else recorder.abandon()
            recorder = Recorder(log, directory, private=private, rows=most)
    recorder.step()
    recorder.close()
    assert not list(directory.glob("*.part"))
    wanted = told(tapes(log, private))
    if not wanted:
        assert not files(directory)
        return
    assert told(play(lambda: Replay([directory], block=block), stops)) == wanted


def test_ids_that_turn_into_texts_begin_a_new_file_and_stay_texts(tmp_path: Path) -> None:
    log = MemoryLog(count=1)
    for ids in ([7], ["8", "9"], ["x"], ["10"], [11]):
        log.put(Trades.of(TURNING, [5] * len(ids), [1.0] * len(ids), [1.0] * len(ids), id=ids))
    log.put(Trades.of(NUMBERS, [5], [1.0], [1.0], id=[12]))
    record(log, tmp_path)
    kinds = [str(pq.read_schema(path).field("trade_id").type) for path in files(tmp_path)]
    assert kinds == ["int64", "string"]
    found = play(lambda: Replay([tmp_path]))
    assert [row.id for row in trades_of(found[TURNING])] == [7, 8, 9, "x", "10", "11"]
    assert [row.id for row in trades_of(found[NUMBERS])] == [12]


def test_trades_are_columns_and_not_texts(tmp_path: Path) -> None:
    log = MemoryLog(count=1)
    log.put(
        Trades.of(NUMBERS, [5, 6], [1.5, 2.5], [3.0, 4.0], [1, -1], [7, 8], [9, 10]),
        Heartbeat(NUMBERS, 7),
    )
    record(log, tmp_path)
    [path] = files(tmp_path)
    assert pq.read_table(path).drop_columns("event").to_pylist() == [
        {"ts_ns": 5, "symbol": NUMBERS, "price": 1.5, "size": 3.0, "side": 1, "trade_id": 7,
         "recv_ns": 9},
        {"ts_ns": 6, "symbol": NUMBERS, "price": 2.5, "size": 4.0, "side": -1, "trade_id": 8,
         "recv_ns": 10},
        {"ts_ns": 7, "symbol": NUMBERS, "price": None, "size": None, "side": None,
         "trade_id": None, "recv_ns": None},
    ]  # fmt: skip


def test_a_file_is_finished_by_its_rows_or_its_age(tmp_path: Path) -> None:
    log = MemoryLog(count=1)
    log.put(*beats(NUMBERS, 1, 2, 3, 4, 5))
    recorder = Recorder(log, tmp_path, rows=2)
    assert len(recorder.step()) == 5
    assert archived(tmp_path) == {"memory/0": 4}
    recorder.abandon()
    recorder = Recorder(log, tmp_path, seconds=0.0)
    assert len(recorder.step()) == 1
    assert archived(tmp_path) == {"memory/0": 5}
    assert recorder.behind() == 0
    recorder.close()
    assert [path.name for path in files(tmp_path)] == [
        f"memory-0.{first:016d}.parquet" for first in (0, 2, 4)
    ]


def test_it_can_begin_at_the_end_and_remembers_where_that_was(tmp_path: Path) -> None:
    log = MemoryLog(count=1)
    log.put(*beats(NUMBERS, 1, 2))
    recorder = Recorder(log, tmp_path, from_end=True)
    log.put(*beats(NUMBERS, 3))
    assert len(recorder.step()) == 1
    recorder.abandon()
    log.put(*beats(NUMBERS, 4))
    for from_end in (True, False):
        record(log, tmp_path, from_end=from_end)
    assert archived(tmp_path) == {"memory/0": 4}
    assert [event.ts for event in play(lambda: Replay([tmp_path]))[NUMBERS]] == [3, 4]


def test_what_is_left_out_at_the_end_is_part_of_the_file(tmp_path: Path) -> None:
    log = MemoryLog(count=1)
    log.put(Command(NUMBERS, 1, "halt"))
    record(log, tmp_path)
    assert not files(tmp_path)
    log.put(Heartbeat(NUMBERS, 2), Command(NUMBERS, 3, "resume"))
    record(log, tmp_path)
    assert archived(tmp_path) == {"memory/0": 3}
    log.put(Heartbeat(NUMBERS, 4))
    record(log, tmp_path)
    assert [event.ts for event in play(lambda: Replay([tmp_path]))[NUMBERS]] == [2, 4]


def test_what_a_crash_left_unfinished_goes_and_that_of_others_stays(tmp_path: Path) -> None:
    torn, others = (tmp_path / f"{name}.parquet.part" for name in ("memory-0.9", "memory-01.9"))
    torn.touch()
    others.touch()
    record(MemoryLog(count=1), tmp_path)
    assert [*tmp_path.iterdir()] == [others]


def test_processes_share_the_partitions_in_one_directory(tmp_path: Path) -> None:
    log = MemoryLog(count=3)
    for market in MARKETS:
        log.put(*beats(market, 1, 2))
    for k in range(2):
        record(log, tmp_path, share=(k, 2))  # type: ignore[arg-type]
    assert told(play(lambda: Replay([tmp_path]))) == told(tapes(log, private=False))


def test_a_log_that_lost_what_comes_next_is_told_with_the_remedy(tmp_path: Path) -> None:
    log = MemoryLog(count=1)
    log.put(*beats(NUMBERS, 1, 2, 3))
    record(log, tmp_path, rows=1)
    log.put(*beats(NUMBERS, 4, 5))
    log.cut("memory/0", 4)
    recorder = Recorder(log, tmp_path)
    with pytest.raises(LostError, match=r"3 to 4 are not kept.*record into another directory"):
        recorder.step()
    recorder.close()


def test_a_log_that_ends_in_front_of_its_recording_is_refused(tmp_path: Path) -> None:
    log = MemoryLog(count=1)
    log.put(*beats(NUMBERS, 1, 2, 3))
    record(log, tmp_path)
    del log.entries[0][1:]
    with pytest.raises(DataError, match="memory/0 was recorded up to offset 3, but the log ends"):
        Recorder(log, tmp_path)


def test_a_place_that_takes_no_recording_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match="recordings cannot be kept"):
        Recorder(MemoryLog(), tmp_path / "file")


def test_killed_at_any_moment_nothing_is_missing_and_nothing_is_there_twice(
    tmp_path: Path,
) -> None:
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from connectors.recordings.recorder import Recorder
        from tests.connectors.memory_log import long_log
        recorder = Recorder(long_log(), Path(sys.argv[1]), rows=100)
        while recorder.step():
            pass
        recorder.close()
    """)
    command = [sys.executable, "-c", script, str(tmp_path)]
    for more in (1, 3, 12):
        wanted = len(files(tmp_path)) + more
        with subprocess.Popen(command, text=True) as process:
            assert until(process, lambda: len(files(tmp_path)) >= wanted)  # noqa: B023 - used at once
            process.kill()
    assert subprocess.run(command, check=True).returncode == 0
    assert told(play(lambda: Replay([tmp_path]))) == told(tapes(long_log(), private=False))
