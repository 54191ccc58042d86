"""A new user's path, in processes as they are: deployed, killed, listed, stopped, ended."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from connectors.simulated.simulate import simulate
from infra.deploy.deployment import Place
from infra.deploy.flow_board import facts, flows
from infra.deploy.status import load
from tests.infra.rig import SMA, Rig

PATIENCE = 60.0
PATIENT = '''
"""Buy, and wait for a day."""

from datetime import timedelta

from operators import Barriers, Moment, Signal, Tape, averages, candles, entries, long, quote, trade
from schemas import Averages


def buy(now: Moment) -> Signal | None:
    return long(quote(1_000))


def strategy(tape: Tape) -> Tape:
    tape = candles("candles", tape, every=timedelta(seconds=1))
    tape = averages("averages", tape, sma=(2,))
    tape = entries("entries", tape, on=Averages, rule=buy)
    barriers = Barriers(stop_loss=0.5, take_profit=0.5, timeout=timedelta(days=1))
    return trade("trade", tape, barriers=barriers)
'''


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    try:
        yield rig
    finally:
        rig.deck("shutdown", status=None)
        left = ours(tmp_path)
        for process in left:
            process.kill()
        assert not left


def ours(home: Path) -> list[psutil.Process]:
    """Return the processes of a home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TAPEDECK_HOME") == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return found


def flow(rig: Rig, name: str) -> dict[str, Any]:
    """Return what `deck flows --json` would tell of a deployment."""
    [found] = flows([Place(rig.home, name)])
    return facts(found)


def processes(rig: Rig, name: str) -> tuple[int, ...]:
    """Return the processes that run a deployment's flow."""
    said = load(Place(rig.home, name).status)
    assert said is not None
    return said.processes


def wait_for(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_flow_is_deployed_survives_what_dies_and_ends_when_it_is_told_to(rig: Rig) -> None:
    path = rig.home / "demo.py"
    path.write_text(SMA.read_text())
    said = rig.deck("deploy", path)
    assert [line[:2] for line in said.out.splitlines()[:4]] == ["✓ "] * 4
    assert "demo is running" in said.out
    [first] = json.loads(rig.deck("flows", "--json").out)
    assert (first["state"], first["restarts"], first["source"]) == ("running", 0, "simulate")

    refused = rig.deck("deploy", path, status=1)
    assert "demo runs already: deck stop demo first" in refused.err

    before = processes(rig, "demo")
    rig.deck("restart", "demo")
    beside = flow(rig, "demo")
    assert (beside["pid"], beside["run"]) == (first["pid"], first["run"])
    assert processes(rig, "demo") != before

    before = processes(rig, "demo")
    path.write_text(SMA.read_text().replace("(5, 20, 60)", "(5, 20, 60, 61)"))
    unfit = rig.deck("restart", "demo", status=1)
    assert "✗ store   " in unfit.out
    assert "it goes on as it was" in unfit.err
    assert processes(rig, "demo") == before
    path.write_text(SMA.read_text())

    os.kill(first["pid"], signal.SIGKILL)  # the supervisor starts another
    wait_for(lambda: flow(rig, "demo")["pid"] not in (0, first["pid"]))
    wait_for(lambda: flow(rig, "demo")["state"] == "running")
    second = flow(rig, "demo")
    assert (second["run"], second["restarts"]) == (first["run"], 1)

    pid = int((rig.home / "supervisor" / "supervisord.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(pid))
    assert "the supervisor is down" in rig.deck("flows").err
    assert flow(rig, "demo")["pid"] == second["pid"]  # all goes on
    rig.deck("restart", "--all")
    third = flow(rig, "demo")
    assert (third["state"], third["run"]) == ("running", first["run"])
    assert third["pid"] != second["pid"]

    wait_for(lambda: flow(rig, "demo")["trades"] > 0)
    assert "demo: stopped; " in rig.deck("stop", "demo").out
    assert flow(rig, "demo")["state"] == "stopped"
    assert "simulate" not in {p.stem for p in (rig.home / "supervisor" / "programs").iterdir()}
    rows = rig.deck("sql", "SELECT name, source FROM deployments", "--format", "csv").out
    assert rows.splitlines()[1:] == ['"demo","simulate"']
    rig.deck("restart", "demo")
    assert flow(rig, "demo")["run"] == first["run"]
    assert "nothing of it runs any more" in rig.deck("shutdown").out
    assert not ours(rig.home)
    log = rig.deck("logs", "demo", "-n", "500").out
    assert log.count(" starts: ") == 4
    assert log.rstrip().endswith("stopped")


def test_a_rehearsal_ends_with_what_a_replay_of_its_recording_gives(rig: Rig) -> None:
    data = rig.home / "ticks.parquet"
    simulate(data, ["sim:BTC/USDT", "sim:ETH/USDT"], 0.5, seed=3)
    whole = rig.deck("replay", SMA, "--data", data, "--no-history", "--json").summary
    rig.deck("deploy", SMA, "--source", f"replay:{data}", "--no-history", "--name", "rehearsal")
    wait_for(lambda: flow(rig, "rehearsal")["state"] == "finished")
    found = flow(rig, "rehearsal")
    assert found["trades"] == whole["trades"]
    assert float(found["pnl"]) == pytest.approx(float(whole["pnl"]))
    assert whole["positions"]
    again = ("deploy", SMA, "--source", f"replay:{data}", "--no-history", "--name", "rehearsal")
    rig.deck(*again, "--processes", 2)  # begins anew
    wait_for(lambda: flow(rig, "rehearsal")["state"] == "finished")
    other = flow(rig, "rehearsal")
    assert other["run"] != found["run"]
    assert (other["trades"], other["pnl"]) == (found["trades"], found["pnl"])


def test_a_changed_flow_takes_over_its_open_positions_and_forgets_none_that_is_open(
    rig: Rig,
) -> None:
    path = rig.home / "patient.py"
    path.write_text(PATIENT)
    rig.deck("deploy", path, "--no-history")
    wait_for(lambda: flow(rig, "patient")["positions"])
    assert "open stays: sim:" in rig.deck("stop", "patient").out
    first = flow(rig, "patient")
    path.write_text(PATIENT.replace("sma=(2,)", "sma=(2, 3)"))

    refused = rig.deck("deploy", path, "--no-history", status=1)
    assert "✗ store   " in refused.out
    assert "--adopt" in refused.out
    forgetful = rig.deck("deploy", path, "--no-history", "--afresh", status=1)
    assert "holds positions in sim:" in forgetful.out
    assert flow(rig, "patient")["state"] == "stopped"

    said = rig.deck("deploy", path, "--no-history", "--adopt")
    assert f"run {first['run'][:8]} goes on, and its positions are taken over" in said.out
    second = flow(rig, "patient")
    assert (second["state"], second["run"]) == ("running", first["run"])
    wait_for(lambda: flow(rig, "patient")["positions"].items() >= first["positions"].items())


def test_a_flow_that_fails_on_ticks_is_marked_and_not_started(rig: Rig) -> None:
    path = rig.home / "faulty.py"
    path.write_text(SMA.read_text().replace("if now.before is None:", "if now.before[3]:"))
    said = rig.deck("deploy", path, status=1)
    assert said.out.startswith("✗ flow    ")
    assert "on simulated ticks it fails in" in said.out
    assert "nothing was started" in said.err
    assert not Place(rig.home, "faulty").directory.exists()


def test_what_is_not_there_is_told_with_what_there_is(rig: Rig) -> None:
    assert "nothing is deployed here" in rig.deck("flows").err
    assert json.loads(rig.deck("flows", "--json").out) == []
    for command in ("stop", "restart", "logs"):
        assert "nothing is" in rig.deck(command, "nowhere", status=1).err
    assert "a NAME, or --all" in rig.deck("stop", status=1).err
