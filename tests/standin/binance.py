"""Binance, spot and USD-M futures, as ccxt's client meets it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import orjson
from aiohttp import web

from tests.standin.account import Account
from tests.standin.binance_account import BinanceAccount
from tests.standin.binance_orders import BinanceOrders
from tests.standin.binance_paths import SOCKETS
from tests.standin.binance_rest import BinanceRest
from tests.standin.binance_signed import Signed
from tests.standin.binance_stream import BinanceStream, topic
from tests.standin.capture import Capture, Json
from tests.standin.connection import Connection
from tests.standin.exchange import StandIn
from tests.standin.market import Market
from tests.standin.orders import Deal, Happened, Order

_SEQUENCE = re.compile(rb'"(U|u|pu)":(\d+)')
_BIDS = b'"b":['
_ELSEWHERE = 1_000_000
"""How far off a wrong sequence is."""


class BinanceStandIn(StandIn):
    """Binance on loopback: below the path `/{host}`, where `connect(..., url)` looks for it.

    Parameters
    ----------
    captures, speed, port
        As of any stand-in.
    keyed
        Kinds of markets whose `historicalTrades` wants an API key, as the futures' does.
    limited
        Whether to answer 429 to who asks for more than the weight allowed in a minute.
    accounts
        As of any stand-in.

    """

    def __init__(
        self,
        captures: Sequence[Capture],
        speed: float | None = None,
        port: int = 0,
        keyed: Sequence[str] = ("usdm",),
        limited: bool = False,
        accounts: Sequence[Account] = (),
    ) -> None:
        super().__init__(captures, speed, port, accounts)
        self.rest = BinanceRest(
            self.markets, self.trouble, self.now, keyed, limited, self.clock.tell
        )
        signed = Signed(self.trading, self.clock)
        self._orders = BinanceOrders(self.trading, signed, self.order_trouble)
        self._account = BinanceAccount(self.trading, signed, self._orders, self.clock.now)
        self._private = BinanceStream(self.trading, signed, self.clock)
        self._crossed: dict[str, bytes] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            *(web.get(f"/{host}/{{tail:.*}}", self.socket) for host in SOCKETS),
            *self.rest.routes(),
            *self._orders.routes(),
            *self._account.routes(),
        ]

    def failure(self, status: int) -> Json:
        code = -1000 if status >= web.HTTPInternalServerError.status_code else -1003
        return {"code": code, "msg": "told to fail"}

    def opened(self, connection: Connection) -> None:
        tail = connection.path.rpartition("/")[2]
        asked = connection.query.get("streams", tail if "@" in tail else "")
        self._subscribe(connection, [name for name in asked.split("/") if name])
        self._private.opened(connection)

    def heard(self, connection: Connection, text: str) -> None:
        told = orjson.loads(text)
        names = told.get("params", [])
        answer: dict[str, object] = {"result": None}
        match told.get("method"):
            case "SUBSCRIBE":
                self._subscribe(connection, names)
            case "UNSUBSCRIBE":
                kept = {t: name for t, name in connection.topics.items() if name not in names}
                connection.topics = kept
            case "userDataStream.subscribe.signature":
                connection.put(orjson.dumps(self._private.subscribed(connection, told)))
                return
            case "LIST_SUBSCRIPTIONS":
                answer = {"result": [*connection.topics.values()]}
            case method:
                answer = {"error": {"code": 2, "msg": f"Invalid request: unknown method {method}"}}
        connection.put(orjson.dumps(answer | {"id": told.get("id")}))

    def _subscribe(self, connection: Connection, names: Sequence[str]) -> None:
        kind = SOCKETS[connection.path.split("/")[1]]
        for name in names:
            symbol, stream = name.split("@")[:2]
            topic = f"{kind}:{symbol.upper()}@{stream}"
            connection.topics[topic] = name
            connection.silent.discard(topic)

    def reports(
        self, account: Account, order: Order, what: Happened, deal: Deal | None
    ) -> tuple[str, Iterator[bytes]]:
        kind = order.wanted.market.partition(":")[0]
        return topic(account, kind), self._private.reports(order, what, deal)

    def wrapped(self, connection: Connection, topic: str, message: bytes) -> bytes:
        if "stream" not in connection.path.split("/"):
            return message
        return b'{"stream":"%s","data":%s}' % (connection.topics[topic].encode(), message)

    def messages(self, market: Market, stream: str, raw: bytes) -> Iterator[bytes]:
        if stream == "depth":
            raw = self._crossing(market, raw)
            if self.trouble.due("wrong sequence"):
                raw = _SEQUENCE.sub(lambda m: b'"%s":%d' % (m[1], int(m[2]) + _ELSEWHERE), raw)
        yield raw

    def _crossing(self, market: Market, raw: bytes) -> bytes:
        """Return a change of the book with a bid that is too high, and later without it."""
        if self.trouble.due("crossed"):
            size = b"1"
            self._crossed.setdefault(market.name, b"%d" % (2 * float(market.asks.best(1)[0][0])))
            price = self._crossed[market.name]
        elif market.name in self._crossed:
            size, price = b"0", self._crossed.pop(market.name)
        else:
            return raw
        head, _, bids = raw.partition(_BIDS)
        comma = b"" if bids.startswith(b"]") else b","
        return b'%s%s["%s","%s"]%s%s' % (head, _BIDS, price, size, comma, bids)
