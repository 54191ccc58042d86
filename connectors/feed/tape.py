"""What of one market is written, in order, and how far it brought the tape's time."""

from __future__ import annotations

from typing import NamedTuple

from connectors.exchange.rest_trades import Traded
from connectors.feed.hole import Hole, jumps
from connectors.feed.ids import Steps, whole
from connectors.feed.rows import Rows
from schemas import SECOND, Book, Event, Gap, Heartbeat, Time

SILENCE = SECOND
"""After how long without an event that moves time a heartbeat is due."""
TOLERANCE = SECOND
"""How far the tape entry lets books and heartbeats run ahead of trades."""


class Written(NamedTuple):
    """How far a market's tape was written before."""

    last: Traded
    """The newest trade."""
    beside: frozenset[str] = frozenset()
    """The ids of its stamp, if they are texts: nobody knows which of them came first."""
    moved: Time = -1
    """How far time came without it: what is older and was not there is marked by a `Gap`."""


class FeedTape:
    """Write a market's events, trades in slices, until they are taken."""

    def __init__(self, market: str) -> None:
        self.market = market
        self.last: Traded | None = None
        """The newest trade."""
        self.steps = Steps()
        self.moved: Time = -1
        """Tape time by books and heartbeats alone: an older trade may belong to a closed candle."""
        self.at: Time | None = None
        """When, by our clock, something was written that moves the tape's time."""
        self._rows = Rows(market)
        self._out: list[Event] = []

    def take(self) -> list[Event]:
        """Return what was written since the last call."""
        self._cut()
        out, self._out = self._out, []
        return out

    def trade(self, trade: Traded, received: Time) -> None:
        """Write a trade."""
        self._rows.add(trade, received)
        self.at = received if self.at is None else max(self.at, received)
        number = whole(trade.id)
        if number is None or not self.steps.trusted or number > (self.steps.top or 0):
            self.last = trade
        if number is not None:
            self.steps.take(number, trade.parts)

    def event(self, event: Event, now: Time) -> None:
        """Write anything else."""
        self._cut()
        self._out.append(event)
        if isinstance(event, (Book, Heartbeat)):
            self.moved = max(self.moved, event.ts - TOLERANCE)
            self.at = now if self.at is None else max(self.at, now)

    def silent(self, now: Time) -> bool:
        """Tell whether a heartbeat is due."""
        return self.at is None or not 0 <= now - self.at < SILENCE

    def gap(self, why: str, begin: Traded | None, end: Traded | None, time: Time) -> None:
        """Write that trades are missing between two, or from one to a time of the exchange."""
        start = self.moved + TOLERANCE if begin is None else begin.ts
        first_id = last_id = ""
        if begin is not None and end is not None and self.steps.trusted and whole(end.id):
            first, last = int(begin.id) + 1, int(end.id) - end.parts
            first_id, last_id = str(first), str(last)
            self.steps.skip(last)
        stop = max(time if end is None else end.ts, start)
        self.event(Gap(self.market, stop, why, start, stop, first_id, last_id), time)

    def fill(self, hole: Hole, trades: list[Traded], lacking: bool, now: Time, time: Time) -> int:
        """Write what was missing in a hole, and a `Gap` wherever something still is.

        Without ids that tell where, there is one `Gap` in front of all. Returns how many.
        """
        gaps, before = 0, hole.last
        for trade in (*trades, hole.until):
            if lacking and (not hole.numbered or trade is None or jumps(before, trade)):
                self.gap(hole.why, before, trade, time)
                gaps += 1
                lacking = hole.numbered
            if trade is not None and trade is not hole.until:
                self.trade(trade, now)
                before = trade
        return gaps

    def _cut(self) -> None:
        self._out.extend(self._rows.take())
