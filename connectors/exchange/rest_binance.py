"""Binance's trades one by one, as its stream tells them: ccxt gives aggregates by default."""

from __future__ import annotations

from typing import Protocol, cast
from urllib.parse import urlencode

from connectors.venue.venue import Json, Venue


class _Binance(Venue, Protocol):
    apiKey: str | None  # noqa: N815 - ccxt's name
    urls: Json

    async def publicGetAggTrades(self, params: Json) -> list[Json]: ...  # noqa: N802
    async def throttle(self, cost: float) -> None: ...
    async def fetch(self, url: str) -> list[Json]: ...
    def parse_trades(self, trades: list[Json], market: Json) -> list[Json]: ...


class BinanceSpot:
    """Binance's spot trades by id: all there ever were."""

    numbered = True
    sums = False
    limit = 1000
    cost = 5.0
    """Of one look-up, in ccxt's unit of 5 of the exchange's."""

    def __init__(self, venue: Venue, symbol: str) -> None:
        self.venue, self.market = cast("_Binance", venue), venue.market(symbol)

    async def behind(self, last: str, ms: int) -> list[Json]:  # noqa: D102 - see Pages
        query = {"symbol": self.market["id"], "fromId": last, "limit": self.limit}
        await self.venue.throttle(self.cost)
        address = f"{self.venue.urls['api']['public']}/historicalTrades?{urlencode(query)}"
        return self.venue.parse_trades(await self.venue.fetch(address), self.market)

    async def first(self, ms: int) -> tuple[list[Json], bool]:  # noqa: D102 - see Pages
        query = {"symbol": self.market["id"], "startTime": ms, "limit": 1}
        sums = await self.venue.publicGetAggTrades(query)
        return (await self.behind(str(sums[0]["f"]), ms) if sums else []), True


class BinanceContracts:
    """Binance's newest trades of contracts; with an API key, those in front of them too."""

    numbered = True
    sums = False
    newest, older = 1000, 500

    def __init__(self, venue: Venue, symbol: str) -> None:
        self.venue, self.symbol = cast("_Binance", venue), symbol
        market = venue.market(symbol)
        kinds = {"option": "eapi", "linear": "fapi", "inverse": "dapi"}
        self.api = next(kinds[kind] for kind in kinds if market.get(kind)) + "Public"
        self.id, self.keyed = market["id"], bool(self.venue.apiKey)

    async def behind(self, last: str, ms: int) -> list[Json]:  # noqa: D102 - see Pages
        page = await self._told("GetTrades", self.newest)
        if not self.keyed or any(trade["id"] == last for trade in page):
            return page
        return await self._told("GetHistoricalTrades", self.older, fromId=last)

    async def first(self, ms: int) -> tuple[list[Json], bool]:  # noqa: D102 - see Pages
        if not self.keyed:
            return await self._told("GetTrades", self.newest), False
        ask = getattr(self.venue, f"{self.api}GetAggTrades")
        sums = await ask({"symbol": self.id, "startTime": ms, "limit": 1})
        return (await self.behind(str(sums[0]["f"]), ms) if sums else []), True

    async def _told(self, path: str, limit: int, **params: str) -> list[Json]:
        method = {"fetchTradesMethod": self.api + path, **params}
        return await self.venue.fetch_trades(self.symbol, None, limit, method)
