"""`deck flows`, `logs`, `stop`, `restart` and `shutdown`: what runs unattended, seen and ended."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import orjson
import typer

from infra import screen
from infra.deploy import status as states
from infra.deploy.deployment import DeployError, Deployment, Place, places
from infra.deploy.flow_board import DEAD, SILENT, Flow, facts, flows, table
from infra.deploy.logbook import follow, last
from infra.deploy.supervisor import Supervisor
from infra.running.problems import explained
from infra.screen import Misused, say, told
from infra.settings import Settings

_Name = Annotated[str, typer.Argument(help="The deployment's.", show_default=False)]
_All = Annotated[bool, typer.Option("--all", help="Every one.")]
_Lines = Annotated[int, typer.Option("--lines", "-n", min=0, help="So many of the last ones.")]
_ODD = "yellow"


def flows_command(
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """List what is deployed: how it is, what it holds, what it made; fail if one has failed."""
    with told():
        settings = Settings.from_environment()
        found = flows(places(settings.home))
        if json:
            typer.echo(orjson.dumps([facts(flow) for flow in found], option=orjson.OPT_INDENT_2))
        else:
            _show(found, settings)
        if any(flow.bad for flow in found):
            raise typer.Exit(1)


def logs(
    name: _Name,
    follow_: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")
    ] = False,
    lines: _Lines = 50,
) -> None:
    """Show what a deployment says; or a feed, an executor or a server that is kept running."""
    with told(), suppress(KeyboardInterrupt):
        settings = Settings.from_environment()
        place = Place(settings.home, name)
        supervisor = Supervisor(settings.home)
        path = place.log if place.load() else supervisor.logs / f"{name}.log"
        if not path.parent.exists() or not (place.load() or path.exists()):
            raise DeployError(f"{name}: nothing is known of it{_known(settings)}")
        for line in last(path, lines):
            typer.echo(line)
        if follow_:
            for line in follow(path):
                typer.echo(line)


def stop(name: _Name = "", everything: _All = False) -> None:
    """Drain a flow, and end it: no position is closed, and it can go on where it was."""
    with told(), explained(resumable=False):
        settings = Settings.from_environment()
        for place in _meant("stop", name, settings, everything=everything):
            _stop(place, settings)


def restart(name: _Name = "", everything: _All = False) -> None:
    """Drain a flow, and let it go on, as it was deployed; --all starts what should run."""
    from infra.deploy.starting import restart as go_on  # noqa: PLC0415 - not wanted by the others

    with told(), explained(resumable=False):
        settings = Settings.from_environment()
        for place in _meant("restart", name, settings, everything=everything):
            deployment = place.asked()
            if name or place.runs():  # of what a reboot has ended nothing can be lost
                _check(deployment, place, settings)
            status = go_on(deployment, settings, lambda line: say(line, _ODD))
            if status.state == states.FAILED:
                raise DeployError(f"{place.name} failed: {status.why}; deck logs {place.name}")
            screen.out.print(f"{place.name}: {status.state}", highlight=False)


def shutdown() -> None:
    """End all that runs here: flows, feeds, executors, the log, history; nothing is lost."""
    from infra.deploy.ending import end_all  # noqa: PLC0415 - not wanted by the others

    with told(), explained(resumable=False):
        for line in end_all(Settings.from_environment()):
            screen.out.print(line, highlight=False, soft_wrap=True)


def _check(deployment: Deployment, place: Place, settings: Settings) -> None:
    """See that a flow can go on, before it is ended."""
    from infra.deploy.checks import checks, show  # noqa: PLC0415 - not wanted by the others

    found = list(checks(deployment, place, settings))
    for one in found:
        if not one.good:
            show(one)
    if not all(one.good for one in found):
        state = "it goes on as it was" if place.runs() else "it was not started"
        raise DeployError(f"{place.name}: {state}: mend what is marked, and say it again")


def _show(found: list[Flow], settings: Settings) -> None:
    if not found:
        say("nothing is deployed here: deck deploy FLOW", _ODD)
        return
    screen.out.print(table(found))
    for flow in found:
        if flow.bad or flow.state == states.RESTARTING:
            name = flow.deployment.name
            more = (
                "" if flow.state in (DEAD, SILENT) else f"; deck logs {name}, deck restart {name}"
            )
            say(f"{name}: {flow.why or flow.state}{more}", _ODD)
    if any(flow.runs for flow in found) and not Supervisor(settings.home).up():
        say(
            "the supervisor is down, so nothing that dies is started again: deck restart --all",
            _ODD,
        )


def _stop(place: Place, settings: Settings) -> None:
    from infra.deploy.starting import stop as end  # noqa: PLC0415

    ran = end(place, settings)
    open_ = states.held(states.load(place.status))
    rest = "; ".join(f"{market} {position}" for market, position in open_.items())
    state = "stopped" if ran else "it did not run"
    still = f"; open stays: {rest}" if rest else "; nothing is open"
    screen.out.print(f"{place.name}: {state}{still}", highlight=False, soft_wrap=True)


def _meant(command: str, name: str, settings: Settings, *, everything: bool) -> list[Place]:
    """Return the deployments that are meant."""
    if everything == bool(name):
        raise Misused(f"deck {command}: say which: a NAME{_known(settings)}, or --all")
    if name:
        place = Place(settings.home, name)
        if place.load() is None:
            raise DeployError(f"{name}: nothing is deployed under that name{_known(settings)}")
        return [place]
    supervisor = Supervisor(settings.home)
    kept = {*supervisor.names(), *(supervisor.asleep() if command == "restart" else ())}
    return [p for p in places(settings.home) if p.runs() or f"flow-{p.name}" in kept]


def _known(settings: Settings) -> str:
    names = ", ".join(place.name for place in places(settings.home))
    return f"; there are {names}" if names else ""
