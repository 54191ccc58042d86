"""What an exchange tells of an account's orders and fills by itself, market by market."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import ccxt

from connectors.account.account import TradingVenue
from connectors.account.orders import Deal, DoubtfulError, Known
from connectors.exchange.delays import Delays
from connectors.executor.troubles import Troubles
from connectors.venue.answers import answered
from connectors.venue.venue import Json, reason, split

SETTLED = 1.0
"""A stream that was opened so many seconds ago without an error is taken to be open."""
POLL = 2.0
"""How often to ask an exchange that tells nothing by itself."""


class Hearer(Protocol):
    """Who wants to know."""

    def pushed(self, told: Known | Deal) -> None:
        """Take what an exchange has said."""
        ...

    def missed(self, market: str) -> None:
        """Ask by REST: something may have happened that was not said."""
        ...


class PrivateFeed:
    """Hears of orders and fills, again and again whatever the connection does.

    Parameters
    ----------
    venue
        The account.
    hearer
        Is told.
    troubles
        Takes what is wrong.

    """

    def __init__(self, venue: TradingVenue, hearer: Hearer, troubles: Troubles) -> None:
        self._venue, self._hearer, self._troubles = venue, hearer, troubles
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}

    def add(self, market: str) -> None:
        """Hear of a market, too."""
        if market in self._tasks:
            return
        client, symbol = self._venue.client, split(market)[1]
        work = []
        if client.has.get("watchOrders"):
            work.append(self._hear(market, lambda: client.watch_orders(symbol), self._order))
        if client.has.get("watchMyTrades"):
            work.append(self._hear(market, lambda: client.watch_my_trades(symbol), self._deal))
        if not work:
            work.append(self._poll(market))
        loop = asyncio.get_running_loop()
        self._tasks[market] = [loop.create_task(one) for one in work]

    def failed(self) -> BaseException | None:
        """Return the error that ended a part of it, if one has."""
        for tasks in self._tasks.values():
            for task in tasks:
                if task.done() and not task.cancelled() and task.exception() is not None:
                    return task.exception()
        return None

    async def stop(self) -> None:
        """Hear no more."""
        tasks = [task for tasks in self._tasks.values() for task in tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(
        self,
        market: str,
        watch: Callable[[], Awaitable[list[Json]]],
        take: Callable[[Json, str], None],
    ) -> None:
        delays, what = Delays(), f"{market}: private stream"
        while True:
            try:
                await self._open(market, what, watch, take)
                while True:
                    for told in await answered(watch()):
                        take(told, market)
            except (ccxt.BaseError, DoubtfulError) as error:
                self._troubles.begin(what, f"{reason(error)}; trying again, and asking meanwhile")
                self._hearer.missed(market)
                await asyncio.sleep(delays.next(time.monotonic()))

    async def _open(
        self,
        market: str,
        what: str,
        watch: Callable[[], Awaitable[list[Json]]],
        take: Callable[[Json, str], None],
    ) -> None:
        """Return when it hears; then what was said before must be asked for."""
        first = asyncio.ensure_future(answered(watch()))
        try:
            await asyncio.wait({first}, timeout=SETTLED)
            if not first.done():
                self._troubles.end(what)
                self._hearer.missed(market)
            for told in await first:
                take(told, market)
            self._troubles.end(what)
        finally:
            first.cancel()

    async def _poll(self, market: str) -> None:
        while True:
            self._hearer.missed(market)
            await asyncio.sleep(POLL)

    def _order(self, told: Json, market: str) -> None:
        self._hearer.pushed(self._venue.pushed_order(told, market))

    def _deal(self, told: Json, market: str) -> None:
        self._hearer.pushed(self._venue.pushed_deal(told, market))
