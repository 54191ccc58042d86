"""Whether deployments and executors are well."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from connectors.outbox.file import OutboxError
from connectors.outbox.outbox import OutboxView
from infra.deploy import status as states
from infra.deploy.deployment import REPLAY, DeployError, Place, places
from infra.deploy.status import Status
from infra.doctor.finding import Finding, bad, measured, ok, warn
from infra.settings import Settings
from infra.trading.trading import executes
from schemas import SECOND

_LATE_SECONDS, _TOO_LATE_SECONDS = 60.0, 600.0
_BEHIND, _FAR_BEHIND = 10_000, 1_000_000
_RESTARTS = 3


def deployments(settings: Settings, name: str = "") -> Iterator[Finding]:
    """Look at all deployments, or one.

    Raises
    ------
    DeployError
        When there is none of that name.

    """
    found = [place for place in places(settings.home) if name in ("", place.name)]
    if name and not found:
        known = ", ".join(place.name for place in places(settings.home)) or "none"
        raise DeployError(f"{name}: there is no such deployment; there is {known}")
    for place in found:
        yield from _deployment(place)


def _deployment(place: Place) -> Iterator[Finding]:
    check, status = place.name, states.load(place.status)
    if status is None:
        yield warn(check, "it has never run", f"deck restart {place.name}")
    elif status.state == states.FAILED:
        yield bad(check, f"failed: {status.why}", f"deck logs {place.name}, then deck restart")
    elif status.state in states.UP and not place.runs():
        yield bad(check, f"{status.state} when its parent died", f"deck restart {place.name}")
    elif status.state in states.UP and not status.fresh:
        said = f"says nothing for {_ago(status.said):,.0f} s"
        yield bad(check, said, f"deck logs {place.name}, then deck restart {place.name}")
    elif status.hangs:
        said = f"its process says nothing for {_ago(status.heard):,.0f} s: it is stopped, or hangs"
        yield bad(check, said, states.unhung(status))
    else:
        yield ok(check, status.state)
        if status.state == states.RUNNING:
            asked = place.load()
            yield from _running(check, status, past=asked is not None and asked.kind == REPLAY)


def _running(name: str, status: Status, past: bool) -> Iterator[Finding]:
    """Look at one that runs; one that reads the past is late, and has much to read, by nature."""
    if status.restarts >= _RESTARTS:
        said = f"started again {status.restarts} times, the last time as {status.why}"
        yield warn(f"{name}, restarts", said, f"deck logs {name}")
    if not past:
        yield from _timely(name, status)
    stopped = {
        market: line.mode for market, line in status.markets.items() if line.mode != "active"
    }
    if stopped:
        said = ", ".join(f"{market} is {mode}" for market, mode in sorted(stopped.items()))
        yield warn(f"{name}, entries", said, f"look why, then deck resume --flow {name}")


def _timely(name: str, status: Status) -> Iterator[Finding]:
    if status.last_event:
        late = _ago(status.last_event)
        age = f"{late:,.0f} s old" if late > -1 else f"{-late:,.0f} s ahead of our clock"
        yield measured(
            f"{name}, lag", f"its newest event is {age}", late,
            (_LATE_SECONDS, _TOO_LATE_SECONDS), "is the market taken in? deck logs, deck ingest",
        )  # fmt: skip
    else:
        yield warn(f"{name}, lag", "nothing has come yet", "deck ingest --markets NAME,NAME")
    if status.behind is not None:
        yield measured(
            f"{name}, behind", f"{status.behind:,} messages are not read yet", status.behind,
            (_BEHIND, _FAR_BEHIND), f"wait; else deploy {name} with more --processes",
        )  # fmt: skip


def executors(settings: Settings) -> Iterator[Finding]:
    """Look at all executors that there are or were."""
    for home in sorted((settings.home / "executor").glob("*-*")):
        account, _, broker = home.name.rpartition("-")
        yield from _executor(home, f"{account}:{broker}", executes(settings, f"{account}:{broker}"))


def _executor(home: Path, purse: str, runs: bool) -> Iterator[Finding]:
    check = f"executor {purse}"
    account, _, broker = purse.partition(":")
    start = f"deck executor --account {account} --broker {broker}"
    try:
        with closing(OutboxView(home)) as view:
            held, slips = view.holdings(), view.slips()
            modes, waiting = view.modes(), view.waiting()
    except OutboxError as error:
        yield bad(check, str(error), "as it says")
        return
    said = f"{'runs' if runs else 'does not run'}, holds {len(held)} positions"
    yield bad(check, said, start) if held and not runs else ok(check, said)
    if waiting and not runs:
        yield warn(f"{check}, reports", f"{waiting:,} are not in the log yet", start)
    for scope, mode in sorted(modes.items()):
        whose = " in ".join(filter(None, scope)) or "all"
        remedy = "look why, then deck resume" + (f" --flow {scope.flow}" if scope.flow else "")
        yield warn(f"{check}, entries", f"{whose}: {mode.mode}, {mode.why}", remedy)
    doubts = [slip for slip in slips if slip.status == "unknown"]
    if doubts:
        oldest = _ago(min(slip.sent_at for slip in doubts))
        yield measured(
            f"{check}, doubts", f"{len(doubts)} orders, the oldest for {oldest:,.0f} s", oldest,
            (10.0, 120.0), "look at the exchange itself, and at what the executor says",
        )  # fmt: skip


def _ago(then: int) -> float:
    return (time.time_ns() - then) / SECOND
