"""The embedded log: one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors.log import LogError, LostError
from connectors.sqlite_log import SqliteLog
from connectors.sqlite_writer import SqliteWriter
from tests.connectors.log_contract import (
    BIG,
    MARKETS,
    LogContract,
    Place,
    home,
    messages,
    read_all,
)
from tests.connectors.log_rig import ServedPlace, served

MARKET = MARKETS[0]


class TestContract(LogContract):
    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[Place]:
        with served(tmp_path / "log") as server:
            yield ServedPlace(server)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[SqliteWriter]:
    with closing(SqliteWriter(tmp_path / "log", 4)) as writer:
        yield writer


@pytest.fixture
def log(writer: SqliteWriter) -> Iterator[SqliteLog]:
    with closing(SqliteLog(writer.directory)) as log:
        yield log


def test_offsets_are_dense_and_never_used_again(writer: SqliteWriter, log: SqliteLog) -> None:
    name = home(log, MARKET)
    writer.write(messages([MARKET], 5))
    while writer.retain(0, None):
        pass
    assert log.bounds(name) == (5, 5)
    writer.close()
    with closing(SqliteWriter(writer.directory)) as again:
        again.write(messages([MARKET], 3))
        assert [entry.offset for entry in read_all(log, name)] == [5, 6, 7]


def test_a_log_made_anew_has_other_names(tmp_path: Path) -> None:
    names = []
    for directory in (tmp_path / "one", tmp_path / "two"):
        SqliteWriter(directory, 2).close()
        with closing(SqliteLog(directory)) as log:
            names += log.partitions()
    assert len(set(names)) == 4


def test_a_batch_is_taken_whole_or_not_at_all(writer: SqliteWriter, log: SqliteLog) -> None:
    client = b"c" * 16
    writer.write(messages(MARKETS, 2), {client: 7})
    broken = [*messages(MARKETS, 2), ("sim:X", None)]
    with pytest.raises(LogError, match="NOT NULL"):
        writer.write(broken, {client: 9})  # type: ignore[arg-type]
    assert writer.last_of(client) == 7
    writer.write(messages(MARKETS, 1))
    kept = [entry for name in log.partitions() for entry in read_all(log, name)]
    assert len(kept) == 15
    for name in log.partitions():
        offsets = [entry.offset for entry in read_all(log, name)]
        assert offsets == list(range(len(offsets)))


def test_times_never_fall_even_if_the_clock_does(
    writer: SqliteWriter, log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    for clock in (1_000, 500, 2_000):
        monkeypatch.setattr("time.time_ns", lambda clock=clock: clock)
        writer.write([(MARKET, b"")])
    name = home(log, MARKET)
    assert [log.offset_at(name, at) for at in (0, 1_000, 1_001, 2_001)] == [0, 0, 2, 3]
    writer.close()
    monkeypatch.setattr("time.time_ns", lambda: 1)
    with closing(SqliteWriter(writer.directory)) as again:
        again.write([(MARKET, b"")])
    assert [log.offset_at(name, at) for at in (2_000, 2_001)] == [2, 4]


def test_a_read_takes_not_much_more_than_16_mb_at_once(
    writer: SqliteWriter, log: SqliteLog
) -> None:
    writer.write([(MARKET, bytes(BIG))] * 40)
    with closing(log.open(home(log, MARKET), 0)) as cursor:
        assert [len(cursor.read(1_000)) for _ in range(4)] == [17, 17, 6, 0]


def test_a_reader_that_is_overtaken_by_retention_is_told(
    writer: SqliteWriter, log: SqliteLog
) -> None:
    writer.write(messages([MARKET], 10))
    name = home(log, MARKET)
    with closing(log.open(name, 0)) as cursor:
        assert len(cursor.read(4)) == 4
        while writer.retain(0, None, {name: 8}):
            pass
        for _ in range(2):
            with pytest.raises(LostError, match=rf"{name}: 4 messages from offset 4 on are gone"):
                cursor.read(4)
        while writer.retain(0, None):
            pass
        with pytest.raises(LostError, match="6 messages from offset 4 on"):
            cursor.read(4)


def test_a_partition_that_is_none_and_a_log_that_is_none_are_told(
    tmp_path: Path, log: SqliteLog
) -> None:
    with pytest.raises(LogError, match=r"has no partition 'x/0': it is not the one"):
        log.open("x/0", 0)
    with pytest.raises(LogError, match=r"there is no log in .*none: deck log start"):
        SqliteLog(tmp_path / "none")


def test_only_one_writes_and_the_other_is_told_who(writer: SqliteWriter) -> None:
    with pytest.raises(LogError, match=r"process \d+ writes to the log in"):
        SqliteWriter(writer.directory)


def test_the_number_of_partitions_is_for_good(writer: SqliteWriter) -> None:
    writer.close()
    with pytest.raises(LogError, match="has 4 partitions, and 6 are wanted"):
        SqliteWriter(writer.directory, 6)
    SqliteWriter(writer.directory).close()
