"""Markets of any exchanges that ccxt can stream from: trades and books, nothing lost or silent."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import ccxt
from typing_extensions import Self

from connectors.exchange.handing import ROOM, Outbox
from connectors.exchange.rest_trades import Traded
from connectors.exchange.venue import NOTHING, Asks, VenueWatch
from connectors.feed.feed import Counts
from connectors.feed.tape import Written
from connectors.recordings.tracks import Item
from connectors.venue.venue import VenueError, connect, split


class Exchange:
    """Take in markets, in a thread of its own, until `stop`.

    Parameters
    ----------
    markets
        Full names, such as `binance:BTC/USDT`, of any exchanges.
    urls
        Where to find exchanges instead of at their own addresses.
    written
        How far the log has each market: what came behind it is looked for.
    room
        How many trades and other events wait for a slow consumer, at most; what comes beyond is a
        hole, and treated as any other.
    keys
        API keys, without a secret: some exchanges give old trades only to who has one.
    asks
        Which numbers to ask for of the contracts among the markets, and how often.

    Raises
    ------
    VenueError
        When a market has no full name, or is given twice.

    """

    def __init__(
        self,
        markets: Sequence[str],
        urls: Mapping[str, str] | None = None,
        written: Mapping[str, Written] | None = None,
        room: int = ROOM,
        keys: Mapping[str, str] | None = None,
        asks: Asks = NOTHING,
    ) -> None:
        self._symbols: dict[str, dict[str, str]] = {}
        for market in markets:
            exchange, symbol = split(market)
            symbols = self._symbols.setdefault(exchange, {})
            if market in symbols:
                raise VenueError(f"market {market!r} is given twice; leave one out")
            symbols[market] = symbol
        self._urls, self._keys, self._asks = urls or {}, keys or {}, asks
        self._written = written or {}
        self._outbox = Outbox(room)
        self._late = deque[tuple[str, list[Traded]]]()
        self._venues: list[VenueWatch] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="exchange", daemon=True)

    def start(self) -> None:
        """Begin; what goes wrong is raised by `drain`."""
        self._thread.start()
        self._up.wait()

    def stop(self) -> None:
        """Close all connections, and return when they are closed."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread.ident is not None:
            self._thread.join()

    def drain(self) -> list[Item]:
        """Return what came, as strips of each market's tape, without waiting.

        Raises
        ------
        VenueError
            When a market or an exchange cannot be used.

        """
        return self._outbox.drain()

    def wait(self, timeout: float) -> bool:
        """Return whether there is something to drain, at the latest after `timeout` seconds."""
        return self._outbox.wait(timeout)

    def late(self) -> list[tuple[str, list[Traded]]]:
        """Return what was found too late for the tapes, where a `Gap` stands for it."""
        return [self._late.popleft() for _ in range(len(self._late))]

    @property
    def troubles(self) -> list[str]:
        """What is not taken in at present, and why."""
        return [line for venue in [*self._venues] for line in venue.troubles]

    @property
    def counts(self) -> dict[str, Counts]:
        """What happened to each market so far."""
        return {
            name: market.feed.counts
            for venue in self._venues
            for name, market in [*venue.markets.items()]
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._watch())
        except BaseException as error:  # noqa: BLE001 - the consumer raises it again
            self._outbox.fail(error)
        finally:
            self._up.set()

    async def _watch(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.set_exception_handler(_quiet)
        self._up.set()
        for exchange, symbols in self._symbols.items():
            venue = connect(exchange, self._urls.get(exchange), self._keys.get(exchange))
            self._venues.append(
                VenueWatch(venue, symbols, self._outbox, self._aside, self._written, self._asks)
            )
        tasks = [asyncio.create_task(venue.run()) for venue in self._venues]
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (stop, *tasks):
                task.cancel()
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    def _aside(self, market: str, trades: list[Traded]) -> None:
        self._late.append((market, trades))


def _quiet(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Leave out what ccxt let fall: a lost connection is told to all who wait, waiting or not."""
    if not isinstance(context.get("exception"), ccxt.BaseError):
        loop.default_exception_handler(context)
