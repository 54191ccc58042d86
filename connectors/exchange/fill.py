"""Ask REST for what a stream did not bring."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import ccxt

from connectors.exchange.delays import Delays
from connectors.exchange.rest_trades import HoleError, NotYetError, RestTrades, Traded
from connectors.feed.feed import CALM, MarketFeed
from connectors.feed.hole import Ask, Hole
from schemas import SECOND

AT_FIRST = 0.1
"""Seconds until REST is asked: what came in the wrong order is here by then."""
LATER = 300.0
"""For so many seconds it is asked, though the tape went on without."""
_RETRY = 0.2


class Filling:
    """Fills holes of one market.

    Parameters
    ----------
    feed
        The market.
    rest
        What it is filled from.
    told
        Is called whenever the feed was told something.
    room
        Whether there is room for what the tape does not wait for.

    """

    def __init__(
        self,
        feed: MarketFeed,
        rest: RestTrades,
        told: Callable[[], None],
        room: Callable[[], bool] = lambda: True,
    ) -> None:
        self.feed, self.rest, self.told, self.room = feed, rest, told, room

    async def fill(self, hole: Hole) -> None:
        """Ask until the hole is filled, or can never be, or it is too long ago."""
        started, delays = time.monotonic(), Delays(_RETRY)
        await asyncio.sleep(AT_FIRST if hole.until is not None else CALM / SECOND)
        while (hole.open or hole.lacking is not None) and time.monotonic() - started < LATER:
            ask = hole.ask()
            try:
                if await self._asked(ask):
                    return
            except (NotYetError, ccxt.BaseError):
                pass  # the next try may do better
            except HoleError:
                self.feed.failed(hole, time.time_ns())
                self.told()
                return
            if ask.until is hole.until:
                await asyncio.sleep(delays.next(time.monotonic()))

    async def _asked(self, ask: Ask) -> bool:
        """Ask once; return whether all that was asked for is known."""
        hole, found = ask.hole, list[Traded]()
        async for page in self.rest.behind(ask.last, ask.until):
            if hole.open:
                found += page
            elif ask.until is not hole.until:
                return False
            while not hole.open and not self.room():
                await asyncio.sleep(_RETRY)
            self._tell(ask, page, whole=False)
        self._tell(ask, found, whole=True)
        return not hole.open and ask.until is hole.until

    def _tell(self, ask: Ask, trades: list[Traded], whole: bool) -> None:
        now = time.time_ns()
        self.feed.filled(ask, trades, whole, now)
        for reject in self.rest.rejects:
            self.feed.event(reject, now)
        self.rest.rejects.clear()
        self.told()
