"""Publishes what is measured: Prometheus' text format, by HTTP, on this machine only."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Protocol
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from infra.metrics.gauges import BOUNDS, NOTHING, Gauges, Labels, Spread, merged
from infra.metrics.names import METRICS
from infra.running.problems import ReplayError
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.running.far import Far

STATES = ("starting", "running", "restarting", "stopping", "stopped", "failed", "finished")


class Said(Protocol):
    """What the exporter reads of a deployment's status."""

    @property
    def state(self) -> str:
        """One of `STATES`."""
        ...

    @property
    def since(self) -> int:
        """When that began, in nanoseconds."""
        ...

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        ...


class Exporter(Collector):
    """What was shown last, to whoever asks `http://127.0.0.1:PORT/metrics`.

    Parameters
    ----------
    name
        Of the deployment, or whatever `label` says.
    port
        Where it listens; 0 chooses a free one.
    label
        What `name` is called in each metric.
    settings
        Know where to listen, and the home whose disk is looked at; None reads the environment.

    Examples
    --------
    >>> exporter = Exporter("demo", settings=Settings(Path("nowhere")))
    >>> exporter.say([Gauges({"tapedeck_trades_total": {("okx:A",): 7.0}})])
    >>> [sample.labels for family in exporter.collect() for sample in family.samples]
    [{'deployment': 'demo', 'market': 'okx:A'}]

    """

    def __init__(
        self,
        name: str,
        port: int = 0,
        label: str = "deployment",
        settings: Settings | None = None,
    ) -> None:
        self._name, self._port, self._label = name, port, label
        self._settings = settings or Settings.from_environment()
        self._gauges: Sequence[Gauges] = ()
        self._serving: tuple[WSGIServer, Thread] | None = None

    def start(self) -> int:
        """Listen; return the port.

        Raises
        ------
        ReplayError
            When the port cannot be had.

        """
        registry = CollectorRegistry()
        registry.register(self)
        try:
            self._serving = start_http_server(self._port, self._settings.metrics_host, registry)
        except (OSError, OverflowError) as error:
            raise ReplayError(
                f"--metrics-port {self._port}: {error}; choose another, or 0 for any that is free"
            ) from None
        return self._serving[0].server_port

    def say(self, gauges: Sequence[Gauges]) -> None:
        """Publish these from now on, added up; from any thread."""
        self._gauges = gauges

    def show(self, status: Said, ats: Sequence[Far]) -> None:
        """Publish how a deployment and its processes are."""
        self.say([of_status(status), *(at.gauges for at in ats)])

    def close(self) -> None:
        """Listen no more."""
        serving, self._serving = self._serving, None
        if serving is not None:
            server, thread = serving
            server.shutdown()
            server.server_close()
            thread.join()

    def describe(self) -> Iterable[Family]:
        """Return nothing: what there is depends on what was shown."""
        return ()

    def collect(self) -> Iterator[Family]:
        """Yield what was shown last."""
        gauges = merged([*self._gauges, _machine(self._settings.home)])
        for name, values in gauges.numbers.items():
            yield self._family(name, values)
        for name, spreads in gauges.spreads.items():
            yield self._histogram(name, spreads)

    def _family(self, name: str, values: Mapping[Labels, float]) -> Family:
        metric = METRICS[name]
        counts = metric.kind == "counter"
        family = (CounterMetricFamily if counts else GaugeMetricFamily)(
            name.removesuffix("_total"), metric.help, labels=[self._label, *metric.labels]
        )
        for labels, value in values.items():
            family.add_metric([self._name, *labels], value)
        return family

    def _histogram(self, name: str, spreads: Mapping[Labels, Spread]) -> Family:
        metric = METRICS[name]
        family = HistogramMetricFamily(name, metric.help, labels=[self._label, *metric.labels])
        for labels, spread in spreads.items():
            family.add_metric([self._name, *labels], _buckets(spread), spread.total)
        return family


def of_status(status: Said) -> Gauges:
    """Return what a deployment's status measures.

    Parameters
    ----------
    status
        As its parent says it.

    """
    states: dict[Labels, float] = {(name,): float(name == status.state) for name in STATES}
    return Gauges(
        {
            "tapedeck_state": states,
            "tapedeck_state_since_seconds": {(): status.since / 1e9},
            "tapedeck_restarts_total": {(): float(status.restarts)},
        }
    )


def _machine(home: Path) -> Gauges:
    if not home.exists():
        return NOTHING
    disk = shutil.disk_usage(home)
    return Gauges(
        {
            "tapedeck_disk_free_bytes": {(): float(disk.free)},
            "tapedeck_disk_size_bytes": {(): float(disk.total)},
        }
    )


def _buckets(spread: Spread) -> list[tuple[str, float]]:
    """Return how often it took at most so long; Prometheus adds the buckets up."""
    below, found = 0, []
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), spread.counts, strict=True):
        below += count
        found.append((bound, float(below)))
    return found
