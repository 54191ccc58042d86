"""A flow that cannot be kept running, with a position: held or sold, as was chosen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.deploy import status as states
from infra.deploy.deployment import Place
from infra.deploy.keeper import GAVE_UP
from infra.deploy.unattended import FLATTEN, HOLD
from tests.infra.killing import PATIENCE, PERPETUAL, Scene, scene
from tests.infra.nursery import stop
from tests.infra.rig import ROOT

PATIENT = '''
"""Buy, and wait for an hour."""

from datetime import timedelta

from operators import Barriers, Moment, Signal, Tape, base, candles, entries, long, trade
from schemas import Candle


def buy(now: Moment) -> Signal | None:
    return long(base(2))


def strategy(tape: Tape) -> Tape:
    tape = candles("candles", tape, every=timedelta(milliseconds=250))
    tape = entries("entries", tape, on=Candle, rule=buy)
    barriers = Barriers(stop_loss=0.5, take_profit=0.5, timeout=timedelta(hours=1))
    return trade("trade", tape, barriers=barriers)
'''


@contextmanager
def deployed(here: Scene, then: str) -> Iterator[subprocess.Popen[bytes]]:
    """Keep the flow running with an account, and its executor."""
    command = [
        "-m", "infra.deploy.parent", "demo", "--flow", str(here.home / "often.py"),
        "--source", "exchange:binance", "--markets", here.ground.market, "--no-history",
        "--broker", "sandbox", "--account", "main", "--on-failure", then,
    ]  # fmt: skip
    environment = {**os.environ, "TAPEDECK_HOME": str(here.home), **here.nursery.environment}
    here.executor.start()
    with subprocess.Popen([sys.executable, *command], env=environment, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.kill()
            stop(here.executor.process, here.nursery.said)


def wait_for(seen: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("then", [FLATTEN, HOLD])
def test_a_flow_that_dies_three_times_at_one_place_leaves_its_position_as_was_chosen(
    tmp_path: Path, then: str
) -> None:
    with scene(tmp_path, PERPETUAL, 6_000, {}) as here:
        (tmp_path / "often.py").write_text(PATIENT)
        with deployed(here, then) as process:
            wait_for(lambda: here.held and here.stage() == "open")
            wait_for((tmp_path / "deployments/demo/store/0/begun").exists)
            said = states.load(Place(tmp_path, "demo").status)
            assert said is not None
            crash = "import os\n    os.abort()\n    return long(base(2))"
            (tmp_path / "often.py").write_text(PATIENT.replace("return long(base(2))", crash))
            os.kill(said.processes[0], signal.SIGKILL)
            assert process.wait(PATIENCE) == GAVE_UP
            said = states.load(Place(tmp_path, "demo").status)
            assert said is not None
            assert (said.state, "crashed again and again" in said.why) == (states.FAILED, True)
            if then == FLATTEN:
                wait_for(lambda: here.held == 0)
            else:
                log = Place(tmp_path, "demo").log.read_text()
                assert "halt: the flow often" in log
                assert here.held
                assert [order.wanted.kind for order in here.account.open_orders()] == ["stop"]
