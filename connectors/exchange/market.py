"""One market of an exchange: what its streams bring goes into its feed, and from there out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine

import ccxt
import orjson

from connectors.exchange.delays import Delays
from connectors.exchange.fill import Filling
from connectors.exchange.handing import Outbox
from connectors.exchange.rest_trades import HoleError, NotYetError, RestTrades, Traded, traded
from connectors.exchange.wire import User, Wire, reader
from connectors.feed.feed import MarketFeed
from connectors.venue.venue import Json, Venue, reason
from schemas import MINUTE, SECOND, Book, Event, Levels, Reject, Time

LEVELS = 10
"""How many levels of a book are written, a side."""
CACHED = 10_000
"""So many trades at once may have been more: ccxt keeps no more until they are taken."""
QUIET = 30 * SECOND
"""So long without a trade, at the latest, REST is asked whether there is none; then more rarely."""
SOON = 2 * SECOND
UNUSUAL = 20
"""A silence of so many times the usual one is asked about earlier, but not before `SOON`."""
_RECENT = 16
"""Over about how many arrivals the usual silence is a mean."""
SELDOM = 8 * MINUTE
_MILLISECOND = 1_000_000
_BOOK_LATER = 0.3
"""Seconds in which the trades of a lost connection are asked for before its books."""
_AGAIN = 2.0
"""Seconds in which a stream brings what REST knows already."""

Spawn = Callable[[Coroutine[object, object, None]], object]


class MarketWatch:
    """Watch one market.

    Parameters
    ----------
    name
        Its full name.
    venue, symbol
        The exchange, its markets loaded, and ccxt's name of the market.
    wire
        The exchange's connections.
    outbox
        Takes the strips.
    aside
        Takes the trades that are too late for the tape.
    spawn
        Starts a task.

    """

    def __init__(
        self,
        name: str,
        venue: Venue,
        symbol: str,
        wire: Wire,
        outbox: Outbox,
        aside: Callable[[str, list[Traded]], None],
        spawn: Spawn,
    ) -> None:
        self.name, self.venue, self.symbol, self.wire, self.outbox = (
            name, venue, symbol, wire, outbox,
        )  # fmt: skip
        self.aside, self.spawn = aside, spawn
        self.rest = RestTrades(venue, symbol)
        self.feed = MarketFeed(name, self.rest.fills)
        self.filling = Filling(self.feed, self.rest, self.flush, lambda: not outbox.full)
        self.trades, self.book = User(name, "trades"), User(name, "book")
        self.ended = False
        self._reading = False
        """Whether trades are waited for."""
        self._why_lost = ""
        now = time.time_ns()
        self._traded_at = self._booked_at = self._checked_at = now
        self._check_after = self._usual = QUIET

    @property
    def trouble(self) -> str | None:
        """Why its trades are not taken in at present."""
        return self._why_lost or None if self.feed.away else None

    def start(self) -> None:
        """Begin to watch."""
        self.spawn(self._watch(self.trades, self._read_trades))
        if self.venue.has.get("watchOrderBook"):
            self.spawn(self._watch(self.book, self._read_book))

    def event(self, event: Event) -> None:
        """Take any other event of the market."""
        self.feed.event(event, time.time_ns())
        self.flush()

    def lost(self, user: User, why: str, told: str = "") -> None:
        """Say that a stream is lost; `told` is what the user is to read, if there is more to it."""
        if user == self.book:
            self.feed.book_lost()
            return
        if told or not self.feed.away:
            self._why_lost = told or why
        kept = self._kept()  # it came in front of the loss
        if not self.feed.away:
            self._take(kept, time.time_ns())
            self.feed.counts.reconnects += why == "disconnect"
            self.feed.counts.stalls += why == "stall"
            self.feed.lost(why)

    def look(self, now: Time) -> None:
        """Do what is due."""
        # What ccxt has received, and we have not read yet, stands in front of what was heard since.
        here = self._reading and not self._cache
        feed, heard = self.feed, self.wire.heard(self.trades) if here else None
        if feed.away and heard is not None and not self.outbox.full:
            feed.back(now)
            self._checked_at = now  # the feed itself asks what came while it was away
        feed.look(now, heard)
        if heard is not None and not feed.away:
            self._suspect(now)
        self.flush()

    def flush(self) -> None:
        """Hand out what the feed has."""
        self.outbox.put(self.name, self.feed.take())
        if late := self.feed.late():
            self.aside(self.name, late)
        for hole in self.feed.wishes():
            self.spawn(self.filling.fill(hole))

    async def _watch(self, user: User, read: Callable[[], Awaitable[None]]) -> None:
        """Read one stream for ever."""
        reader.set(user)
        delays, later = Delays(), 0.0 if user == self.trades else _BOOK_LATER
        while True:
            try:
                await read()
            # ccxt fails in many ways, and cancels too
            except (asyncio.CancelledError, Exception) as error:
                if self.ended:
                    raise
                self._reading = self._reading and user != self.trades
                self.lost(user, "disconnect", reason(error))
                await asyncio.sleep(later + delays.next(time.monotonic()))

    async def _read_trades(self) -> None:
        self._reading = True
        found = await self.venue.watch_trades(self.symbol)
        received = time.time_ns()
        self._heard(received)
        self._kept()
        if self.outbox.full:
            self.lost(self.trades, "slow")
            return
        if len(found) >= CACHED:
            self.lost(self.trades, "overflow")
        self._take(found, received)
        self.flush()

    def _kept(self) -> list[Json]:
        """Take the trades that ccxt has received and keeps."""
        kept = [*self._cache]
        self._cache.clear()
        return kept

    @property
    def _cache(self) -> list[Json]:
        cache: list[Json] = getattr(self.venue, "trades", {}).get(self.symbol, [])
        return cache

    def _heard(self, now: Time) -> None:
        """Learn how long this market is silent between trades."""
        self._usual += (now - self._traded_at - self._usual) // _RECENT
        self._traded_at = self._checked_at = now
        self._check_after = min(max(UNUSUAL * self._usual, SOON), QUIET)

    def _take(self, found: list[Json], received: Time) -> None:
        good = list[Traded]()
        for trade in found:
            try:
                good.append(traded(trade))
            except ValueError as error:
                self.feed.trades(good, received)
                good = []
                payload = orjson.dumps(trade.get("info"), default=str).decode()
                ts = self.feed.clock.at(received)
                self.feed.event(Reject(self.name, ts, str(error), payload), received)
        self.feed.trades(good, received)

    async def _read_book(self) -> None:
        found = await self.venue.watch_order_book(self.symbol)
        received = self._booked_at = time.time_ns()
        stamp, nonce = found.get("timestamp"), found.get("nonce")
        book = Book(
            self.name,
            self.feed.clock.at(received) if stamp is None else stamp * _MILLISECOND,
            _levels(found["bids"]),
            _levels(found["asks"]),
            -1 if nonce is None else int(nonce),
            received=received,
        )
        self.feed.book(book, received)
        self.flush()

    def _suspect(self, now: Time) -> None:
        """Find streams that are silent though their connection lives."""
        if now - self._booked_at > QUIET and now - self._traded_at < QUIET // 3:
            self._booked_at = now
            self.wire.give_up(self.book, "no book though there are trades")
        if now - self._checked_at > self._check_after and self.rest.fills and self.feed.last:
            self._checked_at = now
            self._check_after = min(2 * self._check_after, SELDOM)
            self.spawn(self._check(self.feed.last))

    async def _check(self, last: Traded) -> None:
        """Ask REST whether there were trades that the stream did not bring."""
        try:
            silent = not await self._news(last)
        except (NotYetError, ccxt.BaseError):
            return
        except HoleError:
            silent = False  # so many that REST does not reach back
        if silent:
            return
        await asyncio.sleep(_AGAIN)
        if self.feed.last is last and not self.feed.away:
            self.lost(self.trades, "stall")
            self.wire.give_up(self.trades, "no trades though there are some")

    async def _news(self, last: Traded) -> bool:
        """Tell whether REST knows a trade behind this one that did not come."""
        return not all(map(self.feed.seen, await anext(self.rest.behind(last, None), [])))


def _levels(levels: list[list[float]]) -> Levels:
    return [(float(price), float(size)) for price, size, *_ in levels[:LEVELS]]
