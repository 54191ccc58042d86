"""Which events of a log or a recording a flow is given: a stretch of time, some markets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from schemas import Command, Event, Instrument, Report, Time, Trades
from schemas.trades import Int64


@dataclass(frozen=True)
class Window:
    """What is let through: event by event, of `Trades` row by row, by the exchange's own stamps.

    So it is the same tape wherever it is read from: when an event was taken in, and into which
    message, makes no difference.

    Parameters
    ----------
    since, until
        Only what is stamped at or behind `since`, and in front of `until`.
    markets
        Only these; all, if there are none.
    private
        Whether reports and commands are let through.
    heads
        Whether instruments from before `since` are, too: what they say still holds.

    Examples
    --------
    >>> trades = Trades.of("okx:A", ts=[1, 5, 2, 6], price=[1.0] * 4, size=[1.0] * 4)
    >>> [part.ts.tolist() for part in Window(since=2).of(trades)]
    [[5, 2, 6]]
    >>> [part.ts.tolist() for part in Window(until=5).of(trades)]
    [[1], [2]]

    """

    since: Time | None = None
    until: Time | None = None
    markets: tuple[str, ...] = ()
    private: bool = True
    heads: bool = False

    def of(self, event: Event) -> Iterator[Event]:
        """Yield what of an event is let through: all of it, a part or some parts, or nothing."""
        if not self.has_market(event.market):
            return
        if not isinstance(event, Trades):
            head = self.heads and type(event) is Instrument
            open_ = self.private or type(event) not in (Report, Command)
            if head or (open_ and self._has_time(event.ts)):
                yield event
            return
        rows = self.rows(event.ts)
        if rows is None:
            yield event
            return
        edges = [0, *(np.flatnonzero(rows[1:] != rows[:-1]) + 1).tolist(), len(rows)]
        for start, stop in pairwise(edges):
            if rows[start]:
                yield event.cut(start, stop)

    def has_market(self, market: str) -> bool:
        """Tell whether a market is let through."""
        return not self.markets or market in self.markets

    def rows(self, ts: Int64) -> NDArray[np.bool_] | None:
        """Tell which trades of these stamps are let through; `None` if all are."""
        if not len(ts):
            return None
        early = self.since is not None and ts.min() < self.since
        late = self.until is not None and ts.max() >= self.until
        if not (early or late):
            return None
        inside = np.ones(len(ts), bool)
        if self.since is not None:
            inside &= ts >= self.since
        if self.until is not None:
            inside &= ts < self.until
        return inside

    def _has_time(self, ts: Time) -> bool:
        return (self.since is None or ts >= self.since) and (self.until is None or ts < self.until)


ALL = Window()
