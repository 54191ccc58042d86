"""OKX's REST: instruments, trades and books that agree with what was played."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from tests.standin.capture import Json, RawTrade
from tests.standin.market import Market
from tests.standin.trouble import Handler, Trouble

_BASE = "/www.okx.com/api/v5"
_NO_INSTRUMENT = "51001"
DEEP = 400
"""Levels of a side that OKX tells of."""


class OkxRest:
    """What REST answers; lists of trades begin with the newest.

    Parameters
    ----------
    markets
        All there are.
    trouble
        Knows which trades REST does not know yet.
    now
        The exchange's time, ms.
    time
        What is told who asks for the time, ms.

    """

    def __init__(
        self,
        markets: Sequence[Market],
        trouble: Trouble,
        now: Callable[[], int],
        time: Callable[[], int],
    ) -> None:
        self._markets = {instrument_id(market): market for market in markets}
        self._trouble, self._now, self._told_time = trouble, now, time

    def routes(self) -> list[web.RouteDef]:
        """Return all paths."""
        return [
            web.get(f"{_BASE}/public/time", _served(self._time)),
            web.get(f"{_BASE}/public/instruments", _served(self._instruments)),
            web.get(f"{_BASE}/market/trades", _served(self._trades)),
            web.get(f"{_BASE}/market/history-trades", _served(self._older)),
            web.get(f"{_BASE}/market/books", _served(self._book)),
        ]

    def _time(self, _query: Mapping[str, str]) -> list[Json]:
        return [{"ts": str(self._told_time())}]

    def _instruments(self, query: Mapping[str, str]) -> list[Json]:
        if query.get("instType") != "SPOT":
            return []
        return [_instrument(market) for market in self._markets.values()]

    def _trades(self, query: Mapping[str, str]) -> list[Json]:
        market = self._markets[query["instId"]]
        limit = min(int(query.get("limit", 100)), 500)
        recent = market.recent(limit, self._trouble.hidden)
        return [told_trade(market, trade) for trade in reversed(recent)]

    def _older(self, query: Mapping[str, str]) -> list[Json]:
        market = self._markets[query["instId"]]
        limit = min(int(query.get("limit", 100)), 100)
        known = market.trades[: len(market.trades) - self._trouble.hidden]
        by_time = query.get("type") == "2"
        after, before = int(query.get("after", 1 << 62)), int(query.get("before", -1))
        found = [t for t in reversed(known) if before < (t.time if by_time else t.id) < after]
        return [told_trade(market, trade) for trade in found[:limit]]

    def _book(self, query: Mapping[str, str]) -> list[Json]:
        market = self._markets[query["instId"]]
        deep = min(int(query.get("sz", 1)), DEEP)
        sides = {"asks": market.asks.best(deep), "bids": market.bids.best(deep)}
        return [told_book(sides) | {"ts": str(self._now()), "seqId": market.update}]


def instrument_id(market: Market) -> str:
    """Return OKX's name of a market, such as `BTC-USDT`."""
    return f"{market.capture.base}-{market.capture.quote}"


def told_trade(market: Market, trade: RawTrade) -> Json:
    """Write a trade as stream and REST do."""
    side = "sell" if trade.maker else "buy"
    told: Json = {"instId": instrument_id(market), "tradeId": str(trade.id), "px": trade.price}
    return told | {"sz": trade.size, "side": side, "ts": str(trade.time)}


def told_book(sides: Mapping[str, Sequence[Sequence[str]]]) -> Json:
    """Write levels as OKX does: price, size, a dead field, and a number of orders."""
    return {name: [[*level, "0", "1"] for level in side] for name, side in sides.items()}


def _served(answer: Callable[[Mapping[str, str]], list[Json]]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        try:
            told: Json = {"code": "0", "msg": "", "data": answer(request.query)}
        except KeyError:
            told = {"code": _NO_INSTRUMENT, "msg": "Instrument ID does not exist", "data": []}
        return web.json_response(told)

    return handle


def _instrument(market: Market) -> Json:
    capture = market.capture
    lot = f"{capture.lot:f}"
    return {
        "instType": "SPOT",
        "instId": instrument_id(market),
        "baseCcy": capture.base,
        "quoteCcy": capture.quote,
        "tickSz": f"{capture.tick:f}",
        "lotSz": lot,
        "minSz": lot,
        "maxLmtSz": "9000",
        "maxMktSz": "1000000",
        "state": "live",
        "listTime": "1548133413000",
    }
