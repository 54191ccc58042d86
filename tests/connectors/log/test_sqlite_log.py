"""The embedded log: one SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from connectors.log.log import LogError, LostError
from connectors.log.sqlite_log import SqliteLog
from connectors.log.sqlite_writer import SqliteWriter
from tests.connectors.log_contract import BIG, MARKETS, LogContract, Place, home, messages
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


def test_a_log_made_anew_has_other_names(tmp_path: Path) -> None:
    names = []
    for directory in (tmp_path / "one", tmp_path / "two"):
        SqliteWriter(directory, 2).close()
        with closing(SqliteLog(directory)) as log:
            names += log.partitions()
    assert len(set(names)) == 4


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


def test_a_reader_in_no_transaction_lets_the_write_ahead_log_be_used_again(
    writer: SqliteWriter, log: SqliteLog
) -> None:
    for batch in ([(MARKET, bytes(BIG))] * 20, [(MARKET, b"still ahead of the file")]):
        writer.write(batch)
    with closing(log.open(home(log, MARKET), 0)) as cursor:
        assert len(cursor.read(1_000)) == 17
        busy, _, _ = writer._file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy


def test_a_reader_of_a_log_that_was_moved_away_is_told(
    writer: SqliteWriter, log: SqliteLog
) -> None:
    writer.write(messages([MARKET], 3))
    with closing(log.open(home(log, MARKET), 0)) as cursor:
        writer.close()
        writer.directory.rename(writer.directory.with_name("old"))
        SqliteWriter(writer.directory).close()
        assert len(cursor.read(10)) == 3
        with pytest.raises(LogError, match="was moved away while it was read: put it back, or"):
            cursor.read(10)


def test_a_partition_that_is_none_and_a_log_that_is_none_are_told(
    tmp_path: Path, log: SqliteLog
) -> None:
    with pytest.raises(LogError, match=r"has no partition 'x/0': it is not the one"):
        log.open("x/0", 0)
    with pytest.raises(LogError, match=r"there is no log in .*none: deck log start"):
        SqliteLog(tmp_path / "none")


def test_the_oldest_message_is_the_first_that_is_kept(
    writer: SqliteWriter, log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert log.oldest() is None
    for clock in (1_000, 2_000):
        monkeypatch.setattr("time.time_ns", lambda clock=clock: clock)
        writer.write([(MARKET, b"")])
    assert log.oldest() == 1_000
    writer.retain(500, None)
    assert log.oldest() == 2_000
