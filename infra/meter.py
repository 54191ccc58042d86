"""What a flow that trades measures: an outlet that takes note, and is shown what comes, too."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from connectors.tracks import Item
from infra.edge import Edge
from infra.gauges import Stopwatch
from schemas import SECOND, Closed, Event, Instrument, Opened, Order, Outcome, Report, Time, Trades
from schemas.tables import Record

_SEEN = frozenset({Trades, Report, Instrument})
_CONCLUDED = frozenset({Order, Opened, Closed, Outcome})


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
        self.stages = {"log": Stopwatch(), "flow": Stopwatch()}
        """From our clock at a trade's arrival to its reading; from there to the outlets."""
        self.snapshots = Stopwatch()
        """From the source's place to the last outlet, and so through all operators."""
        self._whose, self._kept, self._clock = (flow, run), kept, clock
        self._read: dict[str, Time] = {}
        """When something came last of a market."""

    def seen(self, items: list[Item]) -> list[Item]:
        """Take note of what comes, and return it."""
        now = self._clock()
        for market, strip in items:
            self._read[market] = now
            measured = self._of(market)
            for event in strip:
                if type(event) in _SEEN:
                    self._see(measured, event)
            if strip and (received := _received(strip[-1])):
                self.stages["log"].note((now - received) / SECOND)
        return items

    def resume(self, state: Mapping[str, object] | None) -> None:
        """Go on from what was known."""
        self.markets = cast("dict[str, Measured]", dict(state or {}))

    def write(self, records: list[Record]) -> None:
        """Take note of what was concluded of one market."""
        market = records[0].event.market
        measured = self._of(market)
        for _, event in records:
            if type(event) in _CONCLUDED:
                _conclude(measured, event)
        if read := self._read.pop(market, 0):
            self.stages["flow"].note((self._clock() - read) / SECOND)

    def snapshot(self) -> Mapping[str, object]:
        """Return what is known; the last outlet to be asked knows how long all that took."""
        if began := self._kept():
            self.snapshots.note(time.perf_counter() - began)
        return self.markets

    def close(self) -> None:
        """Nothing is held."""

    def _of(self, market: str) -> Measured:
        measured = self.markets.get(market)
        if measured is None:
            measured = self.markets[market] = Measured()
        return measured

    def _see(self, measured: Measured, event: Event) -> None:
        match event:
            case Trades():
                measured.trades += len(event)
                measured.price = event.price.item(-1)
            case Report() if (event.flow, event.run) == self._whose:
                measured.reports[event.status] += 1
            case Instrument():
                measured.size = float(event.contract_size)


def _conclude(measured: Measured, event: Event) -> None:
    match event:
        case Order():
            measured.orders[event.action] += 1
        case Opened():
            sign = 1 if event.side == "long" else -1
            measured.held, measured.entry = sign * float(event.amount), float(event.entry)
        case Closed():
            measured.held = measured.entry = 0.0
        case Outcome():
            measured.edge.take(event.metrics)


def _received(event: Event) -> Time | None:
    """Return our clock when it came, where that is known."""
    if isinstance(event, Trades):
        return None if event.received is None else event.received.item(-1)
    found = getattr(event, "received", None)
    return found if isinstance(found, int) else None
