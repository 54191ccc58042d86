"""OKX, spot: another family of protocols, so that nothing is Binance-shaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TypeAlias
from weakref import WeakKeyDictionary

import orjson
from aiohttp import web

from tests.standin.account import Account
from tests.standin.capture import Capture, Json, RawTrade, raw_trade
from tests.standin.connection import Connection
from tests.standin.exchange import StandIn
from tests.standin.market import Market
from tests.standin.okx_orders import OkxOrders
from tests.standin.okx_rest import DEEP, OkxRest, instrument_id, told_book, told_trade
from tests.standin.okx_signed import DeniedError, OkxSigned
from tests.standin.okx_words import report
from tests.standin.orders import Deal, Happened, Order
from tests.standin.report_trouble import PRIVATE

_SOCKETS = [
    f"/{host}/ws/v5/{access}"
    for host in ("ws.okx.com", "wspap.okx.com")
    for access in ("public", "private", "business")
]
_STREAMS = {"trades": "trade", "books": "depth"}
_SEQUENCE_OFF = 1_000_000


_Levels: TypeAlias = dict[str, dict[str, str]]
"""Sizes by price, of `asks` and `bids`."""


class OkxStandIn(StandIn):
    """OKX on loopback, playing spot captures; a client asks for life by the text `ping`.

    A book begins with a snapshot on the stream itself, and each change names the one in front of
    it; a level that comes up from below the 400th is told as a change.

    Parameters
    ----------
    captures, speed, port, accounts
        As of any stand-in.
    aggregated
        Whether the stream tells the trades of one order at one price as one, under the id of the
        last, as OKX says that it does; REST always tells each.

    """

    def __init__(
        self,
        captures: Sequence[Capture],
        speed: float | None = None,
        port: int = 0,
        aggregated: bool = True,
        accounts: Sequence[Account] = (),
    ) -> None:
        super().__init__(captures, speed, port, accounts)
        self.rest = OkxRest([*self.markets.values()], self.trouble, self.now, self.clock.tell)
        self._signed = OkxSigned(self.trading, self.clock)
        self._orders = OkxOrders(self.trading, self.markets, self._signed, self.order_trouble)
        for engine in self.trading.engines.values():
            engine.refuses_makers = False
        self._aggregated = aggregated
        self._told: dict[str, _Told] = {}
        self._logins: WeakKeyDictionary[Connection, Account] = WeakKeyDictionary()
        self._named = {instrument_id(market): market for market in self.markets.values()}
        self._first = {
            name: {aggregate.last: aggregate.first for aggregate in market.aggregates}
            for name, market in self.markets.items()
        }

    def routes(self) -> list[web.RouteDef]:
        sockets = (web.get(path, self.socket) for path in _SOCKETS)
        return [*sockets, *self.rest.routes(), *self._orders.routes()]

    def failure(self, status: int) -> Json:
        return {
            "code": "50011" if status < web.HTTPInternalServerError.status_code else "50001",
            "msg": "told to fail",
            "data": [],
        }

    def opened(self, connection: Connection) -> None:
        """Say nothing: a client speaks first."""

    def heard(self, connection: Connection, text: str) -> None:
        if text == "ping":
            connection.put(b"pong")
            return
        told = orjson.loads(text)
        if told.get("op") == "login":
            self._login(connection, told["args"][0])
            return
        for argument in told.get("args", []):
            self._asked(connection, told["op"], argument)

    def _login(self, connection: Connection, told: Json) -> None:
        try:
            account = self._signed.login(told)
        except DeniedError as denied:
            said = {"event": "error", "code": "60009", "msg": f"Login failed. {denied.message}"}
        else:
            self._logins[connection] = account
            said = {"event": "login", "code": "0", "msg": ""}
        connection.put(orjson.dumps({**said, "connId": "a4d3ae55"}))

    def _listen_to_orders(self, connection: Connection, order: str, argument: Json) -> None:
        account = self._logins.get(connection)
        if account is None:
            error = {"event": "error", "code": "60011", "msg": "Please log in"}
            connection.put(orjson.dumps({**error, "connId": "a4d3ae55"}))
            return
        connection.topics[f"{PRIVATE}{account.name}"] = argument["channel"]
        connection.put(orjson.dumps({"event": order, "arg": argument, "connId": "a4d3ae55"}))

    def _asked(self, connection: Connection, order: str, argument: Json) -> None:
        if argument["channel"] == "orders":
            self._listen_to_orders(connection, order, argument)
            return
        channel, market = argument["channel"], self._named.get(argument.get("instId", ""))
        if order not in {"subscribe", "unsubscribe"} or market is None or channel not in _STREAMS:
            message = f"channel:{channel},instId:{argument.get('instId')} doesn't exist"
            connection.put(orjson.dumps({"event": "error", "code": "60018", "msg": message}))
            return
        topic = f"{market.name}@{_STREAMS[channel]}"
        connection.put(orjson.dumps({"event": order, "arg": argument, "connId": "a4d3ae55"}))
        if order == "unsubscribe":
            connection.topics.pop(topic, None)
            return
        connection.topics[topic] = channel
        connection.silent.discard(topic)
        if channel == "books":
            self._told[market.name] = _Told(market)
            connection.put(self._book(market, "snapshot", self._told[market.name].sides, -1))

    def reports(
        self, account: Account, order: Order, what: Happened, deal: Deal | None
    ) -> tuple[str, Iterator[bytes]]:
        return f"{PRIVATE}{account.name}", self._reports(order, what, deal)

    def _reports(self, order: Order, what: Happened, deal: Deal | None) -> Iterator[bytes]:
        if not (order.waits or (order.wanted.kind == "stop" and not order.triggered)):
            told = report(order, deal, self._orders.ids[order.wanted.market])
            arg = {"channel": "orders", "instType": "SPOT", "uid": "1"}
            yield orjson.dumps({"arg": arg, "data": [told]})

    def messages(self, market: Market, stream: str, raw: bytes) -> Iterator[bytes]:
        if stream == "trade":
            yield from self._trades(market, raw_trade(raw))
        elif stream == "depth":
            before, now = self._told[market.name], _Told(market)
            self._told[market.name] = now
            follows = before.update + _SEQUENCE_OFF * self.trouble.due("wrong sequence")
            if now.update != before.update:
                yield self._book(market, "update", now.since(before), follows)

    def _trades(self, market: Market, trade: RawTrade) -> Iterator[bytes]:
        count = 1
        if self._aggregated:
            last = len(market.trades) - 1
            first = self._first[market.name].get(last)
            if first is None:
                return
            sizes = (Decimal(part.size) for part in market.trades[first : last + 1])
            trade, count = trade._replace(size=f"{sum(sizes):f}"), last - first + 1
        arg = {"channel": "trades", "instId": instrument_id(market)}
        told = told_trade(market, trade) | {"count": str(count)}
        yield orjson.dumps({"arg": arg, "data": [told]})

    def _book(self, market: Market, action: str, sides: _Levels, before: int) -> bytes:
        arg = {"channel": "books", "instId": instrument_id(market)}
        told = told_book({name: [*side.items()] for name, side in sides.items()})
        told |= {"ts": str(self.now()), "prevSeqId": before, "seqId": market.update}
        return orjson.dumps({"arg": arg, "action": action, "data": [told]})


class _Told:
    """What clients have been told of a book."""

    def __init__(self, market: Market) -> None:
        best = {"asks": market.asks.best(DEEP), "bids": market.bids.best(DEEP)}
        self.update = market.update
        self.sides = {name: dict(levels) for name, levels in best.items()}

    def since(self, before: _Told) -> _Levels:
        """Return the levels that changed."""
        return {name: _changed(before.sides[name], side) for name, side in self.sides.items()}


def _changed(before: dict[str, str], side: dict[str, str]) -> dict[str, str]:
    gone = dict.fromkeys(before.keys() - side.keys(), "0")
    return gone | {price: size for price, size in side.items() if before.get(price) != size}
