"""Binance's REST, spot and USD-M futures: what agrees with the streams that were played."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from time import monotonic

from aiohttp import web

from tests.standin.binance_paths import rest
from tests.standin.capture import Json, RawTrade
from tests.standin.market import Aggregate, Market
from tests.standin.trouble import Handler, Trouble

_BASES = {"spot": "/api/v3", "usdm": "/fapi/v1"}
_EMPTY: dict[str, Json] = {
    rest("coinm", "/dapi/v1/exchangeInfo"): {"symbols": []},
    "/eapi.binance.com/eapi/v1/exchangeInfo": {"optionSymbols": []},
}
_WEIGHTS = {
    "spot": {"exchangeInfo": 20, "trades": 25, "historicalTrades": 25, "aggTrades": 4},
    "usdm": {"trades": 5, "historicalTrades": 200, "aggTrades": 20, "premiumIndex": 10},
}
"""Others weigh 1, and a depth as much as it is deep."""
_DEPTHS = {
    "spot": ((100, 5), (500, 25), (1000, 50), (5000, 250)),
    "usdm": ((50, 2), (100, 5), (500, 10), (1000, 20)),
}
ALLOWED = {"spot": 6000, "usdm": 2400}
"""Weight a minute."""
_OLDER = {"spot": (500, 1000), "usdm": (100, 500)}
"""Rows of `historicalTrades`: usually, and at most."""
_TYPES = {
    "spot": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS"],
    "usdm": ["LIMIT", "MARKET", "STOP_MARKET"],
}
_HOUR = 3_600_000
_FUNDING = 8 * _HOUR


class Refusal(Exception):
    """A request that Binance does not answer."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.told = status, {"code": code, "msg": message}


class BinanceRest:
    """What REST answers.

    Parameters
    ----------
    markets
        By name, such as `usdm:BTCUSDT`.
    trouble
        Knows which trades REST does not know yet.
    now
        The exchange's time, ms.
    keyed
        Kinds of markets whose `historicalTrades` wants a key.
    limited
        Whether more weight than allowed is answered by 429.
    time
        What is told who asks for the time, ms.

    """

    def __init__(
        self,
        markets: Mapping[str, Market],
        trouble: Trouble,
        now: Callable[[], int],
        keyed: Sequence[str],
        limited: bool,
        time: Callable[[], int],
    ) -> None:
        self.weights: Counter[str] = Counter()
        """Used since the start, by kind of market."""
        self._minutes: Counter[tuple[str, int]] = Counter()
        self._markets, self._trouble, self._now = markets, trouble, now
        self._keyed, self._limited, self._told_time = keyed, limited, time

    def routes(self) -> list[web.RouteDef]:
        """Return all paths."""
        answers: dict[str, Callable[[Market, Mapping[str, str]], object]] = {
            "depth": self._depth,
            "trades": self._trades,
            "historicalTrades": self._older,
            "aggTrades": self._aggregates,
        }
        futures = {
            "premiumIndex": self._premium,
            "fundingRate": self._funding,
            "openInterest": self._interest,
        }
        found = [web.get(path, _always(told)) for path, told in _EMPTY.items()]
        for kind, base in _BASES.items():
            found += [
                web.get(rest(kind, f"{base}/time"), self._served(kind, "time", self._time)),
                web.get(
                    rest(kind, f"{base}/exchangeInfo"),
                    self._served(kind, "exchangeInfo", self._info),
                ),
            ]
            for path, answer in (answers | (futures if kind == "usdm" else {})).items():
                served = self._served(kind, path, self._of(answer))
                found.append(web.get(rest(kind, f"{base}/{path}"), served))
        return found

    def _served(
        self, kind: str, path: str, answer: Callable[[str, web.Request], object]
    ) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                used = self._weigh(kind, path, _number(request.query, "limit", 100))
                if path == "historicalTrades" and kind in self._keyed:
                    _demand_key(request)
                told = answer(kind, request)
            except Refusal as refusal:
                headers = (
                    {"Retry-After": "30"}
                    if refusal.status == web.HTTPTooManyRequests.status_code
                    else {}
                )
                return web.json_response(refusal.told, status=refusal.status, headers=headers)
            return web.json_response(told, headers={"X-MBX-USED-WEIGHT-1M": str(used)})

        return handle

    def _weigh(self, kind: str, path: str, limit: int) -> int:
        weight = _WEIGHTS[kind].get(path, 1)
        if path == "depth":
            weight = next((w for deep, w in _DEPTHS[kind] if limit <= deep), _DEPTHS[kind][-1][1])
        minute = kind, int(monotonic() / 60)
        self.weights[kind] += weight
        self._minutes[minute] += weight
        if self._limited and self._minutes[minute] > ALLOWED[kind]:
            raise Refusal(429, -1003, f"Too many requests; the limit is {ALLOWED[kind]} a minute.")
        return self._minutes[minute]

    def _of(
        self, answer: Callable[[Market, Mapping[str, str]], object]
    ) -> Callable[[str, web.Request], object]:
        def find(kind: str, request: web.Request) -> object:
            market = self._markets.get(f"{kind}:{request.query.get('symbol', '')}")
            if market is None:
                raise Refusal(400, -1121, "Invalid symbol.")
            return answer(market, request.query)

        return find

    def _time(self, _kind: str, _request: web.Request) -> Json:
        return {"serverTime": self._told_time()}

    def _info(self, kind: str, _request: web.Request) -> Json:
        markets = [m for m in self._markets.values() if m.capture.kind == kind]
        weight = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1}
        return {
            "timezone": "UTC",
            "serverTime": self._now(),
            "rateLimits": [{**weight, "limit": ALLOWED[kind]}],
            "exchangeFilters": [],
            "symbols": [_symbol(market) for market in markets],
        }

    def _depth(self, market: Market, query: Mapping[str, str]) -> Json:
        limit = _number(query, "limit", 100)
        stamps = {"E": self._now(), "T": self._now()} if market.capture.kind == "usdm" else {}
        sides = {"bids": market.bids.best(limit), "asks": market.asks.best(limit)}
        return {"lastUpdateId": market.update, **stamps, **sides}

    def _trades(self, market: Market, query: Mapping[str, str]) -> list[Json]:
        limit = min(_number(query, "limit", 500), 1000)
        return [_told(market, trade) for trade in market.recent(limit, self._trouble.hidden)]

    def _older(self, market: Market, query: Mapping[str, str]) -> list[Json]:
        usual, most = _OLDER[market.capture.kind]
        limit, hidden = min(_number(query, "limit", usual), most), self._trouble.hidden
        if "fromId" in query:
            trades = market.behind(_number(query, "fromId", 0), limit, hidden)
        else:
            trades = market.recent(limit, hidden)
        return [_told(market, trade) for trade in trades]

    def _aggregates(self, market: Market, query: Mapping[str, str]) -> list[Json]:
        limit = min(_number(query, "limit", 500), 1000)
        found = market.played_aggregates(self._trouble.hidden)
        if "fromId" in query:
            first = _number(query, "fromId", 0)
            found = [aggregate for aggregate in found if aggregate.id >= first][:limit]
        elif "startTime" in query or "endTime" in query:
            start, end = _number(query, "startTime", 0), _number(query, "endTime", 1 << 62)
            times = {a.id: market.trades[a.first].time for a in found}
            found = [a for a in found if start <= times[a.id] <= end][:limit]
        else:
            found = found[-limit:]
        return [_aggregate(market, aggregate) for aggregate in found]

    def _premium(self, market: Market, _query: Mapping[str, str]) -> Json:
        price = market.trades[-1].price if market.trades else market.capture.trades[0].price
        now = self._now()
        return {
            "symbol": market.capture.symbol,
            "markPrice": price,
            "indexPrice": price,
            "estimatedSettlePrice": price,
            "lastFundingRate": _funding_rate(now // _FUNDING),
            "interestRate": "0.00010000",
            "nextFundingTime": (now // _FUNDING + 1) * _FUNDING,
            "time": now,
        }

    def _funding(self, market: Market, query: Mapping[str, str]) -> list[Json]:
        last = self._now() // _FUNDING
        return [
            {
                "symbol": market.capture.symbol,
                "fundingTime": period * _FUNDING,
                "fundingRate": _funding_rate(period),
                "markPrice": market.capture.trades[0].price,
            }
            for period in range(last + 1 - min(_number(query, "limit", 100), 1000), last + 1)
        ]

    def _interest(self, market: Market, _query: Mapping[str, str]) -> Json:
        amount = Decimal(80_000) + Decimal(len(market.trades)) / 1000
        return {
            "openInterest": f"{amount:.3f}",
            "symbol": market.capture.symbol,
            "time": self._now(),
        }


def _always(told: Json) -> Handler:
    async def handle(_request: web.Request) -> web.Response:
        return web.json_response(told)

    return handle


def _demand_key(request: web.Request) -> None:
    if not request.headers.get("X-MBX-APIKEY"):
        raise Refusal(401, -2014, "API-key format invalid.")


def _number(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, str(usual))
    if not text.isdigit():
        raise Refusal(400, -1100, f"Illegal characters found in parameter '{name}'.")
    return int(text)


def _funding_rate(period: int) -> str:
    return f"0.000{period % 7 + 1}0000"


def _told(market: Market, trade: RawTrade) -> Json:
    told: Json = {"id": trade.id, "price": trade.price, "qty": trade.size}
    told["quoteQty"] = f"{Decimal(trade.price) * Decimal(trade.size):f}"
    told |= {"time": trade.time, "isBuyerMaker": trade.maker}
    return told | ({"isBestMatch": True} if market.capture.kind == "spot" else {})


def _aggregate(market: Market, aggregate: Aggregate) -> Json:
    trades = market.trades[aggregate.first : aggregate.last + 1]
    told: Json = {"a": aggregate.id, "p": trades[0].price}
    told["q"] = f"{sum(Decimal(trade.size) for trade in trades):f}"
    told |= {"f": trades[0].id, "l": trades[-1].id, "T": trades[0].time, "m": trades[0].maker}
    return told | ({"M": True} if market.capture.kind == "spot" else {})


def _symbol(market: Market) -> Json:
    capture = market.capture
    tick, lot = f"{capture.tick:f}", f"{capture.lot:f}"
    price = {
        "filterType": "PRICE_FILTER",
        "minPrice": tick,
        "maxPrice": "10000000",
        "tickSize": tick,
    }
    size = {"minQty": lot, "maxQty": "9000", "stepSize": lot}
    told: Json = {
        "symbol": capture.symbol,
        "status": "TRADING",
        "baseAsset": capture.base,
        "quoteAsset": capture.quote,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "orderTypes": _TYPES[capture.kind],
        "filters": [price, {"filterType": "LOT_SIZE", **size}],
    }
    if capture.kind == "spot":
        told["filters"].append({"filterType": "NOTIONAL", "minNotional": "5.00000000"})
        return told | {"isSpotTradingAllowed": True, "permissions": ["SPOT"]}
    told["filters"].append({"filterType": "MIN_NOTIONAL", "notional": "100"})
    told |= {"pair": capture.symbol, "contractType": "PERPETUAL", "deliveryDate": 4133404800000}
    return told | {"marginAsset": capture.quote, "quantityPrecision": 3, "pricePrecision": 2}
