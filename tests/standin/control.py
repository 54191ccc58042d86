"""Orders to misbehave, and a look at the accounts, over HTTP: for who runs a stand-in by itself.

`curl -d '{"asked": "place", "after": false}' URL/stand-in/order/lose` loses the next answer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

import orjson
from aiohttp import web

from tests.standin.account import Account
from tests.standin.capture import Json
from tests.standin.order_trouble import OrderTrouble
from tests.standin.report_trouble import ReportTrouble
from tests.standin.trading import Trading
from tests.standin.trouble import CONTROL, Trouble

_BASE = CONTROL.rstrip("/")


class Exchange(Protocol):
    """What of a stand-in is controlled."""

    trouble: Trouble
    order_trouble: OrderTrouble
    report_trouble: ReportTrouble
    trading: Trading


class Control:
    """Serves `POST /stand-in/{stream|order|report}/{what}` and `GET /stand-in/accounts/{name}`.

    Parameters
    ----------
    exchange
        What is controlled.

    """

    def __init__(self, exchange: Exchange) -> None:
        self._trading = exchange.trading
        self._troubles = {
            "stream": exchange.trouble,
            "order": exchange.order_trouble,
            "report": exchange.report_trouble,
        }

    def routes(self) -> list[web.RouteDef]:
        """Return all paths."""
        return [
            web.post(f"{_BASE}/fund", self._fund),
            web.post(f"{_BASE}/{{of}}/{{what}}", self._order),
            web.get(f"{_BASE}/accounts/{{name}}", self._look),
        ]

    async def _order(self, request: web.Request) -> web.Response:
        trouble = self._troubles.get(request.match_info["of"])
        what = request.match_info["what"]
        order = None if what.startswith("_") else getattr(trouble, what, None)
        if not callable(order):
            return web.json_response({"error": f"there is no trouble {what!r}"}, status=404)
        try:
            order(**orjson.loads(await request.read() or b"{}"))
        except TypeError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"ordered": what})

    async def _fund(self, request: web.Request) -> web.Response:
        told = orjson.loads(await request.read())
        self._trading.fund(told["market"], Decimal(told["rate"]))
        return web.json_response({"ordered": "fund"})

    async def _look(self, request: web.Request) -> web.Response:
        account = self._trading.accounts.get(request.match_info["name"])
        if account is None:
            return web.json_response({"error": "there is no such account"}, status=404)
        return web.json_response(summary(account))


def summary(account: Account) -> Json:
    """Return all that an account has and did, as texts."""
    positions = account.futures.positions.items()
    return {
        "spot": {name: f"{total:f}" for name, total in account.spot.totals.items()},
        "futures": {name: f"{total:f}" for name, total in account.futures.totals.items()},
        "positions": {name: f"{position.amount:f}" for name, position in positions},
        "orders": [
            {
                "id": order.wanted.client_id,
                "market": order.wanted.market,
                "side": "buy" if order.wanted.sign > 0 else "sell",
                "kind": order.wanted.kind,
                "amount": f"{order.wanted.amount:f}",
                "filled": f"{order.filled:f}",
                "status": order.status,
                "fills": [[str(d.id), f"{d.price:f}", f"{d.amount:f}"] for d in order.deals],
            }
            for order in account.orders
        ],
        "refused": [[wanted.client_id, why] for wanted, why in account.refused],
    }
