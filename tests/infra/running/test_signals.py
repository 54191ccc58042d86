"""Signals in a terminal: what is under way drains, whatever moment they come in."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

import pytest

from infra.running.signals import Stop, hearing

ROOT = Path(__file__).parents[3]
SECONDS = 60.0

WORK = """
import fcntl
import sys
import termios
import time
from pathlib import Path

from infra.running.processes import alone, together


class Waiting:
    def __init__(self, number=0):
        self.over = False

    def run(self):
        deadline = time.monotonic() + 50
        while not self.over and time.monotonic() < deadline:
            time.sleep(0.01)
        print("what a closed terminal does not take", flush=True)
        return "drained" if self.over else "waited in vain"

    def stop(self):
        self.over = True

    def at(self):
        return None


if __name__ == "__main__":
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    begun = []

    def watch(at):
        if len(at) == int(sys.argv[1]) and not begun:
            begun.append(print("begun", flush=True))

    done = together(Waiting, 2, watch) if sys.argv[1] == "2" else alone(Waiting(), watch)
    print("nor here", flush=True)
    Path(sys.argv[2]).write_text(" ".join(done))
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_what_runs_in_a_terminal_that_is_closed_drains(processes: int, tmp_path: Path) -> None:
    script, end = tmp_path / "work.py", tmp_path / "end"
    script.write_text(WORK)
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", 0) as terminal, os.fdopen(theirs) as tty:
        work = subprocess.Popen(
            [sys.executable, script, str(processes), end], env={"PYTHONPATH": str(ROOT)},
            stdin=tty, stdout=tty, stderr=tty, start_new_session=True,
        )  # fmt: skip
        seen = b""
        while b"begun" not in seen:
            seen += terminal.read(1024)
    # The system says it to the session's first; a shell says it to all once more.
    for _ in range(2):
        os.killpg(work.pid, signal.SIGHUP)
    assert work.wait(SECONDS) == 0
    assert end.read_text() == " ".join(["drained"] * processes)


def test_what_was_told_to_ignore_a_closed_terminal_does() -> None:
    told = Stop()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with hearing(told.set):
            os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert not told.is_set()


def test_a_terminal_that_was_closed_ends_nothing_behind_the_drain_either() -> None:
    told = Stop()
    before = signal.getsignal(signal.SIGHUP)
    try:
        with hearing(told.set):
            os.kill(os.getpid(), signal.SIGHUP)
        assert told.is_set()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_it_can_be_told_to_stop_in_any_moment_of_its_wait() -> None:
    reached = set()

    def waited(stop: Stop, moment: int) -> None:
        left = moment

        def trace(_frame: FrameType, _event: str, _argument: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                reached.add(moment)
                stop.set()
            return trace

        sys.settrace(trace)  # type: ignore[arg-type]
        stop.wait(0.001)
        sys.settrace(None)

    for moment in range(1, 30):
        stop = Stop()
        thread = threading.Thread(target=waited, args=(stop, moment), daemon=True)
        thread.start()
        thread.join(SECONDS)
        assert not thread.is_alive()
        assert stop.is_set() == (moment in reached)
    assert 3 < len(reached) < 29
