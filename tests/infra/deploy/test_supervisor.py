"""The supervisor itself, in a home with an awkward name: what it keeps running, and how it ends."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infra.deploy.deployment import DeployError
from infra.deploy.supervisor import Supervisor
from infra.deploy.supervisor_files import Program
from infra.lock import Lock

SAY = "import os, sys, time; open(sys.argv[1], 'w').write(os.environ['KAFKA_X']); time.sleep(999)"
LAST_WORD = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
note = open(sys.argv[1], "a")
print("up", file=note, flush=True)
signal.sigwait([signal.SIGTERM])
print(sys.argv[2], file=note)
"""
PATIENCE = 30.0
KEY = "TAPEDECK_ACCOUNT_MAIN_KEY"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / ("a b%c;d " + "long" * 30)


@pytest.fixture
def supervisor(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    monkeypatch.setenv(KEY, "for executors only")
    made = Supervisor(home)
    made.start()
    yield made
    made.stop()
    assert not made.up()


def wait_for(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def said(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_a_program_runs_with_its_own_variables_is_started_anew_when_they_change_and_ends(
    supervisor: Supervisor, home: Path
) -> None:
    note = home / "note"

    def program(value: str) -> Program:
        return Program("one", ("-c", SAY, str(note)), kept={"KAFKA_X": value})

    awkward = """a "b" 'c' %(x)s ; # d"""
    assert supervisor.put(program(awkward))
    wait_for(lambda: said(note) == awkward)
    assert not supervisor.put(program(awkward))
    assert supervisor.put(program("other"))
    wait_for(lambda: said(note) == "other")
    assert supervisor.states() == {"one": "RUNNING"}
    secrets = [*supervisor.programs.iterdir(), supervisor.directory, supervisor.programs]
    assert not [path for path in secrets if path.stat().st_mode & 0o077]
    itself = psutil.Process(int((supervisor.directory / "supervisord.pid").read_text()))
    assert KEY not in itself.environ()
    assert supervisor.drop("one")
    assert supervisor.states() == {}
    assert not list(supervisor.programs.iterdir())


def test_what_dies_is_started_again_and_what_gives_up_is_not(
    supervisor: Supervisor, home: Path
) -> None:
    note = home / "note"
    once = "import sys; f = open(sys.argv[1], 'a'); f.write('x'); f.close(); sys.exit("
    supervisor.put(Program("dies", ("-c", f"{once}1)", str(note))))
    wait_for(lambda: len(said(note)) >= 2)
    supervisor.drop("dies")
    note.unlink()
    supervisor.put(Program("gives-up", ("-c", f"{once}3)", str(note))))
    wait_for(lambda: supervisor.states()["gives-up"] == "EXITED")
    assert said(note) == "x"


def test_a_program_waits_behind_one_that_somebody_else_started(
    supervisor: Supervisor, home: Path
) -> None:
    note, lock = home / "note", home / "lock"
    held = Lock(lock)
    supervisor.put(Program("waits", ("-c", SAY, str(note)), str(lock), kept={"KAFKA_X": "mine"}))
    wait_for(lambda: supervisor.states()["waits"] == "RUNNING")
    assert not note.exists()
    held.close()
    wait_for(lambda: said(note) == "mine")


def test_what_a_dead_supervisor_left_runs_on_alone_and_is_ended_with_its_program(
    supervisor: Supervisor, home: Path
) -> None:
    note = home / "note"
    program = Program("one", ("-c", SAY, str(note)), kept={"KAFKA_X": "first"})
    supervisor.put(program)
    wait_for(lambda: said(note) == "first")
    [left] = [p.pid for p in psutil.process_iter() if str(note) in _words(p)]
    pid = int((supervisor.directory / "supervisord.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not supervisor.up())
    note.unlink()
    supervisor.start()
    wait_for(lambda: supervisor.states() == {"one": "RUNNING"})  # it waits behind the other
    assert not supervisor.put(program)
    assert psutil.pid_exists(left)
    assert not note.exists()
    supervisor.drop("one")
    assert not psutil.pid_exists(left)


@pytest.mark.parametrize("dead", [False, True])
def test_all_end_in_the_order_that_is_asked_for_though_the_supervisor_is_dead(
    home: Path, dead: bool
) -> None:
    supervisor = Supervisor(home)
    supervisor.start()
    note = home / "note"
    for name in "abc":
        supervisor.put(Program(name, ("-c", LAST_WORD, str(note), name)))
    wait_for(lambda: said(note) == "up\n" * 3)
    if dead:
        os.kill(int((supervisor.directory / "supervisord.pid").read_text()), signal.SIGKILL)
        wait_for(lambda: not supervisor.up())
    assert supervisor.stop(["c", "b", "a"]) != dead
    assert said(note).split() == ["up"] * 3 + ["c", "b", "a"]


def test_what_was_shut_down_sleeps_until_somebody_says_what_becomes_of_it(home: Path) -> None:
    supervisor = Supervisor(home)
    supervisor.start()
    note = home / "note"
    supervisor.put(Program("one", ("-c", SAY, str(note)), kept={"KAFKA_X": "1"}))
    wait_for(note.exists)
    [pid] = [p.pid for p in psutil.process_iter() if str(note) in _words(p)]
    assert supervisor.stop(["one"])
    assert not psutil.pid_exists(pid)
    assert (supervisor.names(), supervisor.asleep()) == ([], ["one"])
    assert not supervisor.stop()
    supervisor.drop("one")
    assert supervisor.asleep() == []


def test_one_that_does_not_answer_is_told() -> None:
    with pytest.raises(DeployError, match="does not answer"):
        Supervisor(Path("/nowhere")).states()


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline()) if process.pid != os.getpid() else []
    except psutil.Error:
        return []
