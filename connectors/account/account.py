"""An account at an exchange: what an executor asks of it, and an answer or one of three errors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from connectors.account.asks import Asks, MissingError
from connectors.account.client import trading_client
from connectors.account.dialects import dialect
from connectors.account.keys import AccountKeys
from connectors.account.names import Names
from connectors.account.orders import Deal, DoubtfulError, Known, Place, RefusedError
from connectors.account.words import balance_of, balances_of, became, position_of
from connectors.exact import stepped
from connectors.exchange.instrument import instrument
from connectors.venue.answers import listed
from connectors.venue.venue import Json, VenueError, split
from schemas import DAY, Instrument, Time

_MILLISECOND: Time = 1_000_000
_DAY = DAY // _MILLISECOND
_PAGE = 100
"""Fills a page; every exchange gives so many."""
_STOP: Json = {"trigger": True}
_PLAIN: Json = {}


class GoneError(DoubtfulError):
    """An order cannot be called off: it is over, or never was."""


class TradingVenue:
    """An account at an exchange.

    Each question ends with an answer, or raises `RefusedError`, `BusyError` or `DoubtfulError`.

    Parameters
    ----------
    keys
        The account's.
    url
        Where to find the exchange instead of at its own addresses.
    sandbox
        Whether it is the exchange's practice ground.

    Raises
    ------
    VenueError
        When ccxt has no such exchange, or it has no practice ground.

    """

    def __init__(self, keys: AccountKeys, url: str | None = None, sandbox: bool = True) -> None:
        self.client = trading_client(keys, url, sandbox)
        self.exchange, self.sandbox = keys.exchange, sandbox
        self.asks, self._dialect = Asks(self.client), dialect(keys.exchange)
        self._names = Names()
        self._stops: set[str] = set()
        """Client ids of stops, as far as they were seen."""

    @property
    def tells_fills(self) -> bool:
        """Whether the exchange tells fills by itself."""
        return bool(self.client.has.get("watchMyTrades"))

    async def load(self) -> None:
        """Learn which markets there are, and how far the exchange's clock is from ours."""
        await self.asks.query(partial(listed, self.client))
        await self.asks.set_clock()

    async def close(self) -> None:
        """Give back what it holds."""
        await self.client.close()

    def instrument(self, market: str, ts: Time) -> Instrument:
        """Return what the exchange says of a market.

        Raises
        ------
        VenueError
            When it has no such market.

        """
        told = self._market(market)
        mode: int = getattr(self.client, "precisionMode")  # noqa: B009 - not of every venue
        return instrument(market, told, mode, ts)

    def contract(self, market: str) -> bool:
        """Tell whether a market trades contracts: positions, not balances."""
        return bool(self._market(market).get("contract"))

    def stops(self, market: str) -> bool:
        """Tell whether stop orders can rest at the exchange in a market."""
        told = self._market(market).get("info") or {}
        kinds = told.get("orderTypes") if isinstance(told, dict) else None
        return kinds is None or bool({"STOP_LOSS", "STOP_MARKET"} & {*kinds})

    async def send(self, place: Place) -> Known:
        """Place an order; its amount and prices leave as they are, or not at all."""
        symbol = self._symbol(place.market)
        self._fits(place)
        params: dict[str, object] = {"clientOrderId": place.id}
        if place.kind == "post-only":
            params["postOnly"] = True
        if place.reduce_only and self.contract(place.market):
            params["reduceOnly"] = True
        if place.stop_price is not None:
            params["stopLossPrice"] = f"{place.stop_price:f}"
            self._stops.add(place.id)
            params |= self._dialect.named(place.id, self.contract(place.market))
        kind = "market" if place.kind == "market" else "limit"
        price = None if place.price is None else f"{place.price:f}"
        order = await self.asks.order(
            partial(
                self.client.create_order,
                symbol, kind, place.side, f"{place.amount:f}", price, params,
            )
        )  # fmt: skip
        return self._names.known({**order, "clientOrderId": place.id}, place.market)

    async def cancel(self, id_: str, market: str) -> Known | None:
        """Call an order off; return what the answer says of its end, if it says so.

        Raises
        ------
        GoneError
            When the exchange has no such open order; what became of it must be asked.

        """
        symbol = self._symbol(market)
        for way in self._ways(id_, market):
            ask = partial(self.client.cancel_order, None, symbol, {"clientOrderId": id_, **way})
            try:
                order = await self.asks.order(ask, may_miss=True)
            except MissingError:
                continue
            return self._end({**order, "clientOrderId": id_}, market)
        raise GoneError(f"{market}: the exchange has no open order {id_}")

    async def find(self, id_: str, market: str) -> Known | None:
        """Return what became of an order; nothing only if the exchange says there is none."""
        for way in self._ways(id_, market):
            order = await self._one({"clientOrderId": id_, **way}, market)
            if order is None:
                continue
            if way and (own := became(order)):
                return await self._triggered(id_, own, market)
            return self._names.known({**order, "clientOrderId": id_}, market)
        return None

    async def open_orders(self, market: str) -> list[Known]:
        """Return all orders of a market that are open."""
        symbol = self._symbol(market)
        found = []
        for way in (_PLAIN, self._dialect.stops) if self._apart(market) else (_PLAIN,):
            orders = await self.asks.query(
                partial(self.client.fetch_open_orders, symbol, None, None, way)
            )
            told = [self._names.known(order, market) for order in orders]
            if way:
                self._stops.update(order.id for order in told)
            found += told
        return found

    async def deals(self, market: str, since: Time) -> list[Deal]:
        """Return the account's fills in a market from a time on, each once."""
        symbol, found = self._symbol(market), dict[str, Deal]()
        start, now = since // _MILLISECOND, time.time_ns() // _MILLISECOND
        # Of more than a day at once some tell nothing. The last piece is open: clocks differ.
        cuts = [*range(start, max(now - _DAY, start) + 1, _DAY)]
        pieces = [(first, first + _DAY - 1) for first in cuts[:-1]] + [(cuts[-1], None)]
        while pieces:
            first, last = pieces.pop()
            until = {} if last is None else {"until": last}
            page = await self.asks.query(
                partial(self.client.fetch_my_trades, symbol, first, _PAGE, until)
            )
            found.update((told.trade_id, told) for told in self._names.deals(page, market))
            end = now if last is None else last
            if len(page) >= _PAGE and first < end:  # some tell the first of them, some the last
                middle = (first + end) // 2
                pieces += [(first, middle), (middle + 1, last)]
        return sorted(found.values(), key=_age)

    async def deals_of(self, market: str, id_: str, exchange_id: str) -> list[Deal]:
        """Return the fills of one order."""
        symbol = self._symbol(market)
        if not exchange_id:
            order = await self.find(id_, market)
            exchange_id = order.exchange_id if order else ""
        if not exchange_id:
            return []
        of_it = {self._dialect.order_id: exchange_id}
        page = await self.asks.order(
            partial(self.client.fetch_my_trades, symbol, None, None, of_it)
        )
        found = [d._replace(id=id_) for d in self._names.deals(page, market)]
        return [d for d in found if d.exchange_id == exchange_id]

    async def held(self, market: str) -> Decimal:
        """Return the position in a contract, in the units of its orders; else the base balance."""
        symbol, told = self._symbol(market), self._market(market)
        if told.get("contract"):
            positions = await self.asks.query(partial(self.client.fetch_positions, [symbol]))
            return position_of(positions, symbol)
        balance = await self.asks.query(self.client.fetch_balance)
        return balance_of(balance, str(told["base"]))

    async def balances(self) -> dict[str, Decimal]:
        """Return what there is of each currency; contracts may have a purse of their own."""
        return balances_of(await self.asks.query(self.client.fetch_balance))

    def pushed_order(self, order: Json, market: str) -> Known:
        """Return what the private stream says of an order."""
        return self._names.known(order | {"id": became(order) or order.get("id")}, market)

    def pushed_deal(self, trade: Json, market: str) -> Deal:
        """Return what the private stream says of a fill."""
        return self._names.deals([self._dialect.pushed(trade)], market)[0]

    def _end(self, order: Json, market: str) -> Known | None:
        """Return what an answer to a cancel says, if it is more than that it was taken."""
        if order.get("status") in (None, "open") or order.get("filled") is None:
            return None
        return self._names.known(order, market)

    async def _triggered(self, id_: str, own: str, market: str) -> Known | None:
        """Return what became of a stop that has become another order."""
        self._names.note(market, own, id_)
        symbol = self._symbol(market)
        order = await self.asks.order(partial(self.client.fetch_order, own, symbol))
        return self._names.known({**order, "id": own}, market)

    async def _one(self, params: Json, market: str) -> Json | None:
        ask = partial(self.client.fetch_order, None, self._symbol(market), params)
        try:
            return await self.asks.order(ask, may_miss=True)
        except MissingError:
            return None

    def _ways(self, id_: str, market: str) -> Iterator[Json]:
        """Yield where an order may be found, the likely place first."""
        if not self._apart(market):
            yield _PLAIN
            return
        first, then = (_STOP, _PLAIN) if id_ in self._stops else (_PLAIN, _STOP)
        yield first
        yield then

    def _apart(self, market: str) -> bool:
        return self._dialect.are_apart(self.contract(market))

    def _fits(self, place: Place) -> None:
        """See to it that nothing is rounded on the way."""
        rules = self.instrument(place.market, 0)
        steps = [("amount", place.amount, rules.lot)]
        for name, price in (("price", place.price), ("stop", place.stop_price)):
            if price is not None and rules.tick is not None:
                steps.append((name, price, rules.tick))
        for name, value, step in steps:
            if stepped(value, step) != value:
                raise RefusedError(f"{place.market}: {name} {value} is not in steps of {step}")

    def _market(self, market: str) -> Json:
        exchange, symbol = split(market)
        if exchange != self.exchange:
            raise VenueError(f"{market} is not at {self.exchange}, where the account is")
        markets = self.client.markets or {}
        if symbol not in markets:
            raise VenueError(f"{market}: {self.exchange} has no such market")
        return markets[symbol]

    def _symbol(self, market: str) -> str:
        try:
            return str(self._market(market)["symbol"])
        except VenueError as error:
            raise RefusedError(str(error)) from None


def _age(told: Deal) -> tuple[Time, int, str]:
    """Sort fills of the same time by their numbers."""
    return told.ts, len(told.trade_id), told.trade_id
