"""Starting, finding and stopping the embedded history: real processes, one directory each."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError
from typer.testing import CliRunner

from infra.history.history import History, app
from infra.history.home import HistoryError, Running
from infra.settings import Settings


@pytest.fixture
def own(tmp_path: Path) -> Iterator[History]:
    """Give a history of this test's own, which it may break."""
    kept = History(Settings(tmp_path / "deck"))
    yield kept
    kept.stop()


def running(history: History) -> Running:
    found = history.home.running()
    assert found is not None
    return found


def test_it_starts_once_is_found_and_stops(own: History) -> None:
    assert own.status() == f"history: down · {own.home.path}"
    assert own.stop() is False
    own.start()
    own.start()
    found = running(own)
    assert own.status().startswith(
        f"history: up · http://127.0.0.1:{found.port} · pid {found.pid} ·"
    )
    assert own.stop() is True
    assert not psutil.pid_exists(found.pid)
    assert own.home.running() is None
    assert own.stop() is False


def test_of_many_starters_one_starts_and_all_are_served(own: History) -> None:
    def start(_: int) -> object:
        with History(own.settings).client("reader") as client:
            return client.command("SELECT count() FROM runs")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(start, range(4))) == [0] * 4
    log = (own.home.path / "server.log").read_text()
    assert log.count("serving port") == 1


def test_what_was_written_is_there_after_a_stop_and_after_a_kill(own: History) -> None:
    for run, end in (("a", signal.SIGTERM), ("b", signal.SIGKILL)):
        with own.client("writer") as client:
            client.insert("runs", [[run]], column_names=["run"])
        process = psutil.Process(running(own).pid)
        process.send_signal(end)
        process.wait(30)
        assert own.status().startswith("history: down")
    with own.client("reader") as client:
        assert client.query("SELECT run FROM runs ORDER BY run").result_rows == [("a",), ("b",)]


def test_a_note_of_a_dead_server_is_not_believed_even_if_its_pid_lives_again(own: History) -> None:
    own.home.prepare()
    note = {"pid": os.getpid(), "port": 1, "since": 0, "version": "0"}
    (own.home.path / "server.json").write_text(json.dumps(note))
    assert own.home.running() is None
    assert own.stop() is False
    own.start()
    assert running(own).pid != os.getpid()


@pytest.mark.parametrize("signals", [1, 2])
def test_a_stop_lets_a_statement_end_and_a_second_signal_does_not(
    signals: int, own: History
) -> None:
    rows = "20000000" if signals == 1 else "90000000000"
    query = f"SELECT count() FROM numbers({rows}) WHERE sipHash64(number) % 2 = 3"
    begun = f"SELECT count() FROM system.processes WHERE query LIKE '%{rows}%'"
    answers: list[object] = []

    def ask() -> None:
        try:
            answers.append(client.command(query, settings={"max_threads": 1}))
        except ClickHouseError as error:
            answers.append(error)

    with own.client("reader") as client, own.client("owner") as owner:
        thread = threading.Thread(target=ask)
        thread.start()
        while owner.command(begun) != 2:  # itself and the other
            assert thread.is_alive()
        process = psutil.Process(running(own).pid)
        process.send_signal(signal.SIGTERM)
        if signals == 2:
            while running(own).port is not None:
                assert process.is_running()
            process.send_signal(signal.SIGTERM)
        process.wait(60)
        thread.join(60)
    assert answers == [0] if signals == 1 else isinstance(answers[0], ClickHouseError)


def test_everything_is_for_its_owner_only(own: History) -> None:
    own.start()
    for path in (own.home.path, *own.home.path.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    users = own.home.path / "users.json"
    words = json.loads(users.read_text())
    assert len(set(words.values())) == 3
    assert all(len(word) >= 32 for word in words.values())
    users.chmod(0o644)
    with pytest.raises(HistoryError, match=r"others may use .*users.json .*: chmod 600"):
        own.client("reader")
    own.home.path.chmod(0o755)
    with pytest.raises(HistoryError, match="chmod 700"):
        own.home.prepare()
    users.chmod(0o600)
    own.home.path.chmod(0o700)


def test_a_file_in_the_way_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "deck").write_text("")
    with pytest.raises(HistoryError, match=r"is in the way.*TAPEDECK_HOME"):
        History(Settings(tmp_path / "deck")).start()


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_directory_that_may_not_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(HistoryError, match=r"may not write.*TAPEDECK_HOME"):
        History(Settings(tmp_path / "deck")).start()


def test_files_of_a_newer_chdb_are_refused(own: History) -> None:
    own.home.prepare()
    (own.home.path / "chdb").write_text("99.1.0\n")
    with pytest.raises(HistoryError, match=r"written by chDB 99.1.0.*install the newer one"):
        own.start()


def test_damaged_files_are_refused_with_the_remedy(own: History) -> None:
    own.home.prepare()
    (own.home.path / "data").write_text("no directory")
    with pytest.raises(HistoryError, match=r"(?s)history does not start: Code: .*move .* away"):
        own.start()
    assert own.home.running() is None


def test_a_real_server_is_used_the_same_way(history: History, tmp_path: Path) -> None:
    port, password = running(history).port, history.home.password("owner")
    url = f"http://owner:{password}@127.0.0.1:{port}/tapedeck"
    remote = History(Settings(tmp_path / "deck", url))
    with remote.client("reader") as client:
        assert client.query("SELECT name FROM migrations").result_rows
    assert remote.status() == f"history: 127.0.0.1:{port} answers"
    assert not (tmp_path / "deck").exists()
    assert password not in repr(remote.settings) + remote.status()


def test_a_server_that_cannot_be_reached_is_named_without_the_password(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        remote = History(Settings(tmp_path, f"http://me:hidden@127.0.0.1:{port}/x"))
        with pytest.raises(HistoryError, match=f"ClickHouse at 127.0.0.1:{port}") as refused:
            remote.client("reader")
    assert "hidden" not in f"{refused.value!r} {refused.value.__cause__!r} {remote.status()}"


@pytest.mark.parametrize("url", ["chdb://x", "http://", "nonsense", "file:///etc/passwd"])
def test_a_url_of_another_kind_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="CLICKHOUSE_URL must be like"):
        History(Settings(tmp_path, url)).client("reader")


@pytest.mark.parametrize("rest", ["x/hidden@h:9", "hidden/x@h:9", "hidden#x@h:9", "hidden?@h"])
def test_a_password_that_breaks_the_url_is_shown_to_nobody(rest: str, tmp_path: Path) -> None:
    remote = History(Settings(tmp_path, f"http://me:{rest}"))
    for ask in (remote.status, remote.start):
        with pytest.raises(HistoryError, match="in a password, / is %2F") as refused:
            ask()
        assert "hidden" not in "".join(traceback.format_exception(refused.value))


def test_times_are_aware_and_final_is_on(history: History) -> None:
    with history.client("owner") as client:
        [(now, final)] = client.query("SELECT now64(9, 'UTC'), getSetting('final')").result_rows
        assert str(now.tzinfo) == "UTC"
        assert final


def test_the_commands_say_what_they_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPEDECK_HOME", str(tmp_path / "deck"))
    monkeypatch.delenv("CLICKHOUSE_URL", raising=False)
    deck = CliRunner()
    said = [deck.invoke(app, [word]).output for word in ("status", "start", "stop", "stop")]
    assert [line.split(" ·")[0].strip() for line in said] == [
        "history: down",
        "history: up",
        "history: stopped",
        "history: down",
    ]


def test_it_outlives_the_program_that_started_it(own: History) -> None:
    program = "from infra.history.history import History; History().start()"
    environment = {**os.environ, "TAPEDECK_HOME": str(own.settings.home), "CLICKHOUSE_URL": ""}
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", program], cwd=root, env=environment, check=True)
    assert own.status().startswith("history: up")


def test_a_home_of_any_name_will_do(tmp_path: Path) -> None:
    odd = History(Settings(tmp_path / "a b&c?d=%41'ж"))
    with odd.client("reader") as client:
        assert client.command("SELECT 1") == 1
    odd.stop()
    shutil.rmtree(odd.settings.home)
