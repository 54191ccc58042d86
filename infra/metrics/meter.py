"""What a flow that trades measures: an outlet that takes note, and is shown what comes, too."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import cast

from connectors.recordings.strips import Strip
from connectors.recordings.tracks import Item
from infra.metrics.gauges import Stopwatch
from infra.metrics.measured import Counted, Measured
from schemas import SECOND, Instrument, Report, Time, Trades
from schemas.tables import Record

_SEEN = frozenset({Trades, Instrument})


class Meter:
    """Takes note of what comes and of what is concluded, and how long that takes.

    Parameters
    ----------
    flow, run
        Whose reports count.
    kept
        Returns when the source was last asked for its place, by `perf_counter`.
    clock
        Ours, in nanoseconds.

    """

    def __init__(
        self,
        flow: str,
        run: str,
        kept: Callable[[], float],
        clock: Callable[[], Time] = time.time_ns,
    ) -> None:
        self.markets: dict[str, Measured] = {}
        self.counts: dict[str, Counted] = {}
        self.stages = {"log": Stopwatch(), "flow": Stopwatch()}
        """From our clock at a trade's arrival to its reading; from there to the outlets."""
        self.snapshots = Stopwatch()
        """From the source's place to the last outlet, and so through all operators."""
        self._whose, self._kept, self._clock = (flow, run), kept, clock
        self._read: Time = 0
        """When something came last; 0 once something was concluded of it."""

    def seen(self, items: list[Item]) -> list[Item]:
        """Take note of what comes, and return it."""
        self._read = self._clock()
        for market, strip in items:
            measured, counted = self._of(market)
            for event in strip:
                if type(event) in _SEEN:
                    measured.see(event)
                    counted.trades += len(event) if isinstance(event, Trades) else 0
                elif isinstance(event, Report) and (event.flow, event.run) == self._whose:
                    counted.reports[event.status] += 1
        if items and (received := _received(items[-1][1])):
            self.stages["log"].note((self._read - received) / SECOND)
        return items

    def resume(self, state: Mapping[str, object] | None) -> None:
        """Go on from what was known."""
        self.markets.update(cast("Mapping[str, Measured]", state or {}))

    def write(self, records: list[Record]) -> None:
        """Take note of what was concluded of one market."""
        market = records[0].event.market
        measured, counted = self._of(market)
        for event in counted.take(records):
            measured.conclude(event)
        if self._read:
            self.stages["flow"].note((self._clock() - self._read) / SECOND)
            self._read = 0

    def snapshot(self) -> Mapping[str, object]:
        """Return what is known; the last outlet to be asked knows how long all that took."""
        if began := self._kept():
            self.snapshots.note(time.perf_counter() - began)
        return self.markets

    def close(self) -> None:
        """Nothing is held."""

    def _of(self, market: str) -> tuple[Measured, Counted]:
        counted = self.counts.get(market)
        if counted is None:
            counted = self.counts[market] = Counted()
            self.markets.setdefault(market, Measured())
        return self.markets[market], counted


def _received(strip: Strip) -> Time | None:
    """Return our clock when the last of it came, where that is known."""
    if not strip:
        return None
    event = strip[-1]
    if isinstance(event, Trades):
        column = event.columns.received
        return None if column is None else column.item(event.stop - 1)
    found = getattr(event, "received", None)
    return found if isinstance(found, int) else None
