"""The overview: what is deployed and how it stands, what ran, and what of ours is down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from infra.deploy import status as states
from infra.deploy.deployment import REPLAY, DeployError, Place, places
from infra.deploy.flow_board import Flow, facts
from infra.page.refusal import Refusal
from infra.page.runs import Runs
from infra.running.far import Line
from infra.settings import Settings

_RUNS = 50
_MILLI = 1_000_000
_TIMES = ("since", "last_event")
_LEFT_OUT = ("id", "positions", "pid", "processes", "processes_now", "metrics_port")
"""What the page does not show."""


class Desk:
    """What is looked at first.

    Parameters
    ----------
    settings
        Know the home.
    runs
        Of history.
    read_only
        Whether nobody can command from the page.
    troubles
        Returns what of ours is down, and why.

    """

    def __init__(
        self,
        settings: Settings,
        runs: Runs,
        troubles: Callable[[], Mapping[str, str]],
        *,
        read_only: bool,
    ) -> None:
        self._settings, self._runs, self._troubles = settings, runs, troubles
        self._read_only = read_only
        self._last: list[dict[str, Any]] = []

    def learn(self) -> None:
        """Ask history for the newest runs; if it does not answer, those seen last stay."""
        with suppress(Refusal):
            self._last = self._runs.newest(_RUNS)

    def now(self) -> dict[str, Any]:
        """Return it, with the runs that history told last: flows are not to wait for history."""
        flows = self.flows()
        why = self._troubles()
        return {
            "now": time.time_ns() // _MILLI,
            "version": version("tapedeck"),
            "read_only": self._read_only,
            **{
                what: {"up": what not in why, "why": why.get(what, "")}
                for what in ("history", "log")
            },
            "flows": [told(flow) for flow in flows],
            "runs": named(self._last, flows),
        }

    def flows(self) -> list[Flow]:
        """Return what is deployed."""
        return [flow for place in places(self._settings.home) for flow in _seen(place)]

    def of(self, run: str) -> Flow | None:
        """Return the deployment whose run this is, if it is one's."""
        return next((flow for flow in self.flows() if _run(flow) == run), None)

    def lines(self, run: str) -> Mapping[str, Line]:
        """Return what a run's deployment says of its markets."""
        flow = self.of(run)
        return flow.status.markets if flow is not None and flow.status is not None else {}


def named(runs: Iterable[dict[str, Any]], flows: Iterable[Flow]) -> list[dict[str, Any]]:
    """Return runs, each with the name of the deployment whose run it is now."""
    names = {_run(flow): flow.deployment.name for flow in flows}
    return [{**run, "deployment": names.get(run["run"])} for run in runs]


def told(flow: Flow) -> dict[str, Any]:
    """Return a deployment as the page has it."""
    status, asked = flow.status, flow.deployment
    found: dict[str, Any] = {k: v for k, v in facts(flow).items() if k not in _LEFT_OUT}
    present = flow.state == states.RUNNING and asked.kind != REPLAY
    lines = status.markets if status is not None else {}
    return {
        **found,
        **{name: found[name] // _MILLI or None for name in _TIMES},
        "flow": Path(asked.flow).stem,
        "bad": flow.bad,
        "lag_seconds": found["lag_seconds"] if present else None,
        "commandable": asked.kind != REPLAY and flow.state in states.UP,
        "lines": [
            {
                "market": market, "mode": line.mode, "position": line.position,
                "order": line.order, "report": line.report,
                "last_event": line.stamp // _MILLI or None,
            }
            for market, line in sorted(lines.items())
        ],
    }  # fmt: skip


def _seen(place: Place) -> Iterable[Flow]:
    """Look at a deployment, without its lock: a parent that wants it just now must get it."""
    with suppress(DeployError):  # its file is damaged: deck flows says so
        if (deployment := place.load()) is not None:
            status = states.load(place.status)
            alive = status is not None and (status.fresh or psutil.pid_exists(status.pid))
            yield Flow(deployment, status, alive)


def _run(flow: Flow) -> str:
    return flow.status.run if flow.status is not None else ""
