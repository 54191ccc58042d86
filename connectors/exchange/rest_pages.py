"""How each exchange is asked for pages of trades that have the ids of its stream.

What was read in ccxt 4.5.90 (`parse_trade`, `parse_ws_trade`, `fetch_trades`) and in the
exchanges' own words:

- Binance: `watch_trades` streams single trades (`t`); `fetch_trades` gives aggregates (`a`), which
  have ids of their own. `trades` and `historicalTrades` give the stream's. On spot any id can be
  looked up without a key (ccxt asks for one, so the address is asked directly). On futures the
  look-up needs a key, is dear, and goes back about a month; without one only the newest 1,000 are
  to be had.
- OKX: the stream's `trades` sums what one taker did at one price; its id is the last one's, and
  `count` says how many. REST gives the single trades: same ids, so what fills a hole is not summed.
  `trades-all` would not sum, but ccxt wants keys for it.
- Kraken: `trade_id` on the stream and in the seventh column of REST; pages by time. ccxt cuts
  REST's times to milliseconds from a float, so that they may be one below those of the stream.
- Coinbase, Gate, Bitget, HTX, Bitfinex, Deribit, Crypto.com, Bybit: the same ids; the newest only.
- Binance US (not looked into), KuCoin (spot REST has no trade ids), MEXC (ccxt makes some up),
  Hyperliquid (REST has only a user's own): nothing can be filled.
- Others: the newest that `fetch_trades` gives, if the last one seen is among them.
"""

from __future__ import annotations

import time
from typing import Protocol

from connectors.exchange.rest_binance import BinanceContracts, BinanceSpot
from connectors.venue.venue import Json, Venue

MINUTE = 60_000


class Pages(Protocol):
    """How to ask for trades; times are milliseconds."""

    numbered: bool
    """Whether ids are whole numbers in the order of the trades, even against their times."""

    sums: bool
    """Whether the stream tells as one what these tell apart."""

    async def behind(self, last: str, ms: int) -> list[Json] | None:
        """Return a page in which the trade `last`, of time `ms`, is followed by the next ones.

        None if it is not kept any more.
        """
        ...

    async def first(self, ms: int) -> tuple[list[Json], bool]:
        """Return a page that begins at or in front of a time, if there are trades so old.

        And whether there are none between the time and the page: else they are not kept.
        """
        ...


class Newest:
    """The newest trades only."""

    numbered = sums = False

    def __init__(self, venue: Venue, symbol: str, limit: int | None, **params: object) -> None:
        self.venue, self.symbol, self.limit, self.params = venue, symbol, limit, params

    async def behind(self, last: str, ms: int) -> list[Json]:  # noqa: D102 - see Pages
        return await self.venue.fetch_trades(self.symbol, None, self.limit, self.params)

    async def first(self, ms: int) -> tuple[list[Json], bool]:  # noqa: D102 - see Pages
        return await self.behind("", ms), False


class Timed:
    """Pages by time, as far back as the exchange has them."""

    numbered = True
    sums = False

    def __init__(self, venue: Venue, symbol: str, limit: int) -> None:
        self.venue, self.symbol, self.limit = venue, symbol, limit

    async def behind(self, last: str, ms: int) -> list[Json]:  # noqa: D102 - see Pages
        # One less, since nobody says whether the very time counts, and for the cut times.
        return await self.venue.fetch_trades(self.symbol, ms - 1, self.limit)

    async def first(self, ms: int) -> tuple[list[Json], bool]:  # noqa: D102 - see Pages
        return await self.behind("", ms), True


class Okx:
    """OKX's trades by id, for three months."""

    numbered = sums = True
    limit = 100

    def __init__(self, venue: Venue, symbol: str) -> None:
        self.venue, self.symbol = venue, symbol

    async def behind(self, last: str, ms: int) -> list[Json] | None:  # noqa: D102 - see Pages
        return await self._in_front(1, int(last) + self.limit) or None

    async def first(self, ms: int) -> tuple[list[Json], bool]:  # noqa: D102 - see Pages
        if page := await self._in_front(2, ms):
            return await self.behind(str(_ids(page)[-1]), ms) or [], True
        low, high = ms, int(time.time() * 1000)
        while high - low > MINUTE:
            middle = (low + high) // 2
            low, high = (low, middle) if await self._in_front(2, middle) else (middle, high)
        older = await self._in_front(2, high)
        while older:
            page, older = older, await self._in_front(1, _ids(older)[0])
        return page, False

    async def _in_front(self, kind: int, bound: int) -> list[Json]:
        """Return the last page in front of an id (kind 1) or a time (kind 2)."""
        params = {"method": "publicGetMarketHistoryTrades", "type": str(kind), "after": str(bound)}
        return await self.venue.fetch_trades(self.symbol, None, self.limit, params)


def _ids(page: list[Json]) -> list[int]:
    return sorted(int(trade["id"]) for trade in page)


_FILLS_NOT = {"binanceus", "kucoin", "mexc", "hyperliquid"}
_NEWEST = {
    "bitfinex": 10_000,
    "bitget": 500,
    "bybit": 1000,
    "coinbase": 1000,
    "cryptocom": 150,
    "deribit": 1000,
    "gate": 1000,
    "htx": 2000,
}


def pages(venue: Venue, symbol: str) -> Pages | None:
    """Return how to ask for a market's trades; None if they would not have the stream's ids."""
    if venue.id in _FILLS_NOT or not venue.has.get("fetchTrades"):
        return None
    if venue.id.startswith("binance"):
        contract = venue.market(symbol).get("contract")
        return (BinanceContracts if contract else BinanceSpot)(venue, symbol)
    if venue.id == "okx":
        return Okx(venue, symbol)
    if venue.id == "kraken":
        return Timed(venue, symbol, 1000)
    spot_of_bybit = venue.id == "bybit" and venue.market(symbol).get("spot")
    return Newest(venue, symbol, 60 if spot_of_bybit else _NEWEST.get(venue.id))
