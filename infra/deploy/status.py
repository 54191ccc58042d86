"""What the parent of a deployment says of it, each second, for whoever looks."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import orjson

from infra.deploy.deployment import write
from infra.running.far import FLAT, Far, Line, whole

STARTING, RUNNING, RESTARTING = "starting", "running", "restarting"
STOPPING, STOPPED, FAILED, FINISHED = "stopping", "stopped", "failed", "finished"
UP = {STARTING, RUNNING, RESTARTING, STOPPING}
"""States of a deployment that has a parent."""

FRESH_SECONDS = 10.0
"""A status that is older is no sign of life."""


@dataclass(frozen=True)
class Status:
    """How a deployment stands.

    Parameters
    ----------
    state, since
        One of the states above, and since when.
    said
        When this was said.
    run
        The run's id; empty as long as none has begun.
    restarts, why
        How often it was started again, and why the last time; or why it failed.
    pid, processes
        The parent's, and those of the flow.
    trades, last_event, behind
        How far it is: trades read, tape time of the newest event, messages not read yet.
    pnl
        What closed positions have made, as a decimal.
    markets
        What there is to say of each.
    metrics_port
        Where metrics are shown, if they are.
    begun
        When the process that is at work said so first.
    version
        The parent's, of Tapedeck.
    heard
        When the process that is at work said how far it is last; 0 if that is not known.

    """

    state: str
    since: int = field(default_factory=time.time_ns)
    said: int = field(default_factory=time.time_ns)
    run: str = ""
    restarts: int = 0
    why: str = ""
    pid: int = 0
    processes: tuple[int, ...] = ()
    trades: int = 0
    last_event: int = 0
    behind: int | None = None
    pnl: str = "0"
    markets: dict[str, Line] = field(default_factory=dict)
    metrics_port: int | None = None
    begun: int = 0
    version: str = ""
    heard: int = 0

    @property
    def fresh(self) -> bool:
        """Whether its parent said so just now."""
        return time.time_ns() - self.said < FRESH_SECONDS * 1e9

    @property
    def hangs(self) -> bool:
        """Whether its process, which should run, says nothing, though its parent does."""
        old = self.heard and time.time_ns() - self.heard >= FRESH_SECONDS * 1e9
        return self.state == RUNNING and self.fresh and bool(old)

    @property
    def alive(self) -> bool:
        """Whether its flow runs."""
        return self.state == RUNNING and self.fresh and not self.hangs


def standing(ats: Sequence[Far]) -> dict[str, object]:
    """Return the fields that tell how far a flow is.

    Examples
    --------
    >>> standing([Far(trades=3, lines={"okx:A": Line(stamp=7)})])["last_event"]
    7

    """
    far = whole(ats)
    return {
        "trades": far.trades,
        "last_event": max((line.stamp for line in far.lines.values()), default=0),
        "behind": far.behind,
        "pnl": str(far.pnl),
        "markets": dict(far.lines),
    }


def held(status: Status | None) -> dict[str, str]:
    """Return the positions that a deployment has, by market.

    Examples
    --------
    >>> held(Status(RUNNING, markets={"okx:A": Line(position="long 2 at 7"), "okx:B": Line()}))
    {'okx:A': 'long 2 at 7'}

    """
    lines = status.markets if status is not None else {}
    return {name: line.position for name, line in sorted(lines.items()) if line.position != FLAT}


def unhung(status: Status) -> str:
    """Return what to do about a process that hangs: its parent does the rest.

    Examples
    --------
    >>> unhung(Status(RUNNING, processes=(7, 8)))
    'kill -9 7: it is started again, and nothing is lost'

    """
    return f"kill -9 {status.processes[0]}: it is started again, and nothing is lost"


def save(path: Path, status: Status) -> None:
    """Say it."""
    write(path, orjson.dumps(asdict(status)))


def load(path: Path) -> Status | None:
    """Return what was said last, if something was that this version understands."""
    try:
        found = orjson.loads(path.read_bytes())
        known = {one.name for one in fields(Status)}
        found = {name: value for name, value in found.items() if name in known}
        markets = {market: Line(**line) for market, line in found.get("markets", {}).items()}
        processes = tuple(found.get("processes", ()))
        return Status(**{**found, "markets": markets, "processes": processes})
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return None
