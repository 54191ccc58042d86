"""Which programs deployments need: parents, what feeds them, and who sends their orders."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from connectors.log.holder import NOTE
from infra.deploy import simulated
from infra.deploy.deployment import (
    EXCHANGE,
    KAFKA,
    LOCK,
    REPLAY,
    SIMULATE,
    Deployment,
    Place,
    places,
)
from infra.deploy.launch import OURS
from infra.deploy.supervisor import Supervisor
from infra.deploy.supervisor_files import Program
from infra.history.home import STATE
from infra.secrecy import without_keys
from infra.settings import Settings
from infra.trading.switches import Broker, purse
from infra.trading.trading import executor_home
from schemas import MINUTE

_HOUR = 60 * MINUTE
PAST_HOURS = 6
"""So much of a simulated market is there at once."""
FLOW = "flow-"
EXECUTOR = "executor-"


def wanted(supervisor: Supervisor, settings: Settings) -> list[Deployment]:
    """Return the deployments that are to run."""
    names = {name.removeprefix(FLOW) for name in supervisor.names() if name.startswith(FLOW)}
    found = (place.load() for place in places(settings.home) if place.name in names)
    return [deployment for deployment in found if deployment is not None]


def parent(deployment: Deployment, settings: Settings) -> Program:
    """Return what keeps a flow running."""
    place = Place(settings.home, deployment.name)
    arguments = ("-m", "infra.deploy.parent", deployment.name)
    return Program(
        f"{FLOW}{deployment.name}", arguments, str(place.directory / LOCK), kept=_kept(settings)
    )


def servers(deployment: Deployment, settings: Settings) -> list[Program]:
    """Return what keeps the embedded log, the order queue and history alive."""
    kept = _kept(settings)
    queue = ("orders",) if deployment.account else ()
    logs = () if deployment.kind == KAFKA else ("log", *queue)
    found = [
        Program(
            name, ("-m", "infra.log.server", str(settings.home / name)),
            str(settings.home / name / NOTE), again=True, kept=kept,
        )
        for name in logs
    ]  # fmt: skip
    if deployment.history and not settings.clickhouse_url:
        home = settings.home / "history"
        arguments = ("-m", "infra.history.server", str(home))
        found.append(Program("history", arguments, str(home / STATE), again=True, kept=kept))
    return found


def executor(deployment: Deployment, settings: Settings) -> Program | None:
    """Return what sends a deployment's orders; None on paper."""
    broker = Broker(deployment.broker)
    if broker is Broker.PAPER:
        return None
    name = purse(deployment.account, broker)
    kafka = ("--kafka",) if deployment.kind == KAFKA else ()
    return Program(
        f"{EXECUTOR}{name.replace(':', '-')}",
        ("-m", "infra", "executor", "--account", deployment.account, "--broker", broker.value,
         *kafka, *shlex.split(deployment.options.get("executor", ""))),
        str(executor_home(settings, name) / "lock"), again=True,
        kept=_kept(settings, accounts=True),
    )  # fmt: skip


def feeds(deployments: Iterable[Deployment], settings: Settings) -> list[Program]:
    """Return what feeds deployments: one for each exchange, one for all that is simulated.

    A recording that is in its log already needs nobody.
    """
    found: list[Program] = []
    exchanges: dict[str, set[str]] = {}
    for deployment in deployments:
        if deployment.kind == EXCHANGE:
            exchanges.setdefault(deployment.detail, set()).update(deployment.markets)
        elif deployment.kind == REPLAY and not Place(settings.home, deployment.name).fed.exists():
            words = ("-m", "infra.deploy.rehearsal", deployment.name)
            found.append(Program(f"replay-{deployment.name}", words, kept=_kept(settings)))
        elif deployment.kind == SIMULATE and not any(one.name == SIMULATE for one in found):
            feeder = ("-m", "infra.deploy.simulated")
            found.append(Program(SIMULATE, feeder, again=True, kept=_kept(settings)))
    for exchange, markets in sorted(exchanges.items()):
        ingest = ("-m", "infra", "ingest", "--markets", ",".join(sorted(markets)))
        found.append(Program(f"ingest-{exchange}", ingest, again=True, kept=_kept(settings)))
    return found


def is_feed(name: str) -> bool:
    """Tell whether a program feeds flows.

    Examples
    --------
    >>> is_feed("ingest-binance"), is_feed("flow-cross")
    (True, False)

    """
    return name == SIMULATE or name.startswith(("ingest-", "replay-"))


def feed(
    supervisor: Supervisor, deployments: Iterable[Deployment], settings: Settings
) -> list[str]:
    """Have these deployments fed, and nothing fed that nobody reads.

    Returns
    -------
    The feeds that ran already and were started anew, for other markets or with other variables.

    """
    deployments = list(deployments)
    programs = feeds(deployments, settings)
    changed = _plan(deployments, settings)
    running, anew = supervisor.names(), []
    for name in running:
        if is_feed(name) and name not in {program.name for program in programs}:
            supervisor.drop(name)
    for program in programs:
        put, other = supervisor.put(program), changed and program.name == SIMULATE
        if other and not put:
            supervisor.again(program.name)
        if program.name in running and (put or other):
            anew.append(program.name)
    return anew


def _plan(deployments: Iterable[Deployment], settings: Settings) -> bool:
    """Have all that is to be simulated in the plan; whether it has changed."""
    chosen = [one for one in deployments if one.kind == SIMULATE]
    if not chosen:
        return False
    now = time.time_ns()
    before = simulated.load(settings.home)
    plan = before or simulated.Plan((), (now // _HOUR - PAST_HOURS) * _HOUR, now, now)
    markets = {*plan.markets, *(market for one in chosen for market in one.markets)}
    plan = replace(plan, markets=tuple(sorted(markets)))
    speed = float(chosen[-1].options.get("speed", "1"))
    if speed != plan.speed:
        plan = replace(plan, anchor=now, shown=plan.tape_time(now), speed=speed)
    if plan == before:
        return False
    simulated.keep(settings.home, plan)
    return True


def _kept(
    settings: Settings, accounts: bool = False, environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return what a program needs of our variables; the keys of accounts, if it sends orders."""
    ours = {name: value for name, value in environment.items() if name.startswith(OURS)}
    given = ours if accounts else without_keys(ours)
    return {**given, "TAPEDECK_HOME": str(Path(settings.home).absolute())}
