"""Starting a deployment, and waiting until it runs; stopping it, and saying what stays open."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version

from infra.background import ended
from infra.deploy import programs
from infra.deploy import status as states
from infra.deploy.crashes import Crashes
from infra.deploy.deployment import DeployError, Deployment, Place
from infra.deploy.status import Status
from infra.deploy.supervisor import Supervisor
from infra.deploy.told import RESTART
from infra.settings import Settings

PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_DRAIN_SECONDS = 60.0

Teller = Callable[[str], None]


def start(deployment: Deployment, settings: Settings, tell: Teller) -> Status:
    """Have a deployment run, with all it needs; return how it stands when it does.

    Raises
    ------
    DeployError
        When it does not run in time.

    """
    supervisor = Supervisor(settings.home)
    _provide(supervisor, deployment, settings, tell)
    begun = time.time_ns()
    supervisor.put(programs.parent(deployment, settings))
    return _running(Place(settings.home, deployment.name), begun, tell)


def restart(deployment: Deployment, settings: Settings, tell: Teller) -> Status:
    """Have it go on in another process; return how it stands when it does.

    A parent that is as it should be lets the next process import what it needs before the present
    one drains: nothing is read for some tenths of a second. Any other is replaced, too.

    Raises
    ------
    DeployError
        When it does not end, or does not run in time.

    """
    place, supervisor = Place(settings.home, deployment.name), Supervisor(settings.home)
    said = states.load(place.status)
    ours = said is not None and said.alive and said.version == version("tapedeck")
    same = supervisor.up() and supervisor.keeps(programs.parent(deployment, settings))
    if said is None or not (ours and same and place.runs()):
        stop(place, settings, feeds=False)
        return start(deployment, settings, tell)
    _provide(supervisor, deployment, settings, tell)
    begun = time.time_ns()
    with suppress(ProcessLookupError):
        os.kill(said.pid, RESTART)
    return _running(place, begun, tell)


def _provide(
    supervisor: Supervisor, deployment: Deployment, settings: Settings, tell: Teller
) -> None:
    """Have all run that a deployment needs."""
    supervisor.start()
    for program in programs.servers(deployment, settings):
        supervisor.put(program)
    running = [one for one in programs.wanted(supervisor, settings) if one.name != deployment.name]
    for name in programs.feed(supervisor, [*running, deployment], settings):
        tell(f"{name} is started anew for all whom it feeds: other markets, speed or variables")
    executor = programs.executor(deployment, settings)
    # Nobody takes away the limits of one that was given some, by saying nothing of them.
    known = executor is not None and executor.name in supervisor.names()
    chosen = "executor" in deployment.options or not known
    if executor is not None and chosen and supervisor.put(executor):
        tell(f"{executor.name} is started: it takes the orders of {deployment.account}")
    Crashes(Place(settings.home, deployment.name).directory).forget()  # somebody has looked at it


def _running(place: Place, begun: int, tell: Teller) -> Status:
    """Wait until a flow runs."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    told = ""
    while True:
        status = states.load(place.status)
        if status is not None and status.said >= begun:
            if status.alive and status.begun >= begun:
                return status
            if status.state in (states.FAILED, states.STOPPED, states.FINISHED):
                return status
            if status.why and status.why != told:
                told = status.why
                tell(f"it is started again: {told}")
        if time.monotonic() > deadline:
            raise DeployError(
                f"{place.name} does not run after {PATIENCE_SECONDS:.0f} s"
                f"{f', it is {status.state}' if status else ''}: deck logs {place.name}"
            )
        time.sleep(_LOOK_SECONDS)


def stop(place: Place, settings: Settings, feeds: bool = True) -> bool:
    """Drain a deployment; whether it ran.

    Parameters
    ----------
    place
        The deployment's.
    settings
        Know the home.
    feeds
        Whether what feeds it ends, too, if it feeds nobody else.

    Raises
    ------
    DeployError
        When it does not end.

    """
    supervisor = Supervisor(settings.home)
    ran = place.runs()
    supervisor.drop(f"{programs.FLOW}{place.name}")
    _end(place)
    if feeds and supervisor.up():
        programs.feed(supervisor, programs.wanted(supervisor, settings), settings)
    return ran


def _end(place: Place) -> None:
    """End a parent that nobody keeps running."""
    status = states.load(place.status)
    if status is None or not place.runs():
        return
    with suppress(ProcessLookupError):
        os.kill(status.pid, signal.SIGTERM)
    if not ended(status.pid, _DRAIN_SECONDS) and place.runs():
        raise DeployError(f"{place.name} does not end: kill {status.pid}; nothing is lost by that")
