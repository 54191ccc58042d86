"""What a process of a flow measures, gathered from those who know it: once a second is enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import psutil

from connectors.history.journal import waiting
from connectors.tally import MarketTally
from infra.metrics.gauges import NOTHING, Gauges, Labels, Spread, merged
from infra.metrics.measured import Counted, Measured
from infra.metrics.meter import Meter
from infra.running.far import Line
from schemas import SECOND

_EVERY_SECONDS = 1.0
_MODES = {"active": 0.0, "reducing": 1.0, "halted": 2.0}
_Values = dict[str, dict[Labels, float]]


class FlowGauges:
    """Gathers what a process of a flow measures.

    Parameters
    ----------
    meter
        Has taken note of what came.
    tallies
        Returns what each market concluded.
    lines
        Returns what there is to say of each market.
    journal
        Where rows wait for history; None if it keeps none.
    trouble
        Returns why history takes none, if so.
    behind
        Returns how many messages are not read yet, if that is known.
    told
        Returns what became of notices.
    info
        What runs: flow, run, broker; None if another process says so.

    """

    def __init__(
        self,
        meter: Meter,
        tallies: Callable[[], Mapping[str, MarketTally]],
        lines: Callable[[], Mapping[str, Line]],
        journal: Path | None,
        trouble: Callable[[], str | None],
        behind: Callable[[], int | None],
        told: Callable[[], Gauges],
        info: Labels | None,
    ) -> None:
        self._meter, self._tallies, self._lines = meter, tallies, lines
        self._journal, self._trouble = journal, trouble
        self._behind, self._told = behind, told
        self._info = None if info is None else (*info, version("tapedeck"))
        self._process = psutil.Process()
        self._due, self._last = 0.0, NOTHING

    def at(self) -> Gauges:
        """Return what was measured a second ago at most; always from the same thread."""
        if time.monotonic() >= self._due:
            self._last = self._gather()
            self._due = time.monotonic() + _EVERY_SECONDS
        return self._last

    def _gather(self) -> Gauges:
        values: _Values = {}
        for name, labels, value in self._all():
            values.setdefault(f"tapedeck_{name}", {})[labels] = value
        spreads: dict[str, dict[Labels, Spread]] = {
            "tapedeck_stage_seconds": {
                (name,): watch.spread() for name, watch in self._meter.stages.items()
            },
            "tapedeck_snapshot_seconds": {(): self._meter.snapshots.spread()},
        }
        return merged([Gauges(values, spreads), self._told()])

    def _all(self) -> Iterator[tuple[str, Labels, float]]:
        yield from self._own()
        for market, tally in [*self._tallies().items()]:
            yield from _concluded(market, tally)
        for market, measured in [*self._meter.markets.items()]:
            yield from _measured(market, measured)
        for market, counted in [*self._meter.counts.items()]:
            yield from _counted(market, counted)
        now = time.time_ns()
        for market, line in self._lines().items():
            yield "mode", (market,), _MODES.get(line.mode, 0.0)
            if line.stamp:
                yield "event_lag_seconds", (market,), (now - line.stamp) / SECOND

    def _own(self) -> Iterator[tuple[str, Labels, float]]:
        if self._info is not None:
            yield "info", self._info, 1.0
        yield "flow_processes", (), 1.0
        with self._process.oneshot():
            used = self._process.cpu_times()
            yield "flow_memory_bytes", (), float(self._process.memory_info().rss)
            yield "flow_cpu_seconds_total", (), used.user + used.system
        behind = self._behind()
        if behind is not None:
            yield "log_lag_messages", (), float(behind)
        if self._journal is not None:
            sizes = [_size(entry.path) for entry in waiting(self._journal)]
            yield "history_waiting_blocks", (), float(len(sizes))
            yield "history_waiting_bytes", (), float(sum(sizes))
            yield "history_troubled", (), float(self._trouble() is not None)


def _concluded(market: str, tally: MarketTally) -> Iterator[tuple[str, Labels, float]]:
    yield "realised_pnl", (market,), float(tally.pnl)
    yield "fees_paid", (market,), float(tally.fees)


def _measured(market: str, measured: Measured) -> Iterator[tuple[str, Labels, float]]:
    yield "position_amount", (market,), measured.held
    yield "unrealised_pnl", (market,), measured.unrealised
    if measured.price:
        yield "last_price", (market,), measured.price
    if measured.held:
        yield "position_entry_price", (market,), measured.entry
    edge = measured.edge
    if edge.kind:
        labels = (market, edge.kind)
        yield "model_loss", labels, edge.loss
        yield "model_base_loss", labels, edge.base
        yield "model_recent_loss", labels, edge.recent
        yield "model_recent_base_loss", labels, edge.recent_base
        yield "model_drift", labels, edge.drift


def _counted(market: str, counted: Counted) -> Iterator[tuple[str, Labels, float]]:
    yield "trades_total", (market,), float(counted.trades)
    yield "wins_total", (market,), float(counted.wins)
    for kind, count in counted.events.items():
        yield "events_total", (market, kind), float(count)
    for action, count in dict(counted.orders).items():
        yield "orders_total", (market, action), float(count)
    for status, count in dict(counted.reports).items():
        yield "reports_total", (market, status), float(count)


def _size(path: Path) -> int:
    with suppress(FileNotFoundError):  # history has it
        return path.stat().st_size
    return 0
