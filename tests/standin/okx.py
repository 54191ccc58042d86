"""OKX, spot: another family of protocols, so that nothing is Binance-shaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TypeAlias

import orjson
from aiohttp import web

from tests.standin.account import Account
from tests.standin.capture import Capture, Json, RawTrade, raw_trade
from tests.standin.connection import Connection
from tests.standin.exchange import StandIn
from tests.standin.market import Market
from tests.standin.okx_rest import DEEP, OkxRest, instrument_id, told_book, told_trade
from tests.standin.orders import Deal, Happened, Order

_SOCKET = "/ws.okx.com/ws/v5/public"
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
    captures, speed, port
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
    ) -> None:
        super().__init__(captures, speed, port)
        self.rest = OkxRest([*self.markets.values()], self.trouble, self.now)
        self._aggregated = aggregated
        self._told: dict[str, _Told] = {}
        self._named = {instrument_id(market): market for market in self.markets.values()}
        self._first = {
            name: {aggregate.last: aggregate.first for aggregate in market.aggregates}
            for name, market in self.markets.items()
        }

    def routes(self) -> list[web.RouteDef]:
        return [web.get(_SOCKET, self.socket), *self.rest.routes()]

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
        for argument in told.get("args", []):
            self._asked(connection, told["op"], argument)

    def _asked(self, connection: Connection, order: str, argument: Json) -> None:
        channel, market = argument["channel"], self._named.get(argument["instId"])
        if order not in {"subscribe", "unsubscribe"} or market is None or channel not in _STREAMS:
            message = f"channel:{channel},instId:{argument['instId']} doesn't exist"
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
        return "", iter(())

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
