"""OKX's signed REST: orders, fills and money of a spot account."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeAlias

import orjson
from aiohttp import web

from tests.standin import okx_words as words
from tests.standin.account import Account
from tests.standin.capture import Json
from tests.standin.market import Market
from tests.standin.okx_rest import instrument_id
from tests.standin.okx_signed import DeniedError, OkxSigned
from tests.standin.order_trouble import Asked, LostError, OrderTrouble, StatusError
from tests.standin.orders import Kind, Order, RefusedError, Wanted
from tests.standin.trading import Trading
from tests.standin.trouble import Handler

Told: TypeAlias = Mapping[str, str]
Answer: TypeAlias = Callable[[Account, Told], list[Json]]
_BASE = "/www.okx.com/api/v5"
_KINDS: dict[str, Kind] = {
    "market": "market",
    "limit": "limit",
    "post_only": "limit",
    "ioc": "limit",
    "conditional": "stop",
}
_FEWEST, _MOST = "50011", "50001"


class OkxOrders:
    """What signed requests are answered.

    Parameters
    ----------
    trading
        Where orders go.
    markets
        All there are.
    signed
        Tells whose request it is.
    trouble
        How it goes wrong.

    """

    def __init__(
        self,
        trading: Trading,
        markets: Mapping[str, Market],
        signed: OkxSigned,
        trouble: OrderTrouble,
    ) -> None:
        self._trading, self._signed, self._trouble = trading, signed, trouble
        self._names = {instrument_id(market): name for name, market in markets.items()}
        self.ids = {name: id_ for id_, name in self._names.items()}
        """OKX's names of the markets."""

    def routes(self) -> list[web.RouteDef]:
        """Return all paths."""
        served = self._served
        read: dict[str, Answer] = {
            "trade/orders-pending": self._pending,
            "trade/orders-algo-pending": self._algos_pending,
            "trade/fills": self._fills,
            "trade/fills-history": self._fills,
            "account/balance": self._money,
            "account/config": self._config,
            "account/positions": _nothing,
            "asset/currencies": _nothing,
        }
        return [
            *(web.get(f"{_BASE}/{path}", served("read", a)) for path, a in read.items()),
            web.get(f"{_BASE}/trade/order", served("look up", self._find)),
            web.get(f"{_BASE}/trade/order-algo", served("look up", self._find_algo)),
            web.post(f"{_BASE}/trade/order", served("place", self._place)),
            web.post(f"{_BASE}/trade/batch-orders", served("place", self._place)),
            web.post(f"{_BASE}/trade/order-algo", served("place", self._place)),
            web.post(f"{_BASE}/trade/cancel-order", served("cancel", self._cancel)),
            web.post(f"{_BASE}/trade/cancel-batch-orders", served("cancel", self._cancel)),
            web.post(f"{_BASE}/trade/cancel-algos", served("cancel", self._cancel_algo)),
        ]

    def _served(self, asked: Asked, answer: Answer) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                account, body = await self._signed.request(request)
                told = _only(orjson.loads(body)) if body else request.query
                data = await self._trouble.around(asked, lambda: answer(account, told))
            except DeniedError as denied:
                return _said(denied.code, denied.message, status=401)
            except KeyError as missing:
                return _said("51000", f"Parameter {missing.args[0]} error")
            except RefusedError as refused:
                return _refused(asked, *words.refusal(refused.why, asked == "cancel"))
            except StatusError as error:
                few = error.status < web.HTTPInternalServerError.status_code
                return _said(_FEWEST if few else _MOST, "told to fail", status=error.status)
            except LostError:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            return web.json_response({"code": "0", "msg": "", "data": data})

        return handle

    def _place(self, account: Account, told: Told) -> list[Json]:
        if told["tdMode"] != "cash":
            raise RefusedError("mode")
        order = self._trading.place(account, self._wanted(told))
        return [_taken(order)]

    def _cancel(self, account: Account, told: Told) -> list[Json]:
        order = self._order(account, told)
        self._trading.cancel(order)
        return [_taken(order)]

    def _cancel_algo(self, account: Account, told: Told) -> list[Json]:
        order = self._algo(account, told)
        if not order.waits:
            raise RefusedError("unknown")
        self._trading.cancel(order)
        return [_taken(order)]

    def _find(self, account: Account, told: Told) -> list[Json]:
        order = self._order(account, told)
        return [words.order_told(order, self.ids[order.wanted.market])]

    def _find_algo(self, account: Account, told: Told) -> list[Json]:
        order = self._algo(account, told)
        return [words.algo_told(order, self.ids[order.wanted.market])]

    def _pending(self, account: Account, told: Told) -> list[Json]:
        orders = (order for order in self._open(account, told) if not order.waits)
        return [words.order_told(order, self.ids[order.wanted.market]) for order in orders]

    def _algos_pending(self, account: Account, told: Told) -> list[Json]:
        if "conditional" not in told["ordType"].split(","):
            return []
        orders = (order for order in self._open(account, told) if order.waits)
        return [words.algo_told(order, self.ids[order.wanted.market]) for order in orders]

    def _fills(self, account: Account, told: Told) -> list[Json]:
        start, end = int(told.get("begin", 0)), int(told.get("end", 1 << 62))
        found = [
            words.fill(order, deal, self.ids[order.wanted.market])
            for order, deal in sorted(account.fills, key=lambda fill: -fill[1].id)
            if told.get("instId", self.ids[order.wanted.market]) == self.ids[order.wanted.market]
            and start <= deal.time <= end
            and told.get("ordId", str(order.id)) == str(order.id)
        ]
        return found[: min(int(told.get("limit", 100)), 100)]

    def _money(self, account: Account, _told: Told) -> list[Json]:
        purse = account.spot
        details = [
            {
                "ccy": name,
                "eq": words.text(total),
                "cashBal": words.text(total),
                "availBal": words.text(purse.free(name)),
                "availEq": words.text(purse.free(name)),
                "frozenBal": words.text(purse.held(name)),
            }
            for name, total in sorted(purse.totals.items())
        ]
        return [{"uTime": "0", "totalEq": "", "details": details}]

    def _config(self, account: Account, _told: Told) -> list[Json]:
        rights = ["read_only", "trade"] if account.trades else ["read_only"]
        rights += ["withdraw"] if account.withdraws else []
        mode = "long_short_mode" if account.hedged else "net_mode"
        return [{"acctLv": "1", "posMode": mode, "perm": ",".join(rights), "uid": "1"}]

    def _open(self, account: Account, told: Told) -> list[Order]:
        return account.open_orders(self._names[told["instId"]] if "instId" in told else None)

    def _order(self, account: Account, told: Told) -> Order:
        market, id_, name = self._names[told["instId"]], told.get("ordId"), told.get("clOrdId")

        def fits(order: Order) -> bool:
            stopped = order.wanted.kind == "stop"
            named = str(order.id) == id_ or (order.wanted.client_id == name and not stopped)
            return order.wanted.market == market and named and not (stopped and not order.triggered)

        return self._trading.find(account, fits)

    def _algo(self, account: Account, told: Told) -> Order:
        id_, name = told.get("algoId"), told.get("algoClOrdId")

        def fits(order: Order) -> bool:
            named = str(order.trigger_id) == id_ or order.wanted.client_id == name
            return order.wanted.kind == "stop" and named

        return self._trading.find(account, fits)

    def _wanted(self, told: Told) -> Wanted:
        type_ = told["ordType"]
        if type_ not in _KINDS:
            raise KeyError("ordType")
        stops = _KINDS[type_] == "stop"
        return Wanted(
            self._names[told["instId"]],
            1 if told["side"] == "buy" else -1,
            _KINDS[type_],
            Decimal(told["sz"]),
            told.get("algoClOrdId" if stops else "clOrdId", ""),
            Decimal(told["px"]) if _KINDS[type_] == "limit" else None,
            Decimal(told["slTriggerPx"]) if stops else None,
            rests=type_ != "ioc",
            post_only=type_ == "post_only",
        )


def _nothing(_account: Account, _told: Told) -> list[Json]:
    return []


def _only(told: object) -> Mapping[str, str]:
    """Return the one thing that a list asks for, or that is asked for without a list."""
    if isinstance(told, list):
        (told,) = told
    if not isinstance(told, dict):
        raise KeyError("body")
    return told


def _taken(order: Order) -> Json:
    stopped = order.wanted.kind == "stop"
    name = order.wanted.client_id
    ids = {"algoId": str(order.trigger_id), "algoClOrdId": name}
    ids = ids if stopped else {"ordId": str(order.id), "clOrdId": name}
    return ids | {"sCode": "0", "sMsg": "", "tag": ""}


def _refused(asked: Asked, code: str, message: str) -> web.Response:
    if asked in {"look up", "read"}:
        return _said(code, message)
    refusal = {"sCode": code, "sMsg": message, "ordId": "", "clOrdId": "", "tag": ""}
    return web.json_response({"code": "1", "msg": "All operations failed", "data": [refusal]})


def _said(code: str, message: str, status: int = 200) -> web.Response:
    return web.json_response({"code": code, "msg": message, "data": []}, status=status)
