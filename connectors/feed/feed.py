"""The feed of one market: what an exchange sends becomes a tape without unmarked holes.

No I/O and no clock: times come in. Values are handed to it as they come, by whoever reads the
exchange; what it wants filled is in `wishes`, what is to be written in `take`.
"""

from __future__ import annotations

from collections.abc import Sequence

from connectors.exchange.rest_trades import Traded
from connectors.feed.books import Books, sound
from connectors.feed.clock import VenueClock
from connectors.feed.hole import Ask, Hole
from connectors.feed.line import Counts, Line
from connectors.feed.tape import TOLERANCE, Written
from schemas import SECOND, Book, Event, Heartbeat, Reject, Time

PATIENCE = 2 * SECOND
"""How long a market waits for a hole to be filled."""
CALM = SECOND // 2
"""How long after a reconnect a market that is silent is asked about by REST."""
__all__ = ["CALM", "PATIENCE", "Counts", "MarketFeed"]


class MarketFeed:
    """Put in order what an exchange sends of one market, and mark what is missing.

    Times are our clock's; should it step back, nothing waits for it to come round again.

    A trade seen before is dropped. Where trades may be missing (a jump of consecutive ids; behind
    a loss of the connection, up to the first trade that does not follow directly) all waits, at
    most `PATIENCE`, until `filled` brings them; else a `Gap` is written and all goes on.

    Parameters
    ----------
    market
        Its full name.
    fills
        Whether holes can be filled at all.

    Examples
    --------
    >>> feed = MarketFeed("m")
    >>> one, two, three = (Traded(id_, 1, 2.0, 3.0, 1) for id_ in ("1", "2", "3"))
    >>> feed.trades([one], received=10)
    >>> feed.lost("disconnect")
    >>> feed.trades([three], received=20)
    >>> [trades.id for trades in feed.take()]
    [array([1])]
    >>> [hole] = feed.wishes()
    >>> feed.filled(hole.ask(), [two], whole=True, now=30)
    >>> [trades.id for trades in feed.take()]
    [array([2, 3])]

    """

    def __init__(self, market: str, fills: bool = True) -> None:
        self.market = market
        self.clock = VenueClock()
        self._line = Line(market, fills, self.clock)
        self._books = Books()
        self._back: Time | None = 0
        """Since when the connection stands; None: it does not."""
        self._heard: Time = 0
        """When anything came last on the connection of the trades."""
        self._newest: Time = 0
        """The greatest stamp of a trade that came."""
        self._beat: Time = 0

    def take(self) -> list[Event]:
        """Return what is to be written, in order, since the last call."""
        return self._line.tape.take()

    def wishes(self) -> list[Hole]:
        """Return the holes to be filled since the last call; `filled` takes the answers."""
        return self._line.wishes()

    def late(self) -> list[Traded]:
        """Return the trades since the last call that were found too late for the tape."""
        return self._line.late()

    @property
    def counts(self) -> Counts:
        """What happened so far."""
        return self._line.counts

    @property
    def last(self) -> Traded | None:
        """The newest trade on the tape."""
        return self._line.tape.last

    @property
    def away(self) -> bool:
        """Whether the connection is lost."""
        return self._back is None

    def seen(self, trade: Traded) -> bool:
        """Tell whether a trade came already."""
        return self._line.seen(trade)

    def resume(self, written: Written) -> None:
        """Go on behind what a log has."""
        self._line.resume(written)
        self.lost("restart")

    def trades(self, trades: Sequence[Traded], received: Time) -> None:
        """Take trades of the stream, in the order in which they came."""
        if self.away:
            self.back(received)
        self._heard = received
        for trade in trades:
            self._due(received)
            if self.seen(trade):
                self.counts.repeated += 1
                continue
            self._newest = max(self._newest, trade.ts)
            self.clock.learn(trade.ts, received)
            self.counts.latency = received - trade.ts
            self._line.trade(trade, received)

    def book(self, book: Book, received: Time) -> None:
        """Take the newest state of the order book."""
        self._due(received)
        if self.away or not sound(book):
            self.counts.refused += 1
            return
        self.clock.learn(book.ts, received)
        self._books.offer(book, received)
        self._due(received)

    def event(self, event: Event, now: Time) -> None:
        """Take any other event of the market."""
        self._due(now)
        self.counts.rejects += isinstance(event, Reject)
        self._line.event(event, now)

    def lost(self, why: str) -> None:
        """Say that trades may be lost from now on, until `back` or the next trade."""
        self._back = None
        self.book_lost()
        self._line.lost(why)

    def book_lost(self) -> None:
        """Say that nobody knows whether the last state of the book still holds."""
        self._books.drop()

    def back(self, now: Time) -> None:
        """Say that trades are streamed again."""
        self._back = now

    def filled(self, ask: Ask, trades: list[Traded], whole: bool, now: Time) -> None:
        """Take what REST answered; `whole`: nothing is missing in what was asked for."""
        self._due(now)
        self._line.filled(ask, trades, whole, now)

    def failed(self, hole: Hole, now: Time) -> None:
        """Say that a hole cannot be filled: nothing needs to wait for it."""
        self._due(now)
        self._line.give_up(hole, now)

    def look(self, now: Time, heard: Time | None) -> None:
        """Do what is due.

        Parameters
        ----------
        now
            Our clock.
        heard
            When anything came last on the connection of the trades, even the answer to a ping: so
            far, what the exchange had sent is here. A heartbeat says no more than that.

        """
        self._heard = heard or self._heard
        self._due(now)
        line = self._line
        if line.hole is not None or self._back is None:
            return
        if line.doubt is not None:
            if now - self._back >= CALM:
                line.ask(line.doubt, now)
        elif heard is not None and self.clock.known and line.tape.silent(now):
            beat = self.clock.at(heard)
            if beat > self._beat:
                self._beat = beat
                line.event(Heartbeat(self.market, beat, received=now), now)

    def _due(self, now: Time) -> None:
        line = self._line
        while line.hole is not None and not 0 <= now - line.hole.opened < PATIENCE:
            line.give_up(line.hole, now)
        book = self._books.due(now, self._heard, self._newest + TOLERANCE)
        if book is not None:
            self.counts.books += 1
            line.event(book, now)
