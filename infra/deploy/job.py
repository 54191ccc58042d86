"""What a deployment's flow is run as: the same job that `deck trade` would do."""

from __future__ import annotations

from pathlib import Path

from infra.deploy.deployment import KAFKA, REPLAY, Deployment, Place
from infra.log.places import order_queue
from infra.running import flowfile
from infra.running.sources import FromKafka, FromLog
from infra.running.worker import Job
from infra.settings import Settings
from infra.trading.switches import Broker, check
from infra.trading.trading import Trading


def job_of(deployment: Deployment, place: Place, settings: Settings) -> Job:
    """Return the job of a deployment.

    Raises
    ------
    FlowError
        When its flow file cannot be used.
    LogError
        When its log should be Kafka, and nobody says where that is.
    Misused
        When the broker and the account do not go together, or a switch was not thrown.

    """
    flow = Path(deployment.flow)
    trading = trading_of(deployment, settings)
    return Job(
        flow=flow,
        origin=origin_of(deployment, place),
        since="" if deployment.kind == REPLAY else deployment.warm_up,
        markets=deployment.markets,
        processes=deployment.processes,
        costs=flowfile.load(flow).costs,
        history=deployment.history,
        settings=settings,
        trading=trading,
    )


def trading_of(deployment: Deployment, settings: Settings) -> Trading:
    """Return who fills its orders."""
    broker = Broker(deployment.broker)
    check(broker, deployment.account, settings)
    real = broker is not Broker.PAPER
    queue = order_queue(settings, deployment.kind == KAFKA) if real else None
    return Trading(broker, deployment.account, queue)


def origin_of(deployment: Deployment, place: Place) -> FromLog | FromKafka:
    """Return where its tape is read: a recording has a log of its own, and ends."""
    if deployment.kind == KAFKA:
        return FromKafka(follow=True, past=deployment.history)
    if deployment.kind == REPLAY:
        return FromLog(place.tape, follow=True, fed=place.fed)
    return FromLog(follow=True, past=deployment.history)
