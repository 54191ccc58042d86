"""All markets of one exchange, on its connections."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

import ccxt

from connectors.exchange.delays import Delays
from connectors.exchange.handing import Outbox
from connectors.exchange.instrument import instrument
from connectors.exchange.market import CACHED, MarketWatch
from connectors.exchange.poller import Poller
from connectors.exchange.rest_trades import Traded
from connectors.exchange.wire import User, Wire
from connectors.feed.tape import Written
from connectors.venue.answers import answered, demand_json, listed
from connectors.venue.markets import check_markets
from connectors.venue.rate import ask_in_bursts
from connectors.venue.venue import Json, Venue, VenueError, reason
from schemas import Reject, Time

TICK = 0.03
"""Each so many seconds all markets are looked at."""
RELOAD = 1800.0
"""Each so many seconds the exchange is asked what it says of its markets, and it is put on the
tapes: who begins to read in the middle reads an hour from before, and has it then."""
_NAMED = 3
"""Of so many markets that cannot be reached, at most, the names are told."""
_MILLISECOND = 1_000_000


class Asks(NamedTuple):
    """Numbers that exchanges are asked for."""

    series: Sequence[str]
    every: float
    """Seconds from one question to the next."""


NOTHING = Asks((), 60.0)


class VenueWatch:
    """Watch markets of one exchange.

    Parameters
    ----------
    venue
        The exchange; it is closed at the end.
    symbols
        ccxt's names of the markets, by their full names.
    outbox
        Takes the strips.
    aside
        Takes the trades that are too late for the tape.
    written
        How far the log has each market.
    asks
        Which numbers to ask for, too.

    """

    def __init__(
        self,
        venue: Venue,
        symbols: Mapping[str, str],
        outbox: Outbox,
        aside: Callable[[str, list[Traded]], None],
        written: Mapping[str, Written],
        asks: Asks,
    ) -> None:
        self.venue, self.symbols, self.outbox, self.aside = venue, symbols, outbox, aside
        self.written, self.asks = written, asks
        self.venue.options["tradesLimit"] = CACHED
        ask_in_bursts(self.venue)
        demand_json(self.venue)
        self.wire = Wire(self.venue, self._switched, self._unreadable)
        self.markets: dict[str, MarketWatch] = {}
        self._unloaded: str | None = None
        """Why it does not tell its markets yet."""
        self._gone: list[str] = []
        """Markets that it had, and has no more."""
        self._polled: list[Poller] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def troubles(self) -> Iterator[str]:
        """What is not taken in at present, and why."""
        exchange = self.venue.id
        if self._unloaded is not None:
            yield f"{exchange} cannot be reached ({self._unloaded}); trying again"
        away = {m.name: m.trouble for m in [*self.markets.values()] if m.trouble is not None}
        yield from _told(away, f"nothing comes from {exchange}")
        for name in self.asks.series:
            missed = {p.market: why for p in self._polled if (why := p.trouble.get(name))}
            yield from _told(missed, f"{exchange} does not tell {name}")
        if self._gone:
            yield f"{_named(self._gone)}: {exchange} has no such market any more"

    async def run(self) -> None:
        """Watch until cancelled.

        Raises
        ------
        VenueError
            When the exchange has no such market, or streams no trades.

        """
        try:
            await self._load()
            distance = await self._distance()
            for name, symbol in self.symbols.items():
                market = self._market(name, symbol)
                if distance is not None:
                    market.feed.clock.begin(distance)
                self._describe(market)
                market.start()
            self._polled = self._pollers()
            for poller in self._polled:
                self._spawn(poller.run())
            self._spawn(self._reload())
            while True:
                self._look(time.time_ns())
                await asyncio.sleep(TICK)
        finally:
            await self._end()

    def _market(self, name: str, symbol: str) -> MarketWatch:
        market = self.markets[name] = MarketWatch(
            name, self.venue, symbol, self.wire, self.outbox, self.aside, self._spawn
        )
        if name in self.written:
            market.feed.resume(self.written[name])
        return market

    def _look(self, now: Time) -> None:
        for user in self.wire.look(now):
            self.markets[user.market].lost(user, "stall")
        for market in self.markets.values():
            market.look(now)

    async def _load(self) -> None:
        """Learn which markets there are; an exchange that is away is waited for."""
        delays, known = Delays(), dict[str, Json]()
        while not known:
            try:
                known = await listed(self.venue)
            except ccxt.OperationFailed as error:
                self._unloaded = reason(error)
                await asyncio.sleep(delays.next(time.monotonic()))
            except ccxt.BaseError as error:
                told = reason(error)
                raise VenueError(f"{self.venue.id} does not tell its markets: {told}") from None
        self._unloaded = None
        check_markets(self.venue, self.symbols, known)

    def _pollers(self) -> list[Poller]:
        """Return what asks for numbers of the contracts among the markets."""
        if not self.asks.series:
            return []
        contracts = [m for m in self.markets.values() if self.venue.market(m.symbol)["contract"]]
        return [
            Poller(self.venue, m.symbol, self.asks.series, self.asks.every, m.event)
            for m in contracts
        ]

    async def _distance(self) -> Time | None:
        """Return how far the exchange's clock is ahead of ours, if it tells."""
        if not self.venue.has.get("fetchTime"):
            return None
        try:
            told = await answered(self.venue.fetch_time())
        except ccxt.BaseError:
            return None
        return told * _MILLISECOND - time.time_ns()

    async def _reload(self) -> None:
        while True:
            await asyncio.sleep(RELOAD)
            known = self.venue.markets or {}
            with suppress(ccxt.BaseError):  # what is known still holds
                known = await listed(self.venue)
            self._gone = [name for name, symbol in self.symbols.items() if symbol not in known]
            for name, market in self.markets.items():
                if name not in self._gone:
                    self._describe(market)

    def _describe(self, market: MarketWatch) -> None:
        """Put the instrument on the tape."""
        mode: int = getattr(self.venue, "precisionMode")  # noqa: B009 - ccxt's, not of our Venue
        ts = market.feed.clock.at(time.time_ns())
        told = self.venue.market(market.symbol)
        market.event(instrument(market.name, told, mode, ts, summed=market.rest.sums))

    def _switched(self, user: User) -> None:
        self.markets[user.market].lost(user, "disconnect")

    def _unreadable(self, users: list[User], why: str, payload: str) -> None:
        """Put a message that cannot be read on the tape of whose market it most likely is."""
        markets = sorted({user.market for user in users})
        named = [name for name in markets if self._id(name) in payload.lower()]
        if chosen := (named or markets)[:1]:
            market = self.markets[chosen[0]]
            market.event(Reject(market.name, market.feed.clock.at(time.time_ns()), why, payload))

    def _id(self, name: str) -> str:
        return str(self.venue.market(self.symbols[name])["id"]).lower()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.outbox.fail(error)

    async def _end(self) -> None:
        for market in self.markets.values():
            market.ended = True
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.wire.end()
        await self.venue.close()


def _told(why: Mapping[str, str], what: str) -> Iterator[str]:
    """Say, if there are any such markets, what is wrong with them."""
    if why:
        yield f"{_named(why)}: {what} ({next(iter(why.values()))}); trying again"


def _named(markets: Collection[str]) -> str:
    return ", ".join(markets) if len(markets) <= _NAMED else f"{len(markets)} markets"
