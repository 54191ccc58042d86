"""Starting, finding, stopping and killing the embedded log's writer: real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from connectors.log.holder import Holder, holder
from connectors.log.log import LogError
from infra.log import limits as log_limits
from infra.log.limits import Limits
from infra.log.log import MarketLog, app
from infra.settings import Settings

MARKET = "sim:A/USD"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[MarketLog]:
    """Give a log of this test's own, which it may break."""
    log = MarketLog(Settings(tmp_path / "deck"))
    yield log
    log.stop()


def running(log: MarketLog) -> Holder:
    found = holder(log.directory)
    assert found is not None
    return found


def contents(log: MarketLog) -> list[bytes]:
    with closing(log.log()) as reader:
        found = []
        for name in reader.partitions():
            with closing(reader.open(name, 0)) as cursor:
                found += [entry.message for entry in cursor.read(10_000)]
    return found


def test_it_starts_once_is_found_and_stops(own: MarketLog) -> None:
    assert own.status() == f"log: down · nothing yet in {own.directory}"
    assert own.stop() is False
    assert own.start() is True
    assert own.start() is False
    found = running(own)
    assert own.status().startswith(f"log: up · pid {found.pid} · since ")
    assert own.stop() is True
    assert not psutil.pid_exists(found.pid)
    assert own.stop() is False
    assert "down · 8 partitions · 0 messages · " in own.status()


def test_of_many_starters_one_starts_and_all_are_served(own: MarketLog) -> None:
    def write(number: int) -> None:
        with closing(own.client()) as client:
            client.append(MARKET, b"%d" % number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert sorted(contents(own)) == [b"0", b"1", b"2", b"3"]
    assert (own.directory / "server.log").read_text().count("serving") == 1


def test_a_writer_that_is_killed_while_one_appends_is_started_again_and_nothing_is_lost(
    own: MarketLog,
) -> None:
    with closing(own.client()) as client:
        for number in range(900):
            client.append(MARKET, b"%d" % number)
            if number % 300 == 100:
                process = psutil.Process(running(own).pid)
                process.send_signal(signal.SIGKILL)
                process.wait(30)
                assert own.status().startswith("log: down")
                own.start()
    assert contents(own) == [b"%d" % number for number in range(900)]
    assert " · 900 messages from 20" in own.status()


def test_a_writer_that_hangs_is_told_and_killed_by_a_stop(
    own: MarketLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.log.log._STOP_SECONDS", 0.5)
    own.start()
    process = psutil.Process(running(own).pid)
    process.suspend()
    assert own.stop() is True
    process.wait(30)
    assert own.status().startswith("log: down")


def test_what_it_is_to_keep_holds_until_it_is_told_otherwise(own: MarketLog) -> None:
    own.start(Limits(days=0))
    with closing(own.client()) as client:
        client.append(MARKET, b"kept")
    own.stop()
    own.start()
    assert log_limits.load(own.directory) == Limits(days=0)
    said = (own.directory / "server.log").read_text()
    assert said.count("Limits(days=0, gigabytes=10.0, archive=None)") == 2


def test_a_log_that_cannot_be_used_is_told_with_the_remedy(own: MarketLog) -> None:
    own.start()
    own.stop()
    with pytest.raises(LogError, match=r"writer does not start: .* has 8 partitions, and 3 are"):
        own.start(partitions=3)
    (own.directory / "limits.json").write_text("{nonsense")
    with pytest.raises(LogError, match=r"limits.json cannot be read .*: remove it"):
        own.start()
    (own.directory / "limits.json").unlink()
    own.directory.chmod(0o755)
    with pytest.raises(LogError, match=r"others may use .*: chmod 700"):
        own.start()
    own.directory.chmod(0o700)


def test_it_outlives_the_program_that_started_it(own: MarketLog) -> None:
    program = "from infra.log.log import MarketLog; MarketLog().start()"
    environment = {**os.environ, "TAPEDECK_HOME": str(own.directory.parent)}
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", program], cwd=root, env=environment, check=True)
    assert own.status().startswith("log: up")


def test_the_commands_say_what_they_did(own: MarketLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPEDECK_HOME", str(own.directory.parent))
    deck = CliRunner()

    def said(*words: str) -> str:
        return deck.invoke(app, words).output

    assert said("status").startswith("log: down")
    assert said("start", "--days", "3", "--archive", "kept").startswith("log: up")
    assert said("start", "--days", "3").startswith("log: up")
    assert said("start", "--days", "4").startswith("it runs already, as it was told before: deck")
    assert log_limits.load(own.directory) == Limits(3, 10, str(Path("kept").absolute()))
    assert said("stop").startswith("log: stopped")
    assert said("start", "--no-archive").startswith("log: up")
    assert log_limits.load(own.directory) == Limits(3, 10)
    assert said("stop").startswith("log: stopped")
    assert said("stop").startswith("log: down")
    assert said("start", "--days", "-1").startswith("days must be 0 or more, not -1")


def test_limits_are_kept_as_the_writer_takes_them(tmp_path: Path) -> None:
    keep = Limits().keep()
    assert (keep.age, keep.size, keep.archived) == (7 * 86_400 * 10**9, 10 * 10**9, None)
    keep = Limits(0, 0, str(tmp_path)).keep()
    assert (keep.age, keep.size) == (None, None)
    assert keep.archived is not None
    assert keep.archived() == {}
