"""`deck deploy`: check a flow, and have it run unattended."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from infra import screen
from infra.deploy import status as states
from infra.deploy.asked import code_of, markets_of, source_of, who
from infra.deploy.checks import checks, show
from infra.deploy.deployment import REPLAY, SIMULATE, WARM_UP, DeployError, Deployment, Place
from infra.deploy.elsewhere import deploy_elsewhere
from infra.deploy.logbook import last
from infra.deploy.patience import DEATHS
from infra.deploy.programs import wanted
from infra.deploy.records import record
from infra.deploy.starting import start
from infra.deploy.status import Status
from infra.deploy.supervisor import Supervisor
from infra.deploy.unattended import FLATTEN, HOLD
from infra.options import Account, FlowFile, NoHistory, Processes, WhoFills
from infra.recovery.onward import Adopt, Afresh, onward
from infra.recovery.store import Onward
from infra.running.problems import explained
from infra.screen import Misused, say, told
from infra.settings import Settings
from infra.times import parse_time
from infra.trading.switches import Broker, check
from infra.verify.regular import EVERY, MOST

_LINES = 10
_LEAVING, _LOOK = 10.0, 0.05
"""Seconds: so long a parent may take behind its last word; so often it is looked at."""


class Target(str, Enum):
    """Where a flow is to run."""

    LOCAL = "local"
    COMPOSE = "compose"
    KUBERNETES = "kubernetes"


class OnFailure(str, Enum):
    """What becomes of positions whose flow is given up; their stops rest at the exchange."""

    HOLD = HOLD
    FLATTEN = FLATTEN


def deploy(
    flow: FlowFile,
    source: Annotated[
        str,
        typer.Option(
            help="Where its tape comes from: simulate, replay:FILE, exchange:NAME or kafka."
        ),
    ] = SIMULATE,
    broker: WhoFills = Broker.PAPER,
    account: Account = "",
    markets: Annotated[
        str,
        typer.Option(
            help="Names with commas between.", show_default="MARKETS of the flow file, or all"
        ),
    ] = "",
    processes: Processes = 1,
    name: Annotated[
        str, typer.Option(help="What it is called.", show_default="the flow file's name")
    ] = "",
    warm_up: Annotated[
        str,
        typer.Option(
            "--warm-up", metavar="6h", help="How much of the log to read first, for averages."
        ),
    ] = WARM_UP,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            help="How fast time runs in what is simulated or replayed.",
            show_default="1; a recording as fast as can be",
        ),
    ] = None,
    deaths: Annotated[
        int,
        typer.Option(min=1, help="So many deaths in a row, and it is not started again."),
    ] = DEATHS,
    on_failure: Annotated[
        OnFailure,
        typer.Option(help="What becomes of an account's positions if it cannot be kept running."),
    ] = OnFailure.HOLD,
    adopt: Adopt = False,
    afresh: Afresh = False,
    executor: Annotated[
        str,
        typer.Option(
            metavar="OPTIONS",
            help="For the account's executor, such as '--daily-loss 200 --max-positions 3'.",
            show_default="none, or as it has",
        ),
    ] = "",
    checkpoint_every: Annotated[
        str,
        typer.Option(
            metavar="1d", help="How often what it has kept is copied, for deck verify to begin at."
        ),
    ] = EVERY,
    checkpoints: Annotated[int, typer.Option(min=1, help="So many copies are kept.")] = MOST,
    no_history: NoHistory = False,
    target: Annotated[Target, typer.Option(help="Where it is to run.")] = Target.LOCAL,
) -> None:
    """Check a flow, and have it run unattended: deck flows shows it, deck stop ends it."""
    with told(), explained(resumable=False):
        settings = Settings.from_environment()
        place = Place(settings.home, name or flow.stem)
        check(broker, account, settings)
        found = source_of(source, broker)
        options = {"deaths": str(deaths), "on_failure": on_failure.value}
        if (checkpoint_every, checkpoints) != (EVERY, MOST):
            options["checkpoint_every"] = _span(checkpoint_every)
            options["checkpoints"] = str(checkpoints)
        if executor:
            options["executor"] = executor
        if no_history:
            options["history"] = "no"
        if speed is not None:
            options["speed"] = f"{speed:g}"
        deployment = Deployment(
            place.name, str(flow.absolute()), found, broker.value, account,
            markets_of(markets, found, flow), processes, warm_up,
            options, code_of(flow), who(),
        )  # fmt: skip
        if target is Target.LOCAL:
            _local(deployment, place, settings, onward(adopt=adopt, afresh=afresh))
        else:
            deploy_elsewhere(deployment, target.value, settings.home)


def _span(text: str) -> str:
    """See that a text is a span of time."""
    if parse_time(text, 0) >= 0:
        raise Misused(f"--checkpoint-every {text}: write a span of time, such as 1d or 6h")
    return text


def _local(deployment: Deployment, place: Place, settings: Settings, then: Onward) -> None:
    before = place.load()
    _check_free(deployment, place, settings)
    if before is not None:
        _check_source(before, deployment, place)
        for what, (was, is_) in before.changes(deployment).items():
            say(f"{what}: was {was}, is {is_}", "yellow")
    good = True
    for one in checks(deployment, place, settings, then):
        good = good and one.good
        show(one)
    if not good:
        raise DeployError("nothing was started: mend what is marked, and say it again")
    place.save(deployment)
    if deployment.history:
        record(deployment, settings)
    status = start(deployment, settings, lambda line: say(line, "yellow"))
    if status.state == states.FAILED:
        for line in last(place.log, _LINES):
            say(line, "dim")
        raise DeployError(f"{place.name} failed: {status.why}")
    _where_to_look(deployment, status)


def _check_free(deployment: Deployment, place: Place, settings: Settings) -> None:
    """See that its name is free, and its account not used by the same flow already."""
    if _goes_on(place):
        raise DeployError(
            f"{place.name} runs already: deck stop {place.name} first, or deck restart "
            f"{place.name}, or give this one another --name"
        )
    if not deployment.account:
        return
    for other in wanted(Supervisor(settings.home), settings):
        if other.name != place.name and _orders_of(other) == _orders_of(deployment):
            raise DeployError(
                f"{other.name} trades the flow {Path(other.flow).stem} for {other.account} "
                f"already: their orders could not be told apart; deck stop {other.name}"
            )


def _goes_on(place: Place) -> bool:
    """Tell whether it runs; a parent that says it has ended gets a moment to leave."""
    until = time.monotonic() + _LEAVING
    while place.runs():
        status = states.load(place.status)
        if status is None or status.state in states.UP or time.monotonic() > until:
            return True
        time.sleep(_LOOK)
    return False


def _check_source(before: Deployment, deployment: Deployment, place: Place) -> None:
    """See that what was kept is of the same tape; a rehearsal that has ended is forgotten."""
    if before.source != deployment.source and REPLAY in (before.kind, deployment.kind):
        raise DeployError(
            f"{place.name} was deployed from {before.source}: give this one another --name"
        )
    status = states.load(place.status)
    if deployment.kind == REPLAY and status is not None and status.state == states.FINISHED:
        place.forget()


def _orders_of(deployment: Deployment) -> tuple[str, str, str]:
    """Return what tells its orders from those of others."""
    return Path(deployment.flow).stem, deployment.account, deployment.broker


def _where_to_look(deployment: Deployment, status: Status) -> None:
    name = deployment.name
    run = f"run {status.run[:8]}" if status.run else "its run"
    screen.out.print(
        f"\n{name} is {status.state}, {run}, from {deployment.source}", highlight=False
    )
    for command, what in (
        ("deck flows", "how it stands"),
        (f"deck logs {name} -f", "what it says"),
        ("deck dashboard", "watch it on a page"),
        ('deck sql "SELECT market, count() FROM candles GROUP BY market"', "ask history"),
        (f"deck stop {name}", "drain and end; deck restart goes on"),
    ):
        screen.out.print(f"  {command}  [dim]# {what}[/dim]", highlight=False, soft_wrap=True)
