"""Taking in, measured: a load exchange, `deck ingest`, and a flow that reads the log."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.meter import Meter, reading
from benchmarks.processor import Processor, Used
from benchmarks.started import Exchange, Ingest, Load, State, started_exchange, started_ingest
from connectors.log.holder import holder
from infra.log.log import MarketLog
from infra.log.places import place
from infra.settings import Settings

WARM_SECONDS = 5.0
"""From when all markets are listened to until something is measured."""
END_SECONDS = 10.0
"""What is called the end of a measurement, at most; of a short one it is half."""
_READY_SECONDS = 300.0
"""Books are asked for as fast as Binance allows, 120 a minute."""
_DRAIN_SECONDS = 30.0
_LOOK_SECONDS = 0.05
_KEPT_UP = 0.99
_LONG_MS = 1_000.0


@dataclass(frozen=True)
class Taken:
    """What came of it; latencies are ms from the exchange's socket to an operator."""

    p50: float
    p99: float
    worst: float
    end: float
    """The 99th percentile at the end."""
    used: Used
    faults: tuple[str, ...]
    """What was lost, marked as lost, or not even sent."""

    def trouble(self) -> str:
        """Tell why it cannot go on so for ever, if it cannot."""
        slow = (f"p99 {self.end / 1e3:,.1f} s at the end",) if self.end >= _LONG_MS else ()
        return ", ".join(self.faults + slow)


def take_in(settings: Settings, load: Load, seconds: float) -> Taken:
    """Start all that it takes, measure for so long, and stop it."""
    where = place(settings, kafka=settings.kafka is not None)
    with (
        reading(where) as meter,
        started_exchange(load) as exchange,
        started_ingest(settings, load, exchange.url) as ingest,
    ):
        run = _Run(load, meter, exchange, ingest)
        if not run.until(lambda: exchange.ask()["ready"], _READY_SECONDS):
            raise RuntimeError(f"not all {load.markets} markets were listened to in time")
        run.go_on(WARM_SECONDS)
        pids = {"exchange": exchange.pid, "ingest": ingest.pid, "reader": os.getpid()}
        if (writer := holder(MarketLog(settings).directory)) is not None:
            pids["log writer"] = writer.pid
        return run.measured(Processor(pids), seconds)


class _Run:
    """All that it takes, started."""

    def __init__(self, load: Load, meter: Meter, exchange: Exchange, ingest: Ingest) -> None:
        self._load, self._meter, self._exchange, self._ingest = load, meter, exchange, ingest

    def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Let it go on until a condition holds; whether it did within so long."""
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= end:
                return False
            self._ingest.check()
            time.sleep(_LOOK_SECONDS)
        return True

    def go_on(self, seconds: float) -> int:
        """Let it go on for so long; return how many trades have come so far."""
        self.until(lambda: False, seconds)
        return len(self._meter.latencies)

    def measured(self, processor: Processor, seconds: float) -> Taken:
        """Measure for so long, then see whether all that was sent comes."""
        before, start = self._exchange.ask(), self.go_on(0)
        last = min(END_SECONDS, seconds / 2)
        middle, stop = self.go_on(seconds - last), self.go_on(last)
        used, after = processor.used(), self._exchange.ask()
        sent = self._exchange.ask("pause")["trades"]
        self.until(lambda: len(self._meter.latencies) >= sent, _DRAIN_SECONDS)
        p50, p99, worst = _percentiles(self._meter.between(start, stop))
        _, end, _ = _percentiles(self._meter.between(middle, stop))
        return Taken(p50, p99, worst, end, used, tuple(self._faults(before, after, sent)))

    def _faults(self, before: State, after: State, sent: int) -> list[str]:
        found = [f"{count:,} × {kind}" for kind, count in self._meter.bad.items()]
        if missing := sent - len(self._meter.latencies):
            found.append(f"{missing:,} trades did not come")
        rate = (after["trades"] - before["trades"]) / (after["time"] - before["time"])
        if rate < self._load.rate * _KEPT_UP:
            found.append(f"the exchange itself sent only {rate:,.0f} a second")
        return found


def _percentiles(found: NDArray[np.float64]) -> list[float]:
    """Return the 50th, the 99th and the greatest; where nothing came, it takes for ever."""
    return np.percentile(found, (50, 99, 100)).tolist() if len(found) else [np.inf] * 3
