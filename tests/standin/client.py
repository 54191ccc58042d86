"""ccxt's real client at a stand-in exchange: collects what it hands out, and what it raises."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import ccxt

from connectors.venue.venue import Json, Venue, connect
from tests.standin.exchange import PATIENCE, StandIn


class Watcher:
    """Watches one market's trades and book, again and again whatever it raises.

    Parameters
    ----------
    venue
        ccxt's client.
    symbol
        As ccxt writes it.
    books
        Whether to watch the book too.

    """

    def __init__(self, venue: Venue, symbol: str, books: bool = False) -> None:
        self.trades: list[Json] = []
        self.books: dict[int, tuple[list[list[float]], list[list[float]]]] = {}
        """The best ten levels of both sides, by the last update's id."""
        self.errors: list[Exception] = []
        self._venue, self._symbol = venue, symbol
        self._tasks = [asyncio.create_task(self._repeat(self._watch_trades))]
        if books:
            self._tasks.append(asyncio.create_task(self._repeat(self._watch_book)))

    @property
    def ids(self) -> list[int]:
        return [int(trade["id"]) for trade in self.trades]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, watch: Callable[[], object]) -> None:
        while True:
            try:
                await watch()  # type: ignore[misc]
            except ccxt.BaseError as error:
                self.errors.append(error)
                await asyncio.sleep(0.01)

    async def _watch_trades(self) -> None:
        self.trades += await self._venue.watch_trades(self._symbol)

    async def _watch_book(self) -> None:
        book = await self._venue.watch_order_book(self._symbol)
        sides = ([level[:2] for level in book[side][:10]] for side in ("bids", "asks"))
        bids, asks = sides
        self.books[book["nonce"]] = bids, asks


@asynccontextmanager
async def client(exchange: StandIn, name: str = "binance") -> AsyncIterator[Venue]:
    """Give ccxt's client of an exchange, with its markets loaded and in no need to spare it."""
    venue = connect(name, exchange.url)
    venue.enableRateLimit = False  # type: ignore[attr-defined]
    try:
        await venue.load_markets()
        yield venue
    finally:
        await venue.close()


@asynccontextmanager
async def watching(
    exchange: StandIn, market: str, name: str = "binance", books: bool = False
) -> AsyncIterator[Watcher]:
    """Give a watcher of a market such as `usdm:BTCUSDT`, once the exchange hears of it."""
    async with client(exchange, name) as venue:
        watcher = Watcher(venue, exchange.market(market).capture.unified, books)
        await until(lambda: exchange.listeners(f"{market}@trade"))
        await until(lambda: not books or exchange.listeners(f"{market}@depth"))
        try:
            yield watcher
        finally:
            await watcher.stop()


async def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Return when a condition holds, and let everything else go on meanwhile."""
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {patience} s in vain")
        await asyncio.sleep(0.005)
