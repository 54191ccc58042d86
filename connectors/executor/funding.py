"""What perpetuals pay and get while they are held: asked for now and then, told once each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from connectors.account.account import TradingVenue
from connectors.account.orders import OrderError
from connectors.account.words import UnclearError, number
from connectors.blotter.actions import Action
from connectors.blotter.blotter import Blotter
from connectors.executor.troubles import Troubles
from connectors.venue.venue import VenueError, split
from schemas import DAY, MINUTE, Time

_MILLISECOND: Time = 1_000_000


class Funding:
    """Ask for payments of funding.

    Parameters
    ----------
    venue
        The account at the exchange.
    blotter
        Is told.
    act
        Takes what follows.
    clock
        Ours.
    troubles
        Takes what is wrong.

    """

    def __init__(
        self,
        venue: TradingVenue,
        blotter: Blotter,
        act: Callable[[Iterable[Action]], None],
        clock: Callable[[], Time],
        troubles: Troubles,
    ) -> None:
        self._venue, self._blotter, self._act = venue, blotter, act
        self._clock, self._troubles = clock, troubles
        self._asked: dict[str, Time] = {}

    async def ask(self) -> None:
        """Ask for those of all perpetuals that may be held."""
        if not self._venue.client.has.get("fetchFundingHistory"):
            return
        for market in sorted(self._blotter.markets()):
            what = f"{market}: funding"
            try:
                if self._venue.contract(market):
                    await self._ask(market)
                    self._troubles.end(what)
            except (OrderError, VenueError, UnclearError) as error:
                self._troubles.begin(what, f"is not told ({error}); trying again")

    async def _ask(self, market: str) -> None:
        start, symbol = self._clock(), split(market)[1]
        since = (self._asked.get(market, start - DAY) - MINUTE) // _MILLISECOND
        found = await self._venue.asks.query(
            partial(self._venue.client.fetch_funding_history, symbol, since)
        )
        self._asked[market] = start
        for paid in found:
            currency, amount = str(paid.get("code") or ""), number(paid.get("amount"))
            payment = str(paid.get("id") or paid.get("timestamp"))
            self._act(self._blotter.funded(market, payment, amount, currency, self._clock()))
