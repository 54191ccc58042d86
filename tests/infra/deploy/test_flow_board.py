"""What `deck flows` shows, on a narrow terminal, too."""

from __future__ import annotations

import io
import time
from pathlib import Path

from rich.console import Console

from infra.deploy import status as states
from infra.deploy.deployment import Deployment
from infra.deploy.flow_board import Flow, facts, table
from infra.deploy.status import Status
from infra.running.far import Line
from schemas import SECOND

NOW = time.time_ns()


def flow(state: str, runs: bool = True, said: int = 0, name: str = "cross", heard: int = 0) -> Flow:
    markets = {
        "binance:BTC/USDT:USDT": Line(position="long 0.25 at 61,000.5"),
        "binance:ETH/USDT:USDT": Line(position="short 12 at 2,300"),
        "okx:XRP/USDT": Line(),
    }
    asked = Deployment(name, "/flows/cross.py", "exchange:binance", when=NOW)
    status = Status(
        state, since=NOW - 90 * SECOND, said=said or time.time_ns(), restarts=12,
        pnl="-12345.678", markets=markets, last_event=NOW - 3 * SECOND, run="r", pid=7,
        processes=(8, 9), heard=heard,
    )  # fmt: skip
    return Flow(asked, status, runs)


def shown(found: list[Flow], width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width).print(table(found, NOW))
    return out.getvalue().splitlines()


def test_it_is_not_wider_than_eighty_columns_and_cuts_no_number() -> None:
    long = "a-very-long-name-of-a-deployment-that-goes-on"
    lines = shown([flow(states.RUNNING), flow(states.RESTARTING, name=long)], 80)
    assert max(map(len, lines)) <= 80
    whole = " ".join(lines)
    for piece in ("running", "restarting", "-12,345.68", "90s", "3.0s", " 12 "):
        assert piece in whole
    assert "…" not in whole


def test_who_says_nothing_or_is_gone_is_not_taken_for_running(tmp_path: Path) -> None:
    old = NOW - 60 * SECOND
    assert flow(states.RUNNING, runs=False).state == "dead"
    assert flow(states.RUNNING, said=old).state == "silent"
    hangs = flow(states.RUNNING, heard=old)
    assert (hangs.state, hangs.bad) == ("silent", True)
    assert hangs.why.endswith("kill -9 8: it is started again, and nothing is lost")
    assert flow(states.RUNNING, said=old, heard=old).why.endswith("10 s: deck logs cross")
    assert flow(states.RUNNING, heard=time.time_ns()).state == states.RUNNING
    assert flow(states.RESTARTING, heard=old).state == states.RESTARTING
    assert flow(states.FAILED, runs=False, said=old).state == states.FAILED
    assert flow(states.STOPPED, runs=False, said=old).state == states.STOPPED
    assert [flow(state, runs=False).bad for state in ("failed", "running", "stopped")] == [
        True, True, False,
    ]  # fmt: skip
    asked = Deployment("new", "/x.py")
    assert Flow(asked, None, runs=True).state == states.STARTING
    assert shown([Flow(asked, None, runs=False)], 80)


def test_what_programs_are_told_holds_positions_and_exact_money() -> None:
    told = facts(flow(states.FINISHED, runs=False), NOW)
    assert told["positions"] == {
        "binance:BTC/USDT:USDT": "long 0.25 at 61,000.5",
        "binance:ETH/USDT:USDT": "short 12 at 2,300",
    }
    assert (told["pnl"], told["lag_seconds"], told["state"]) == ("-12345.678", 3.0, "finished")
