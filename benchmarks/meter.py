"""How long trades of the load exchange were on the way, and what did not come as it should."""

from __future__ import annotations

import threading
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager

import bytewax.operators as op
import numpy as np
from bytewax.dataflow import Dataflow
from numpy.typing import NDArray

from benchmarks.load import CYCLE
from connectors.log.source import LogSource
from infra.log.places import Place
from infra.running import engine
from operators import Costs, Tape, enter
from operators.tape import Strip
from schemas import Gap, Late, Reject, Repeated, Trades

_BAD = (Gap, Late, Reject, Repeated)
_STOP_SECONDS = 30.0


class Meter:
    """Looks at the clock when a trade gets to where operators stand."""

    def __init__(self) -> None:
        self.latencies = array("q")
        """Microseconds of each trade, as they came."""
        self.bad: Counter[str] = Counter()
        """Other events than trades are few; these should be none."""

    def __call__(self, _step: str, item: tuple[str, Strip]) -> None:
        """Take a strip."""
        now = time.time_ns() // 1_000
        for event in item[1]:
            if isinstance(event, Trades):
                sent = event.size.astype(np.int64)
                self.latencies.extend(((now - sent) % CYCLE).tolist())
            elif isinstance(event, _BAD):
                self.bad[type(event).__name__] += 1

    def between(self, start: int, stop: int) -> NDArray[np.float64]:
        """Return the milliseconds of some trades."""
        return np.array(self.latencies[start:stop], np.float64) / 1e3


@contextmanager
def reading(place: Place) -> Iterator[Meter]:
    """Follow a log in a thread, as a flow does."""
    meter = Meter()
    with closing(place.log()) as log:
        source = LogSource(log, follow=True)
        thread = threading.Thread(target=engine.run, args=(_flow(source, meter), None))
        thread.start()
        try:
            yield meter
        finally:
            source.stop()
            thread.join(_STOP_SECONDS)


def _flow(source: LogSource, meter: Meter) -> Dataflow:
    flow = Dataflow("bench")
    tape = enter("enter", Tape.of(op.input("log", flow, source), Costs()), "bench")
    op.inspect("meter", tape, meter)
    return flow
