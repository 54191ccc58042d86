"""Batches go into the log whole, and what is too old or too much goes."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from connectors.log.file import FILE
from connectors.log.log import LogError
from connectors.log.sqlite_log import SqliteLog
from connectors.log.sqlite_writer import SqliteWriter
from tests.connectors.log_contract import MARKETS, home, messages, read_all
from tests.connectors.log_rig import ROOT

MARKET = MARKETS[0]
MB = 1_000_000


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[SqliteWriter]:
    with closing(SqliteWriter(tmp_path / "log", 4)) as writer:
        yield writer


@pytest.fixture
def log(writer: SqliteWriter) -> Iterator[SqliteLog]:
    with closing(SqliteLog(writer.directory)) as log:
        yield log


def test_a_batch_is_taken_whole_or_not_at_all(writer: SqliteWriter, log: SqliteLog) -> None:
    client = b"c" * 16
    writer.write(messages(MARKETS, 2), {client: 7})
    broken = [*messages(MARKETS, 2), ("sim:X", None)]
    with pytest.raises(LogError, match="NOT NULL"):
        writer.write(broken, {client: 9})  # type: ignore[arg-type]
    assert writer.last_of(client) == 7
    assert writer.last_of(b"d" * 16) is None
    writer.write(messages(MARKETS, 1))
    kept = {name: read_all(log, name) for name in log.partitions()}
    assert sum(map(len, kept.values())) == 15
    for entries in kept.values():
        assert [entry.offset for entry in entries] == list(range(len(entries)))


def test_a_disk_that_takes_no_more_loses_nothing_and_goes_on_when_it_does(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from connectors.log.sqlite_writer import SqliteWriter\n"
        "writer = SqliteWriter(Path(sys.argv[1]), 1)\n"
        "for n in range(100): writer.write([('m', b'%d' % n + bytes(100_000))]); print(n)"
    )

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5 * MB, 5 * MB))

    ended = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "log")],
        cwd=ROOT, preexec_fn=small, capture_output=True, text=True, check=False,
    )  # fmt: skip
    written = ended.stdout.split()
    assert 0 < len(written) < 100
    assert "LogError" in ended.stderr
    assert "look at the disk" in ended.stderr
    with (
        closing(SqliteWriter(tmp_path / "log")) as writer,
        closing(SqliteLog(tmp_path / "log")) as log,
    ):
        writer.write([("m", b"next")])
        found = [entry.message.rstrip(b"\0") for entry in read_all(log, log.partitions()[0])]
        assert found == [*(number.encode() for number in written), b"next"]


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
        for _ in range(10):
            again.write([(MARKET, b"")])
    assert [log.offset_at(name, at) for at in (1_500, 2_000, 2_001)] == [2, 2, 13]


def test_offsets_are_dense_and_never_used_again(writer: SqliteWriter, log: SqliteLog) -> None:
    name = home(log, MARKET)
    writer.write(messages([MARKET], 5))
    forget(writer)
    assert log.bounds(name) == (5, 5)
    writer.close()
    with closing(SqliteWriter(writer.directory)) as again:
        again.write(messages([MARKET], 3))
        assert [entry.offset for entry in read_all(log, name)] == [5, 6, 7]


def test_what_is_too_old_goes(
    writer: SqliteWriter, log: SqliteLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = count(1_000)
    monkeypatch.setattr("time.time_ns", lambda: next(clock))
    for _ in range(200):
        writer.write(messages(MARKETS, 1))
    monkeypatch.setattr("time.time_ns", lambda: 1_250)
    while writer.retain(100, None):
        pass
    for name in log.partitions():
        assert log.bounds(name).first == log.offset_at(name, 1_150)
    kept = [entry for name in log.partitions() for entry in read_all(log, name)]
    assert len(kept) == 50 * len(MARKETS)
    assert log.oldest() == 1_150


def test_what_is_too_much_goes_oldest_first_and_the_file_gets_smaller(
    writer: SqliteWriter, log: SqliteLog
) -> None:
    for _ in range(60):
        writer.write([(market, bytes(200_000)) for market in MARKETS])
    before = size(writer)
    while writer.retain(None, 20 * MB):
        pass
    # A piece takes up to 64 messages at once, and some free pages stay for what comes next.
    assert 20 * MB - 64 * 0.2 * MB < writer.used() <= 20 * MB
    assert size(writer) < 20 * MB + 17 * MB < before
    assert sum(log.bounds(name).end for name in log.partitions()) == 300


def test_what_is_not_archived_yet_stays(writer: SqliteWriter, log: SqliteLog) -> None:
    writer.write(messages(MARKETS, 100))
    name, *others = dict.fromkeys(home(log, market) for market in MARKETS)
    while writer.retain(0, 0, {name: 30}):
        pass
    assert log.bounds(name).first == 30
    assert {log.bounds(other).first for other in others} == {0}
    while writer.retain(0, 0, {name: 10**9}):
        pass
    assert log.bounds(name).first == log.bounds(name).end > 30


def test_a_log_can_be_written_and_read_while_it_forgets(
    writer: SqliteWriter, log: SqliteLog
) -> None:
    name = home(log, MARKET)
    writer.write(messages([MARKET], 300))
    with closing(log.open(name, 250)) as cursor:
        for number in range(5):
            assert writer.retain(0, None, {name: 250}) is (number < 4)
            writer.write([(MARKET, b"%d" % number)])
        assert [entry.offset for entry in cursor.read(100)] == list(range(250, 305))


def test_a_client_that_is_silent_for_long_is_forgotten(
    writer: SqliteWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.write([], {b"c" * 16: 1})
    writer.retain(None, None)
    assert writer.last_of(b"c" * 16) == 1
    now = 40 * 86_400 * 10**9 + writer._time
    monkeypatch.setattr("time.time_ns", lambda: now)
    writer.retain(None, None)
    assert writer.last_of(b"c" * 16) is None


def test_only_one_writes_and_the_other_is_told_who(writer: SqliteWriter) -> None:
    with pytest.raises(LogError, match=r"process \d+ writes to the log in"):
        SqliteWriter(writer.directory)


def forget(writer: SqliteWriter) -> None:
    """Let all of it go."""
    while writer.retain(0, None):
        pass


def size(writer: SqliteWriter) -> int:
    """Return the bytes of the log's file, once all is in it."""
    writer._file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (writer.directory / FILE).stat().st_size
