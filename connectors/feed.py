"""The feed of one market: what an exchange sends becomes a tape without unmarked holes.

No I/O and no clock: times come in. Values are handed to it as they come, by whoever reads the
exchange; what it wants filled is in `wishes`, what is to be written in `take`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from connectors.feed_books import Books, sound
from connectors.feed_clock import VenueClock
from connectors.feed_hole import Ask, Hole, jumps
from connectors.feed_ids import SeenIds, whole
from connectors.feed_tape import TOLERANCE, FeedTape
from connectors.rest_trades import Traded
from schemas import SECOND, Book, Event, Heartbeat, Reject, Time

PATIENCE = 2 * SECOND
"""How long a market waits for a hole to be filled."""
CALM = SECOND // 2
"""How long after a reconnect a market that is silent is asked about by REST."""
ROOM = 50_000
"""How many trades and events of a market may wait for a hole to be filled."""


@dataclass(slots=True)
class Counts:
    """What happened to one market so far."""

    trades: int = 0
    repeated: int = 0
    """Trades that came again."""
    holes: int = 0
    """Places where trades may have been missing."""
    filled: int = 0
    """Trades that were found in time."""
    late: int = 0
    """Trades that were found too late for the tape."""
    gaps: int = 0
    rejects: int = 0
    books: int = 0
    refused: int = 0
    """Books that were crossed, had an empty side, or came while trades were lost."""
    reconnects: int = 0
    stalls: int = 0
    latency: Time = 0
    """From the last trade's stamp to its arrival: with the clocks' difference in it."""


class _Loss(NamedTuple):
    """From here on trades may be missing."""

    why: str


@dataclass(slots=True)
class _Doubt:
    """Trades may be missing in front of the next one."""

    why: str
    looked: bool = False
    """Whether REST was asked, or a `Gap` stands, up to now."""


_Item: TypeAlias = Traded | Event | _Loss


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
        self.market, self.fills = market, fills
        self.counts = Counts()
        self.clock = VenueClock()
        self._tape = FeedTape(market)
        self._seen = SeenIds()
        self._books = Books()
        self._hole: Hole | None = None
        self._waiting: deque[tuple[_Item, Time]] = deque()
        self._doubt: _Doubt | None = None
        self._back: Time | None = 0
        """Since when the connection stands; None: it does not."""
        self._heard: Time = 0
        """When anything came last on the connection of the trades."""
        self._newest: Time = 0
        """The greatest stamp of a trade that came."""
        self._beat: Time = 0
        self._wishes: list[Hole] = []
        self._late: list[Traded] = []

    def take(self) -> list[Event]:
        """Return what is to be written, in order, since the last call."""
        return self._tape.take()

    def wishes(self) -> list[Hole]:
        """Return the holes to be filled since the last call; `filled` takes the answers."""
        wishes, self._wishes = self._wishes, []
        return wishes

    def late(self) -> list[Traded]:
        """Return the trades since the last call that were found too late for the tape."""
        late, self._late = self._late, []
        return late

    @property
    def last(self) -> Traded | None:
        """The newest trade on the tape."""
        return self._tape.last

    @property
    def away(self) -> bool:
        """Whether the connection is lost."""
        return self._back is None

    def seen(self, trade: Traded) -> bool:
        """Tell whether a trade came already."""
        return trade.id in self._seen

    def resume(self, last: Traded) -> None:
        """Go on behind the last trade of a log."""
        self._tape.last = last
        self._mark(last)
        self.lost("restart")

    def trades(self, trades: Sequence[Traded], received: Time) -> None:
        """Take trades of the stream, in the order in which they came."""
        if self.away:
            self.back(received)
        self._heard = received
        for trade in trades:
            self._due(received)
            if trade.id in self._seen:
                self.counts.repeated += 1
                continue
            self._mark(trade)
            self._newest = max(self._newest, trade.ts)
            self.clock.learn(trade.ts, received)
            self.counts.latency = received - trade.ts
            self._put(trade, received)

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
        self._put(event, now)

    def lost(self, why: str) -> None:
        """Say that trades may be lost from now on, until `back` or the next trade."""
        self._back = None
        self.book_lost()
        if self._hole is None or self._hole.until is not None:
            self._put(_Loss(why), 0)

    def book_lost(self) -> None:
        """Say that nobody knows whether the last state of the book still holds."""
        self._books.drop()

    def back(self, now: Time) -> None:
        """Say that trades are streamed again."""
        self._back = now

    def filled(self, ask: Ask, trades: list[Traded], whole: bool, now: Time) -> None:
        """Take what REST answered; `whole`: nothing is missing in what was asked for."""
        self._due(now)
        hole = ask.hole
        if hole is self._hole:
            if hole.add(ask, trades, whole):
                self._close(hole, now, whole=True)
        else:
            self._put_aside(hole.too_late(trades))

    def failed(self, hole: Hole, now: Time) -> None:
        """Say that a hole cannot be filled: nothing needs to wait for it."""
        self._due(now)
        if hole is self._hole:
            self._close(hole, now, whole=False)

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
        if self._hole is not None or self._back is None:
            return
        doubt = self._doubt
        if doubt is not None and not doubt.looked:
            if now - self._back >= CALM:
                self._open(doubt.why, None, now)
        elif heard is not None and self.clock.known and self._tape.silent(now):
            beat = self.clock.at(heard)
            if beat > self._beat:
                self._beat = beat
                self._put(Heartbeat(self.market, beat, received=now), now)

    def _due(self, now: Time) -> None:
        while self._hole is not None and not 0 <= now - self._hole.opened < PATIENCE:
            self._close(self._hole, now, whole=False)
        book = self._books.due(now, self._heard, self._newest + TOLERANCE)
        if book is not None:
            self.counts.books += 1
            self._put(book, now)

    def _put(self, item: _Item, at: Time) -> None:
        """Write what comes next, or let it wait."""
        hole = self._hole
        if hole is None:
            self._pass(item, at)
        elif isinstance(item, Traded) and hole.take(item):
            if hole.full():
                self._close(hole, at, whole=True)
        else:
            self._wait(hole, item, at)

    def _wait(self, hole: Hole, item: _Item, at: Time) -> None:
        self._waiting.append((item, at))
        if isinstance(item, Traded) and hole.until is None and not self._straggles(item):
            hole.until = item
            hole.numbered = self._numbered(item)
            if not jumps(hole.last, item) or hole.full():
                self._close(hole, at, whole=True)
                return
        if len(self._waiting) > ROOM:
            self._close(hole, at, whole=False)

    def _pass(self, item: _Item, at: Time) -> None:
        """Write what comes next, unless a hole opens in front of it."""
        if isinstance(item, _Loss):
            self._doubt = _Doubt(item.why)
        elif isinstance(item, Traded):
            why = self._missing(item)
            if why is None:
                self._write(item, at)
            else:
                self._open(why, item, at)
        elif isinstance(item, (Book, Heartbeat)) and self._doubt and not self._doubt.looked:
            self._open(self._doubt.why, None, at)
            self._put(item, at)
        else:
            self._tape.event(item, at)

    def _missing(self, trade: Traded) -> str | None:
        """Return why trades may be missing in front of this one, if they may."""
        last = self._tape.last
        if last is not None and (not jumps(last, trade) or self._straggles(trade)):
            return None
        if self._doubt is not None:
            return self._doubt.why
        return "ids" if last is not None and self._numbered(trade) else None

    def _straggles(self, trade: Traded) -> bool:
        """Tell whether a trade is older than the newest, by its id."""
        number, top = whole(trade.id), self._tape.steps.top
        return number is not None and top is not None and number <= top

    def _numbered(self, trade: Traded) -> bool:
        """Tell whether ids tell what is missing between the newest trade and this one."""
        return self._tape.steps.trusted and whole(trade.id) is not None

    def _open(self, why: str, until: Traded | None, at: Time) -> None:
        """Let all wait from here on, until what may be missing is found."""
        last, self._doubt = self._tape.last, _Doubt(why, looked=True)
        if last is None:
            self._begin(why, until, at)
            return
        numbered = until is not None and self._numbered(until)
        hole = self._hole = Hole(why, last, at, numbered, until)
        self.counts.holes += 1
        if until is not None:
            self._waiting.append((until, at))
        if self.fills and last.id and (until is None or until.id):
            self._wishes.append(hole)
        else:
            self._close(hole, at, whole=False)

    def _begin(self, why: str, until: Traded | None, at: Time) -> None:
        """Mark a hole that has no trade in front of it."""
        if self._tape.at is not None:
            self._tape.gap(why, None, until, self.clock.at(at))
            self.counts.gaps += 1
        if until is not None:
            self._write(until, at)

    def _close(self, hole: Hole, now: Time, whole: bool) -> None:
        """Write what was found of a hole, and a `Gap` for the rest; let the others go on."""
        time = self.clock.at(now)
        missed = hole.missed(self._seen)
        usable = whole or hole.numbered
        old = [trade for trade in missed if not usable or trade.ts < self._tape.moved]
        fresh = [trade for trade in missed if usable and trade.ts >= self._tape.moved]
        for trade in fresh:
            self._mark(trade)
        gaps = self._tape.fill(hole, fresh, not whole or bool(old), now, time)
        self.counts.filled += len(fresh)
        self.counts.trades += len(fresh)
        self.counts.gaps += gaps
        hole.open, self._hole = False, None
        if gaps:
            hole.lacking = time if hole.until is None else hole.until.ts
            self._put_aside(hole.too_late(old))
        self._go_on(hole)

    def _go_on(self, hole: Hole) -> None:
        waiting, self._waiting = self._waiting, deque()
        for item, at in waiting:
            if item is hole.until:
                self._write(hole.until, at)
            else:
                self._put(item, at)

    def _write(self, trade: Traded, at: Time) -> None:
        self.counts.trades += 1
        if not self._straggles(trade):
            self._doubt = None
        self._tape.trade(trade, at)

    def _mark(self, trade: Traded) -> None:
        """Remember a trade, and all that it is the sum of."""
        number = whole(trade.id)
        if number is None or trade.parts == 1:
            self._seen.add(trade.id)
            return
        for id_ in range(number - trade.parts + 1, number + 1):
            if str(id_) not in self._seen:
                self._seen.add(str(id_))

    def _put_aside(self, trades: list[Traded]) -> None:
        """Hand out trades that come too late for the tape."""
        for trade in trades:
            if trade.id not in self._seen:
                self._mark(trade)
                self._late.append(trade)
                self.counts.late += 1
