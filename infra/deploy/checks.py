"""What is looked at before a flow is deployed: each with what it found, or what to do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.text import Text

from connectors.account.keys import account_keys
from connectors.log.log import LogError
from connectors.simulated.simulate import simulate
from infra import screen
from infra.deploy.deployment import EXCHANGE, KAFKA, DeployError, Deployment, Place
from infra.deploy.feed_check import look_at_feed
from infra.deploy.job import job_of
from infra.deploy.remedy import remedied
from infra.history.history import History
from infra.log.places import order_queue, place
from infra.recovery.layout import RUN
from infra.recovery.store import Onward, Store, check
from infra.running import report
from infra.running.problems import ReplayError, explained
from infra.running.replay import replay
from infra.running.sources import Files
from infra.running.worker import Job, form_of
from infra.settings import Settings
from infra.trading.switches import Broker, Ground

_DAYS = 0.125
"""So much is simulated for the dry run: three hours."""


class Check(NamedTuple):
    """What was looked at, and how it is."""

    what: str
    good: bool
    said: str


def checks(
    deployment: Deployment, where: Place, settings: Settings, onward: Onward = Onward.SAME
) -> Iterator[Check]:
    """Look at all that a deployment needs, one thing after the other; what it needs is started.

    Parameters
    ----------
    deployment, where, settings
        What is looked at.
    onward
        What becomes of what its store has kept: that is done last, if all else is good.

    """
    looks: list[tuple[str, Callable[[], str]]] = [
        ("flow", lambda: _dry_run(job_of(deployment, where, settings))),
        ("log", lambda: _log(deployment, settings)),
        *([("history", lambda: _history(settings))] if deployment.history else []),
    ]
    if deployment.kind == EXCHANGE:
        looks.append(("feed", lambda: look_at_feed(deployment, settings)))
    if deployment.broker != Broker.PAPER.value:
        looks.append(("account", lambda: _account(deployment, settings)))
    looks.append(("store", lambda: _store(job_of(deployment, where, settings), where, onward)))
    good = True
    for what, look in looks:
        if what == "store" and not good and onward is not Onward.SAME:
            return  # it is changed only for a flow that is started then
        try:
            with explained(resumable=False):
                found = Check(what, good=True, said=look())
        except (ReplayError, DeployError, ValueError) as error:
            found = Check(what, good=False, said=remedied(str(error)))
        yield found
        good = good and found.good
        if not found.good and what == "flow":
            return  # without it the others mean nothing


def show(found: Check) -> None:
    """Print what was found."""
    mark, style = ("✓", "green") if found.good else ("✗", "red")
    line = Text.assemble((mark, style), f" {found.what:<8}", found.said)
    screen.out.print(line, highlight=False, soft_wrap=True)


def _dry_run(job: Job) -> str:
    """Run the flow on some simulated hours, and say what it concluded.

    Raises
    ------
    ReplayError
        When it does not run, or what the user wrote in it fails.

    """
    with TemporaryDirectory(prefix="tapedeck-") as directory:
        data, events = Path(directory, "ticks.parquet"), Path(directory, "events.jsonl")
        simulate(data, ["sim:BTC/USDT"], _DAYS, seed=1, signal=1.0)
        dry = Job(
            flow=job.flow, origin=Files((data,)), costs=job.costs, history=False,
            settings=replace(job.settings, home=Path(directory)),
        )  # fmt: skip
        done = replay(dry, None, events, lambda _: None)
        with events.open() as lines:
            fault = next((line for line in lines if '"type":"Fault"' in line), None)
    if fault is not None:
        said = json.loads(fault)
        raise ReplayError(
            f"on simulated ticks it fails in {said['where']}: {said['error']}; try it with "
            f"deck simulate and deck replay"
        )
    told = report.summary(done)
    return (
        f"it runs: {told['candles']} candles, {told['signals']} signals and {told['positions']} "
        f"positions in three simulated hours"
    )


def _log(deployment: Deployment, settings: Settings) -> str:
    kafka = deployment.kind == KAFKA
    if kafka:
        _topics(settings)
    with closing(place(settings, kafka).log()) as log:
        count = len(log.partitions())
    if deployment.broker != Broker.PAPER.value:
        order_queue(settings, kafka).log().close()
    where = f"Kafka at {settings.kafka.bootstrap}" if kafka and settings.kafka else "embedded"
    return f"{where}, {count} partitions"


def _topics(settings: Settings) -> None:
    """See that Kafka's topics are there, and lose nothing."""
    from infra.log.topic_rules import Wanted, faults  # noqa: PLC0415 - only where there is Kafka
    from infra.log.topics import Topics  # noqa: PLC0415

    if settings.kafka is None:
        raise LogError("--source kafka: set KAFKA_BOOTSTRAP to Kafka's addresses")
    topics = Topics(settings.kafka)
    found = {topic.name: topic for topic in topics.found()}
    if missing := [name for name in topics.names if name not in found]:
        raise LogError(f"no topic {', '.join(missing)}: deck topics create")
    copies = 1 if topics.brokers == 1 else 3
    for topic in found.values():
        wanted = Wanted(topic.partitions, copies, topic.days)
        for fault in faults(topic, wanted):
            raise LogError(f"topic {topic.name}: {fault}")


def _history(settings: Settings) -> str:
    history = History(settings)
    history.start()
    return "its tables are up to date"


def _store(job: Job, where: Place, onward: Onward) -> str:
    """See that what is kept fits; it is changed only if that was asked for."""
    if not (where.store / RUN).exists():
        return "it begins afresh"
    if where.runs():
        check(where.store, form_of(job))
        return f"run {where.run[:8]} can go on"
    with closing(Store(where.store, form_of(job), onward)) as store:
        if onward is Onward.ADOPT:
            then = replace(job, run=store.run, started=store.started)
            store.fit(lambda: then.origin.open(then.settings, (0, 1), then.batch, then.window))
            return f"run {store.run[:8]} goes on, and its positions are taken over"
        if onward is Onward.AFRESH:
            return f"what was kept is forgotten: it begins as run {store.run[:8]}"
        return f"it goes on with run {store.run[:8]}"


def _account(deployment: Deployment, settings: Settings) -> str:
    """Ask the exchange whether the account can be traded with."""
    from infra.executor.accounts import asked  # noqa: PLC0415 - an exchange's client takes a second

    keys = account_keys(deployment.account, settings.home)
    markets = [name for name in deployment.markets if ":" in name.partition(":")[2]]
    url = settings.exchange_urls.get(keys.exchange)
    doubt = asyncio.run(asked(keys, Ground(deployment.broker), markets, url))
    return doubt or f"{keys.exchange} lets {keys.account} trade ({deployment.broker})"
