"""`deck replay --as`: what a run that traded has read gives the same conclusions again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.infra.rig import Rig
from tests.infra.trading_rig import OFTEN, Feed, count, feed

STORE = Path("trading", "often-paper")


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    (tmp_path / "often.py").write_text(OFTEN)
    return Rig(tmp_path)


@pytest.fixture
def market(rig: Rig) -> Iterator[Feed]:
    with feed(rig) as made:
        yield made


@contextmanager
def trading(rig: Rig, *options: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Trade, and stop as a user does, unless it was killed."""
    command = ("trade", "often.py", "--no-history", "--events", rig.home / "live.jsonl")
    with rig.started(*command, *options) as process:
        yield process
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            said = process.communicate()
            assert process.returncode == 0, said


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def test_the_log_gives_a_run_that_was_killed_and_went_on_once_more(rig: Rig, market: Feed) -> None:
    for _ in range(10):
        market.second()
    warm = ("--warm-up", "5s")
    for _ in range(2):
        with trading(rig, *warm) as process:
            known = count(rig.home / STORE, "Closed")
            market.until(lambda: count(rig.home / STORE, "Closed") > known)  # noqa: B023 - now
            kill(process)
    with trading(rig):
        known = count(rig.home / STORE, "Closed")
        market.until(lambda: count(rig.home / STORE, "Closed") > known)
    for _ in range(5):
        market.second()  # nobody has read these
    said = rig.deck(
        "replay", "often.py", "--as", "often-paper", "--events", rig.home / "again.jsonl"
    )
    assert (rig.home / "again.jsonl").read_bytes() == (rig.home / "live.jsonl").read_bytes()
    assert count_lines(rig.home / "again.jsonl") > 20
    assert said.err == ""


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n")
