"""Does at the exchange what the blotter wants, and tells it what came of that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

from connectors.account.account import GoneError, TradingVenue
from connectors.account.checks import check_market
from connectors.account.orders import BusyError, DoubtfulError, OrderError, RefusedError
from connectors.blotter.actions import Action, Cancel, FetchDeals, LookUp, Reconcile, Send
from connectors.blotter.blotter import Blotter
from connectors.blotter.reconcile import Look
from connectors.executor.settings import ExecutorSettings
from connectors.executor.troubles import Troubles
from connectors.venue.venue import VenueError
from schemas import DAY, MINUTE, Time

_OVERLAP: Time = MINUTE
"""Fills are asked for from so long before the last time on: clocks differ."""
_FIRST: Time = DAY
"""And from so long ago on the first time; of an older order each fill is asked for by the order."""


class Hands:
    """Do one action at a time in each market; what changes anything there, once it is kept durably.

    Parameters
    ----------
    venue
        The account at the exchange.
    blotter
        Is told.
    durable
        Returns when all that the blotter has kept is durable.
    act
        Takes what follows.
    clock
        Ours.
    settings
        What a market must be like.
    troubles
        Takes what is wrong.
    met
        Takes each market that there is, before it is first compared.

    """

    def __init__(
        self,
        venue: TradingVenue,
        blotter: Blotter,
        durable: Callable[[], Awaitable[None]],
        act: Callable[[Iterable[Action]], None],
        clock: Callable[[], Time],
        settings: ExecutorSettings,
        troubles: Troubles,
        met: Callable[[str], None],
    ) -> None:
        self._venue, self._blotter, self._act, self._met = venue, blotter, act, met
        self._durable, self._clock = durable, clock
        self._settings, self._troubles = settings, troubles
        self.compared: Counter[str] = Counter()
        """How often a comparison with the exchange was `done`, and how often it `failed`."""
        self._looked: dict[str, Time] = {}
        """When each market was last compared."""
        self._checked: set[str] = set()

    async def do(self, action: Action) -> None:
        """Do it, and tell what came of it."""
        if isinstance(action, (Send, Cancel)):
            await self._durable()
        match action:
            case Send():
                await self._send(action)
            case Cancel():
                await self._cancel(action)
            case LookUp():
                await self._look_up(action)
            case FetchDeals():
                await self._fetch(action)
            case Reconcile():
                await self._reconcile(action.market)

    async def _send(self, action: Send) -> None:
        id_ = action.place.id
        try:
            known = await self._venue.send(action.place)
        except RefusedError as error:
            what = f"{action.place.side} {action.place.amount:f}"
            self._troubles.say(f"{action.market}: {what} is refused ({error})")
            self._act(self._blotter.refused(id_, str(error), self._clock()))
        except BusyError as error:
            self._busy(id_, action.market, error)
        except DoubtfulError as error:
            self._doubtful(id_, action.market, error)
        else:
            self._troubles.end(f"{action.market}: orders")
            self._act(self._blotter.acknowledged(known, self._clock()))

    async def _cancel(self, action: Cancel) -> None:
        try:
            known = await self._venue.cancel(action.id, action.market)
        except BusyError as error:
            self._busy(action.id, action.market, error)
        except GoneError:
            self._act(self._blotter.doubtful(action.id, self._clock()))
        except OrderError as error:
            self._doubtful(action.id, action.market, error)
        else:
            now = self._clock()
            told = self._blotter
            self._act(told.updated(known, now) if known else told.called_off(action.id, now))

    async def _look_up(self, action: LookUp) -> None:
        try:
            known = await self._venue.find(action.id, action.market)
        except OrderError as error:
            self._unclear(action.id, action.market, f"cannot be looked up ({error}); trying again")
            return
        self._troubles.end(order_of(action.id, action.market))
        now = self._clock()
        told = self._blotter
        self._act(told.found(known, now) if known else told.missing(action.id, now))

    async def _fetch(self, action: FetchDeals) -> None:
        what = f"{action.market}: fills of order {action.id}"
        try:
            deals = await self._venue.deals_of(action.market, action.id, action.exchange_id)
        except OrderError as error:
            self._troubles.begin(what, f"are not told ({error}); trying again")
            return
        self._troubles.end(what)
        for deal in deals:
            self._act(self._blotter.dealt(deal, self._clock()))

    async def _reconcile(self, market: str) -> None:
        """Compare a market with the exchange; what fails proves nothing."""
        what = f"{market}: comparing with the exchange"
        start = self._clock()
        try:
            self._act(self._blotter.learn(self._venue.instrument(market, start), start))
            self._met(market)
            await self._check(market)
            since = self._looked.get(market, start - _FIRST) - _OVERLAP
            orders = await self._venue.open_orders(market)
            deals = await self._venue.deals(market, since)
            held = await self._venue.held(market)
        except (OrderError, VenueError) as error:
            entries = "" if market in self._looked else "; no entry goes there before"
            self._troubles.begin(what, f"{error}; trying again{entries}")
            self.compared["failed"] += 1
            return
        self._troubles.end(what)
        self.compared["done"] += 1
        self._looked[market] = start
        self._act(self._blotter.reconciled(Look(market, orders, deals, held), self._clock()))

    async def _check(self, market: str) -> None:
        if market not in self._checked:
            await check_market(self._venue, market, self._settings.leverage, self._settings.margin)
            if self._settings.rules.stops and not self._venue.stops(market):
                raise VenueError(
                    f"{market}: no stop can rest at {self._venue.exchange}; start with stops off"
                )
            self._checked.add(market)

    def _busy(self, id_: str, market: str, error: BusyError) -> None:
        wait = f"again in {error.seconds:g} s"
        self._troubles.begin(f"{market}: orders", f"the exchange is busy ({error}); {wait}")
        self._act(self._blotter.busy(id_, error.seconds, self._clock()))

    def _doubtful(self, id_: str, market: str, error: OrderError) -> None:
        self._unclear(id_, market, f"in doubt ({error}); asking what became of it")
        self._act(self._blotter.doubtful(id_, self._clock()))

    def _unclear(self, id_: str, market: str, why: str) -> None:
        """Tell of an order once, however often it is asked about."""
        what = order_of(id_, market)
        if what not in self._troubles.present:
            self._troubles.begin(what, why)


def order_of(id_: str, market: str) -> str:
    """Return what an order is called among troubles."""
    return f"{market}: order {id_}"
