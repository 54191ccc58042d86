"""Ending all that runs on this machine for one home, in an order in which nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator

from infra.deploy.deployment import places
from infra.deploy.programs import EXECUTOR, FLOW, is_feed
from infra.deploy.starting import stop
from infra.deploy.supervisor import Supervisor
from infra.history.history import History
from infra.log.log import embedded
from infra.settings import Settings


def end_all(settings: Settings) -> Iterator[str]:
    """End flows, then what feeds them and sends their orders, then what all of them write to.

    What is to run is not forgotten: `deck restart --all` has it run again.
    """
    supervisor = Supervisor(settings.home)
    names = supervisor.names()
    flows = [name for name in names if name.startswith(FLOW)]
    executors = [name for name in names if name.startswith(EXECUTOR)]
    if supervisor.stop([*flows, *filter(is_feed, names), *executors]):
        yield f"ended {', '.join(names) or 'the supervisor'}"
    for place in places(settings.home):
        if place.runs():  # its supervisor died
            stop(place, settings)
            yield f"ended {place.name}"
    for log in embedded(settings):
        if log.stop():
            yield f"ended the writer of the {log.name}"
    if not settings.clickhouse_url and History(settings).stop():
        yield "ended history"
    yield "nothing of it runs any more; deck restart --all goes on"
