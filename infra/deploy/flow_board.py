"""What `deck flows` shows: each deployment, how it is, what it holds and has made."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from rich import box
from rich.table import Table

from infra.deploy import status as states
from infra.deploy.deployment import REPLAY, Deployment, Place
from infra.deploy.status import Status, held

_SECOND = 1_000_000_000
_DAY = 86_400 * _SECOND
_NAMED = 2
"""So many positions are named; more are counted."""
DEAD, SILENT = "dead", "silent"
"""States that nobody says: they are what is seen."""
_STYLES = {
    states.RUNNING: "green", states.FAILED: "red", states.RESTARTING: "yellow", DEAD: "red",
    SILENT: "red",
}  # fmt: skip


class Flow(NamedTuple):
    """A deployment, and what is known of it."""

    deployment: Deployment
    status: Status | None
    runs: bool
    """Whether a parent has it."""

    @property
    def state(self) -> str:
        """Its state: what was said last, if whoever said it lives."""
        if self.status is None:
            return states.STARTING if self.runs else states.STOPPED
        if self.status.state in states.UP and not self.runs:
            return DEAD
        if self.status.state in states.UP and (not self.status.fresh or self.status.hangs):
            return SILENT
        return self.status.state

    @property
    def bad(self) -> bool:
        """Whether somebody should look."""
        return self.state in (states.FAILED, DEAD, SILENT)

    @property
    def why(self) -> str:
        """Why somebody should look; what one that is silent said last was of something else."""
        status, name = self.status, self.deployment.name
        if status is None:
            return ""
        if self.state == DEAD:
            return f"its process is gone: deck restart {name}"
        if self.state == SILENT and status.hangs:
            return f"its process says nothing, it is stopped or hangs: {states.unhung(status)}"
        if self.state == SILENT:
            return f"it says nothing for {states.FRESH_SECONDS:g} s: deck logs {name}"
        return status.why

    @property
    def positions(self) -> dict[str, str]:
        """What it holds, by market."""
        return held(self.status)


def flows(found: Iterable[Place]) -> list[Flow]:
    """Return what is known of deployments."""
    asked = ((place, place.load()) for place in found)
    return [
        Flow(deployment, states.load(place.status), place.runs())
        for place, deployment in asked
        if deployment is not None
    ]


def table(found: Sequence[Flow], now: int | None = None) -> Table:
    """Return it as a table of at most 80 columns."""
    now = time.time_ns() if now is None else now
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    grid.add_column("name", overflow="fold", max_width=16)
    grid.add_column("state", no_wrap=True)
    for name in ("age", "lag"):
        grid.add_column(name, justify="right", no_wrap=True)
    grid.add_column("last event")
    grid.add_column("position", overflow="fold")
    for name in ("PnL", "restarts"):
        grid.add_column(name, justify="right", no_wrap=True)
    for flow in found:
        grid.add_row(*_cells(flow, now), style="dim" if flow.state == states.STOPPED else "")
    return grid


def facts(flow: Flow, now: int | None = None) -> dict[str, object]:
    """Return it as plain values, for programs."""
    now = time.time_ns() if now is None else now
    asked, status = flow.deployment, flow.status or Status(states.STOPPED, said=0, since=0)
    return {
        "name": asked.name, "id": asked.id, "flow": asked.flow, "source": asked.source,
        "broker": asked.broker, "account": asked.account, "markets": list(asked.markets),
        "processes": asked.processes, "state": flow.state, "since": status.since,
        "run": status.run, "lag_seconds": _lag(status, now), "behind": status.behind,
        "last_event": status.last_event, "trades": status.trades, "positions": flow.positions,
        "pnl": status.pnl, "restarts": status.restarts, "why": flow.why, "pid": status.pid,
        "processes_now": list(status.processes), "metrics_port": status.metrics_port,
    }  # fmt: skip


def short(seconds: float) -> str:
    """Return a span of time in one unit.

    Examples
    --------
    >>> [short(seconds) for seconds in (0.42, 75, 7_200, 200_000)]
    ['0.4s', '75s', '120m', '55h']

    """
    if seconds < 10:  # noqa: PLR2004 - below, tenths count
        return f"{seconds:.1f}s"
    for unit, size, most in (("s", 1, 100), ("m", 60, 7_800), ("h", 3_600, 360_000)):
        if seconds < most:
            return f"{seconds // size:.0f}{unit}"
    return f"{seconds // 86_400:.0f}d"


def clock(stamp: int, now: int) -> str:
    """Return when something was, UTC: of the last day the time only.

    Examples
    --------
    >>> clock(3_661 * _SECOND, now=7_000 * _SECOND), clock(3_661 * _SECOND, now=190_000 * _SECOND)
    ('01:01:01', '01-01 01:01')

    """
    if not stamp:
        return "–"
    form = "%H:%M:%S" if abs(now - stamp) < _DAY else "%m-%d %H:%M"
    return time.strftime(form, time.gmtime(stamp / _SECOND))


def _cells(flow: Flow, now: int) -> list[str]:
    status = flow.status
    state = flow.state
    style = _STYLES.get(state, "")
    told = f"[{style}]{state}[/]" if style else state
    if status is None:
        return [flow.deployment.name, told, *["–"] * 6]
    present = state == states.RUNNING and flow.deployment.kind != REPLAY
    lag = _lag(status, now) if present else None
    at = clock(status.last_event, now)
    return [
        flow.deployment.name, told, short((now - status.since) / _SECOND),
        "–" if lag is None else short(lag), at, _position(flow),
        f"{Decimal(status.pnl):+,.2f}", str(status.restarts),
    ]  # fmt: skip


def _lag(status: Status, now: int) -> float | None:
    """Return how far the newest event is behind our clock, in seconds; none if nothing came."""
    return max(0.0, (now - status.last_event) / _SECOND) if status.last_event else None


def _position(flow: Flow) -> str:
    """Return what is held, in few words."""
    found = [
        f"{position.split(' ')[0]} {market.partition(':')[2].partition('/')[0] or market}"
        for market, position in flow.positions.items()
    ]
    return ", ".join(found) if len(found) <= _NAMED else f"{len(found)} markets"
