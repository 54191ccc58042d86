"""Binance's signed REST: orders, fills and money, spot and USD-M futures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from tests.standin import binance_words as words
from tests.standin.account import Account
from tests.standin.binance_asks import Told, market_of, wanted
from tests.standin.binance_paths import rest
from tests.standin.binance_rest import Refusal
from tests.standin.binance_signed import Signed
from tests.standin.capture import Json
from tests.standin.order_trouble import Asked, LostError, OrderTrouble, StatusError
from tests.standin.orders import Order, RefusedError, Why
from tests.standin.trading import Trading
from tests.standin.trouble import Handler

Answer: TypeAlias = Callable[[str, Account, Told], object]
"""Gives what is told of a kind of market to an account that asks so."""
_BASES = {"spot": "/api/v3", "usdm": "/fapi/v1"}
_NO_SUCH = -2013, "Order does not exist."
_NO_CANCEL = -2011, "Unknown order sent."


class BinanceOrders:
    """What signed requests about orders are answered.

    Parameters
    ----------
    trading
        Where orders go.
    signed
        Tells whose request it is.
    trouble
        How it goes wrong.

    """

    def __init__(self, trading: Trading, signed: Signed, trouble: OrderTrouble) -> None:
        self._trading, self._signed, self._trouble = trading, signed, trouble

    def routes(self) -> list[web.RouteDef]:
        """Return all paths."""
        found = []
        for kind, base in _BASES.items():
            trades = "myTrades" if kind == "spot" else "userTrades"
            found += [
                web.post(rest(kind, f"{base}/order"), self.served(kind, "place", self._place)),
                web.get(rest(kind, f"{base}/order"), self.served(kind, "look up", self._find)),
                web.delete(rest(kind, f"{base}/order"), self.served(kind, "cancel", self._cancel)),
                web.get(rest(kind, f"{base}/openOrders"), self.served(kind, "read", self._open)),
                web.get(rest(kind, f"{base}/{trades}"), self.served(kind, "read", self._trades)),
            ]
        algo, algos = rest("usdm", "/fapi/v1/algoOrder"), rest("usdm", "/fapi/v1/openAlgoOrders")
        return [
            *found,
            web.post(algo, self.served("usdm", "place", self._place)),
            web.get(algo, self.served("usdm", "look up", self._find_algo)),
            web.delete(algo, self.served("usdm", "cancel", self._cancel_algo)),
            web.get(algos, self.served("usdm", "read", self._open_algos)),
        ]

    def served(self, kind: str, asked: Asked, answer: Answer) -> Handler:
        """Return what serves a signed request."""

        async def handle(request: web.Request) -> web.StreamResponse:
            async def work() -> object:
                account, told = await self._signed.request(request)
                if "symbol" in told and market_of(kind, told) not in self._trading.engines:
                    raise Refusal(400, -1121, "Invalid symbol.")
                return await self._trouble.around(asked, lambda: answer(kind, account, told))

            return await respond(request, kind, asked, work())

        return handle

    def _place(self, kind: str, account: Account, told: Told) -> Json:
        order = self._trading.place(account, wanted(kind, told))
        if order.wanted.kind == "stop" and kind == "usdm":
            return words.algo_order(order)
        return _told(kind, order) | ({"fills": words.spot_fills(order)} if kind == "spot" else {})

    def _find(self, kind: str, account: Account, told: Told) -> Json:
        return _told(kind, self._order(kind, account, told))

    def _cancel(self, kind: str, account: Account, told: Told) -> Json:
        order = self._order(kind, account, told)
        self._trading.cancel(order)
        if kind == "usdm":
            return _told(kind, order)
        renamed = {"clientOrderId": f"cancel{order.id}"}
        return _told(kind, order) | {"origClientOrderId": order.wanted.client_id} | renamed

    def _open(self, kind: str, account: Account, told: Told) -> list[Json]:
        orders = account.open_orders(market_of(kind, told) if "symbol" in told else None)
        return [
            _told(kind, order)
            for order in orders
            if order.wanted.market.startswith(kind) and not (kind == "usdm" and order.waits)
        ]

    def _trades(self, kind: str, account: Account, told: Told) -> list[Json]:
        limit = min(int(told.get("limit", 500)), 1000)
        start, end = int(told.get("startTime", 0)), int(told.get("endTime", 1 << 62))
        found = [
            words.trade(order, deal)
            for order, deal in sorted(account.fills, key=lambda fill: fill[1].id)
            if order.wanted.market == market_of(kind, told)
            and start <= deal.time <= end
            and told.get("orderId", str(order.id)) == str(order.id)
            and deal.id >= int(told.get("fromId", 0))
        ]
        return found[:limit] if {"startTime", "fromId"} & told.keys() else found[-limit:]

    def _find_algo(self, kind: str, account: Account, told: Told) -> Json:
        return words.algo_order(self._algo(kind, account, told))

    def _cancel_algo(self, kind: str, account: Account, told: Told) -> Json:
        order = self._algo(kind, account, told)
        if not order.waits:
            raise RefusedError("unknown")
        self._trading.cancel(order)
        ids = {"algoId": order.trigger_id, "clientAlgoId": order.wanted.client_id}
        return ids | {"code": "200", "msg": "success"}

    def _open_algos(self, kind: str, account: Account, told: Told) -> list[Json]:
        orders = account.open_orders(market_of(kind, told) if "symbol" in told else None)
        waiting = (o for o in orders if (o.waits or o.stuck) and o.wanted.market.startswith(kind))
        return [words.algo_order(order) for order in waiting]

    def _order(self, kind: str, account: Account, told: Told) -> Order:
        """Return an order that is in the book or was: no conditional one that has not triggered."""
        market, id_, name = (
            market_of(kind, told),
            told.get("orderId"),
            told.get("origClientOrderId"),
        )

        def fits(order: Order) -> bool:
            sleeps = order.stuck or not order.triggered
            hidden = kind == "usdm" and order.wanted.kind == "stop" and sleeps
            named = str(order.id) == id_ or order.wanted.client_id == name
            return order.wanted.market == market and named and not hidden

        return self._trading.find(account, fits)

    def _algo(self, kind: str, account: Account, told: Told) -> Order:
        id_, name = told.get("algoId"), told.get("clientAlgoId")

        def fits(order: Order) -> bool:
            conditional = order.wanted.kind == "stop" and order.wanted.market.startswith(kind)
            return conditional and (str(order.trigger_id) == id_ or order.wanted.client_id == name)

        return self._trading.find(account, fits)


async def respond(
    request: web.Request, kind: str, asked: Asked, work: Awaitable[object]
) -> web.StreamResponse:
    """Answer a request by what was worked out, or as it went wrong."""
    try:
        told, status = await work, 200
    except Refusal as refusal:
        told, status = refusal.told, refusal.status
    except RefusedError as refused:
        told, status = _refused(kind, asked, refused.why), 400
    except StatusError as error:
        return _failed(error)
    except LostError:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
    return web.json_response(told, status=status)


def _refused(kind: str, asked: Asked, why: Why) -> Json:
    if why == "unknown":
        code, message = _NO_CANCEL if asked == "cancel" else _NO_SUCH
    else:
        code, message = words.refusal(kind, why)
    return {"code": code, "msg": message}


def _failed(error: StatusError) -> web.Response:
    after = {} if error.retry_after is None else {"Retry-After": f"{error.retry_after:g}"}
    if error.status < web.HTTPInternalServerError.status_code:
        told = {"code": -1003, "msg": "Too many requests; current limit is told to be reached."}
        return web.json_response(told, status=error.status, headers=after)
    told = {"code": -1000, "msg": "Unknown error, please check your request or try again later."}
    return web.json_response(told, status=error.status, headers=after)


def _told(kind: str, order: Order) -> Json:
    return words.spot_order(order) if kind == "spot" else words.usdm_order(order)
