"""From the log into history: every message, each once, whatever happens on the way."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import OperationalError
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.disk import DiskError
from connectors.history import from_log as log_history
from connectors.history.from_log import Archivist
from connectors.history.journal import waiting
from connectors.history.source import HistorySource
from connectors.log.log import Entry, LogError, LostError
from connectors.log.source import LogSource
from infra.history.history import History
from infra.settings import Settings
from schemas import Heartbeat, Outside, Trades
from tests.connectors.memory_log import MemoryLog, long_log
from tests.connectors.outside import found_in, log_of, outside
from tests.connectors.recording_rig import play
from tests.infra.rig import until

A = "okx:A"
folders, lives = count(), count()


class Tables:
    """What the tables hold, by the place in the log; the same row twice is one."""

    def __init__(self, answers: bool = True) -> None:
        self.answers = answers
        self.rows: dict[str, dict[tuple[Any, ...], Any]] = {}

    def __call__(self) -> Client:
        if not self.answers:
            raise OperationalError("nobody is there")
        return cast("Client", self)

    def insert_arrow(self, table: str, rows: pa.Table) -> None:
        known = self.rows.setdefault(table, {})
        for row in rows.to_pylist():
            key = (row["market"], row["partition"], row["offset"], row["row"])
            assert known.setdefault(key, row) == row

    def places(self) -> list[tuple[str, int, int]]:
        return sorted(key[1:] for rows in self.rows.values() for key in rows)


class Letters:
    """Dead letters."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, Entry, str]] = []
        self.kept: list[tuple[str, Entry, str]] = []
        self.broken = False

    def put(self, partition: str, entry: Entry, why: str) -> None:
        self.waiting.append((partition, entry, why))

    def flush(self) -> None:
        if self.broken:
            raise LogError("the dead letters are not taken")
        self.kept += self.waiting
        self.waiting.clear()


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    kept = History(Settings(tmp_path_factory.mktemp("deck")))
    kept.start()
    yield kept
    kept.stop()


def places(log: MemoryLog) -> list[tuple[str, int, int]]:
    """Return the places of all rows, by what a source of the log gives."""
    tapes = found_in(play(lambda: LogSource(log)))
    return sorted(tuple(place) for tape in tapes.values() for place, _ in tape)  # type: ignore[misc]


@settings(max_examples=20)
@given(
    outside(),
    st.dictionaries(st.integers(0, 12), st.binary(max_size=8), max_size=3),
    st.lists(st.tuples(st.integers(1, 5), st.sampled_from(["step", "flush", "close", "kill"]))),
    st.integers(1, 10),
)
def test_history_gives_back_the_tape_of_the_log_wherever_it_was_killed(
    tmp_path_factory: pytest.TempPathFactory,
    history: History,
    events: list[Outside],
    broken: dict[int, bytes],
    steps: list[tuple[int, str]],
    rows: int,
) -> None:
    directory = tmp_path_factory.getbasetemp() / f"archivist{next(folders)}"
    whole, log = log_of(events, broken), MemoryLog(name=f"life{next(lives)}")
    messages = [entry for entries in whole.entries for entry in entries]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_history, "_ROWS", rows)
        archivist = Archivist(log, lambda: history.client("writer"), directory)
        for few, end in [*steps, (len(messages), "close")]:
            for entry in messages[:few]:
                log.append(entry.market, entry.message)
            messages = messages[few:]
            archivist.step()
            if end == "flush":
                archivist.flush()
            elif end != "step":
                archivist.close() if end == "close" else archivist.abandon()
                archivist = Archivist(log, lambda: history.client("writer"), directory)
        archivist.close()
    assert archivist.trouble is None
    if not any(log.entries):
        return
    found = play(lambda: HistorySource(lambda: history.client("reader"), log.name))
    assert found_in(found) == found_in(play(lambda: LogSource(log)))


def test_a_history_that_is_away_holds_nothing_up_and_gets_it_later(tmp_path: Path) -> None:
    log, tables = long_log(300), Tables(answers=False)
    archivist = Archivist(log, tables, tmp_path)
    while archivist.step():
        pass
    archivist.close()
    assert archivist.trouble == "nobody is there"
    assert archivist.positions == {name: log.bounds(name).end for name in log.partitions()}
    tables.answers = True
    archivist = Archivist(log, tables, tmp_path)
    assert archivist.step() == 0
    archivist.close()
    assert archivist.trouble is None
    assert tables.places() == places(log)


def test_killed_at_any_moment_nothing_is_missing(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from connectors.history import from_log as log_history
        from connectors.history.from_log import Archivist
        from tests.connectors.memory_log import long_log
        def nobody():
            raise OSError("nobody is there")
        log_history._ROWS = 200
        archivist = Archivist(long_log(), nobody, Path(sys.argv[1]))
        while archivist.step():
            pass
    """)
    command = [sys.executable, "-c", script, str(tmp_path)]

    def blocks() -> int:
        return len([*waiting(tmp_path / "journal")])

    for more in (1, 3, 9):
        wanted = blocks() + more
        with subprocess.Popen(command, text=True) as process:
            assert until(process, lambda: blocks() >= wanted)  # noqa: B023 - used at once
            process.kill()
    log, tables = long_log(), Tables()
    archivist = Archivist(log, tables, tmp_path)
    assert any(archivist.positions.values())
    while archivist.step():
        pass
    archivist.close()
    assert tables.places() == places(log)


def test_what_cannot_be_read_is_a_row_and_a_dead_letter(tmp_path: Path) -> None:
    log, tables, letters = MemoryLog(count=1), Tables(), Letters()
    log.append(A, b"{\xff")
    log.put(Heartbeat(A, 5))
    archivist = Archivist(log, tables, tmp_path, dead=letters)
    archivist.step()
    archivist.close()
    [row] = tables.rows["rejects"].values()
    assert (row["market"], row["payload"], row["offset"]) == (A, "{\\xff", 0)
    [(partition, entry, why)] = letters.kept
    assert (partition, entry) == ("memory/0", Entry(0, A, b"{\xff"))
    assert why == row["why"]


def test_dead_letters_that_are_not_taken_are_tried_again(tmp_path: Path) -> None:
    log, tables, letters = MemoryLog(count=1), Tables(), Letters()
    log.append(A, b"{")
    letters.broken = True
    archivist = Archivist(log, tables, tmp_path, dead=letters)
    archivist.step()
    with pytest.raises(LogError, match="not taken"):
        archivist.flush()
    archivist.abandon()
    assert not tables.rows
    letters.broken = False
    archivist = Archivist(log, tables, tmp_path, dead=letters)
    archivist.step()
    archivist.close()
    assert len(letters.kept) == 2
    assert tables.places() == [("memory/0", 0, 0)]


def test_processes_divide_the_partitions(tmp_path: Path) -> None:
    log, tables = long_log(500), Tables()
    for k in range(2):
        archivist = Archivist(log, tables, tmp_path / str(k), (k, 2))
        while archivist.step():
            pass
        archivist.close()
        assert [*archivist.positions] == [f"memory/{k}"]
    assert tables.places() == places(log)


def test_it_runs_until_it_is_stopped_and_takes_what_the_log_has_by_then(tmp_path: Path) -> None:
    log, tables, stopped = long_log(500), Tables(), threading.Event()
    archivist = Archivist(log, tables, tmp_path)
    thread = threading.Thread(target=archivist.run, args=(stopped,))
    thread.start()
    while len(tables.places()) < len(places(log)):
        assert thread.is_alive()
        thread.join(0.01)
    log.put(Trades.of(A, [5], [1.0], [1.0]))
    stopped.set()
    thread.join()
    assert tables.places() == places(log)


def test_what_the_log_lost_is_told_with_the_remedy(tmp_path: Path) -> None:
    log = MemoryLog(count=1)
    log.put(Heartbeat(A, 1))
    archivist = Archivist(log, Tables(), tmp_path)
    archivist.step()
    archivist.close()
    log.put(Heartbeat(A, 2), Heartbeat(A, 3))
    log.cut("memory/0", 2)
    archivist = Archivist(log, Tables(), tmp_path)
    with pytest.raises(LostError, match=rf"not kept.*; remove {tmp_path}/positions.json to let"):
        archivist.step()
    archivist.abandon()
    (tmp_path / "positions.json").unlink()
    archivist = Archivist(log, Tables(), tmp_path)
    assert archivist.step() == 1
    archivist.close()


def test_a_place_that_takes_no_rows_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match="cannot be kept"):
        Archivist(MemoryLog(), Tables(), tmp_path / "file")
