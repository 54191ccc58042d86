"""A parent and its flow, in processes of their own, on a log that grows: killed, stopped, bad."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from infra.deploy import alive
from infra.deploy import status as states
from infra.deploy.deployment import Place
from infra.deploy.keeper import GAVE_UP
from infra.deploy.status import Status
from infra.deploy.told import RESTART
from schemas import SECOND
from tests.infra.rig import ROOT, Rig
from tests.infra.trading_rig import OFTEN, PATIENCE, Feed, feed


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    (tmp_path / "often.py").write_text(OFTEN)
    return Rig(tmp_path)


@pytest.fixture
def market(rig: Rig) -> Iterator[Feed]:
    with feed(rig) as made:
        yield made


def started(rig: Rig, flow: str = "often.py") -> subprocess.Popen[str]:
    command = ["-m", "infra.deploy.parent", "demo", "--flow", str(rig.home / flow), "--no-history"]
    return subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "TAPEDECK_HOME": str(rig.home), **rig.environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


@contextmanager
def parent(rig: Rig, flow: str = "often.py") -> Iterator[subprocess.Popen[str]]:
    """Start a parent, and see that it and its flow are over at the end."""
    with started(rig, flow) as process:
        try:
            yield process
        finally:
            said = states.load(Place(rig.home, "demo").status)
            process.kill()
            wait_for(lambda: not lives(said))


def wait_for(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def status(rig: Rig) -> Status:
    said = states.load(Place(rig.home, "demo").status)
    assert said is not None
    return said


def lives(said: Status | None) -> bool:
    return said is not None and any(psutil.pid_exists(pid) for pid in said.processes)


def running(rig: Rig, restarts: int = 0, trades: int = 0) -> Callable[[], bool]:
    """Return what tells whether the flow runs, was started again so often, and has read."""

    def seen() -> bool:
        said = states.load(Place(rig.home, "demo").status)
        if said is None or not said.alive:
            return False
        return said.restarts == restarts and said.trades > trades

    return seen


def test_a_flow_that_dies_is_started_again_and_drains_when_it_is_told_to(
    rig: Rig, market: Feed
) -> None:
    with parent(rig) as process:
        market.until(running(rig))
        first = status(rig)
        [pid] = first.processes
        os.kill(pid, signal.SIGSTOP)
        market.until(lambda: 0 < status(rig).heard < status(rig).said - 2 * SECOND)
        os.kill(pid, signal.SIGKILL)
        market.until(running(rig, restarts=1, trades=first.trades))
        second = status(rig)
        assert second.run == first.run
        assert second.why == "it died: killed by SIGKILL"
        assert second.processes != first.processes
        assert second.metrics_port
        process.terminate()
        assert process.wait() == 0
    last = status(rig)
    assert (last.state, last.processes) == (states.STOPPED, ())
    assert last.trades >= second.trades
    assert not lives(second)


def test_a_flow_whose_parent_dies_ends_and_the_next_parent_goes_on_with_its_run(
    rig: Rig, market: Feed
) -> None:
    with parent(rig) as process:
        market.until(running(rig))
        first = status(rig)
        process.kill()
    with parent(rig) as process:
        market.until(running(rig, restarts=1, trades=first.trades))
        second = status(rig)
        assert second.why == "its parent died"
        process.terminate()
        assert process.wait() == 0
    assert second.run == first.run
    assert not lives(first)
    with parent(rig) as process:  # nobody died in front of this one
        market.until(running(rig))
        process.terminate()
        process.wait()


def test_the_next_process_of_a_flow_is_ready_before_the_present_one_makes_room_for_it(
    rig: Rig, market: Feed
) -> None:
    with parent(rig) as process:
        market.until(running(rig, trades=1))
        first = status(rig)
        process.send_signal(RESTART)
        market.until(lambda: len(psutil.Process(process.pid).children()) > 1)
        assert status(rig).processes == first.processes
        market.until(lambda: status(rig).begun > first.begun)
        second = status(rig)
        assert (second.state, second.run, second.restarts) == (states.RUNNING, first.run, 0)
        assert second.processes != first.processes
        assert second.trades >= first.trades
        market.until(running(rig, trades=second.trades))
        process.terminate()
        assert process.wait() == 0
    log = Place(rig.home, "demo").log.read_text()
    assert log.count("makes room for another process") == 1
    assert log.count("warm-up:") == 1  # it went on, and nothing began anew


def test_a_flow_that_is_stopped_while_its_next_process_gets_ready_leaves_nobody(
    rig: Rig, market: Feed
) -> None:
    with parent(rig) as process:
        market.until(running(rig))
        process.send_signal(RESTART)
        market.until(lambda: len(psutil.Process(process.pid).children()) > 1)
        children = psutil.Process(process.pid).children()
        process.terminate()
        assert process.wait() == 0
    assert status(rig).state == states.STOPPED
    assert not any(psutil.pid_exists(child.pid) for child in children)


def test_a_second_signal_ends_at_once_and_nothing_is_lost(rig: Rig, market: Feed) -> None:
    with parent(rig) as process:
        market.until(running(rig))
        said = status(rig)
        os.kill(said.processes[0], signal.SIGSTOP)  # it cannot drain
        process.terminate()
        wait_for(lambda: status(rig).state == states.STOPPING)
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
        assert not lives(said)
    with parent(rig) as process:
        market.until(running(rig, trades=said.trades))
        assert status(rig).run == said.run
        process.terminate()
        process.wait()


def test_a_frozen_process_that_is_to_make_room_is_killed_and_its_run_goes_on(
    rig: Rig, market: Feed
) -> None:
    with parent(rig) as process:
        market.until(running(rig))
        said = status(rig)
        os.kill(said.processes[0], signal.SIGSTOP)
        process.send_signal(RESTART)
        market.until(running(rig, restarts=1, trades=said.trades))
        assert status(rig).run == said.run
        assert not lives(said)
        process.terminate()
        assert process.wait() == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("def strategy(tape):\n    return 1 / 0\n", "ZeroDivisionError"),
        ("strategy = 3\n", "has no function"),
        ("import nowhere_to_be_found\n", "nowhere_to_be_found"),
    ],
)
def test_a_broken_flow_fails_at_once_and_nobody_is_asked_to_start_it_again(
    rig: Rig, market: Feed, content: str, why: str
) -> None:
    (rig.home / "broken.py").write_text(content)
    with parent(rig, "broken.py") as process:
        assert process.wait(PATIENCE) == GAVE_UP
    said = status(rig)
    assert (said.state, said.restarts) == (states.FAILED, 0)
    assert why in said.why


def test_a_flow_that_crashes_at_the_same_events_is_given_up(rig: Rig, market: Feed) -> None:
    crash = OFTEN.replace("return long(", "import os\n    os.abort()\n    return long(")
    (rig.home / "often.py").write_text(crash)
    rig.environment["TAPEDECK_LOG"] = "json"
    with parent(rig) as process:
        market.until(lambda: process.poll() is not None)
        out, _ = process.communicate()
    said = status(rig)
    assert process.returncode == GAVE_UP
    assert (said.state, said.restarts) == (states.FAILED, 3)
    assert "crashed again and again at one place" in said.why
    assert all(json.loads(line)["flow"] == "demo" for line in out.splitlines())


def test_a_second_parent_is_refused_and_alive_tells_of_the_first(
    rig: Rig, market: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPEDECK_HOME", str(rig.home))
    assert alive.main(["demo"]) == 1
    with parent(rig) as process:
        market.until(running(rig))
        assert alive.main(["demo"]) == 0
        with started(rig) as other:
            _, said = other.communicate()
            assert other.returncode == GAVE_UP
            assert "demo runs already" in said
        assert process.poll() is None
        process.terminate()
        process.wait()
    assert alive.main(["demo"]) == 1


def test_what_a_flow_prints_is_in_its_log_and_no_error_in_it_when_nobody_reads(
    rig: Rig, market: Feed
) -> None:
    loud = OFTEN.replace("    return long(", '    print("rule", flush=True)\n    return long(')
    (rig.home / "often.py").write_text(loud)
    with parent(rig) as process:
        market.until(running(rig))
        log = Place(rig.home, "demo").log
        market.until(lambda: log.read_text().endswith("rule\n"))
        process.terminate()
        process.wait()
