"""How exchanges are asked for trades, seen by a server that answers ccxt's real client."""

import asyncio
from collections.abc import Mapping

import pytest

from connectors.exchange.rest_pages import Pages, pages
from connectors.exchange.rest_trades import First, HoleError, Traded
from tests.connectors.rest_server import SPOT, SWAP, behind, first, on


class Okx:
    """Trades 1000 to 5999, one each 100 ms from 1,000,000 on; those below 1200 are forgotten."""

    ids = range(1200, 6000)
    asked = 0

    def __call__(self, path: str, query: Mapping[str, str]) -> object:
        self.asked += 1
        assert path.endswith("/market/history-trades"), path
        of = int if query["type"] == "1" else self.ms
        found = [i for i in self.ids if of(i) < int(query["after"])][-int(query["limit"]) :]
        return {"code": "0", "msg": "", "data": [self.trade(i) for i in reversed(found)]}

    def ms(self, number: int) -> int:
        return 1_000_000 + (number - 1000) * 100

    def trade(self, number: int) -> object:
        return {"instId": "BTC-USDT", "side": "sell", "sz": "0.5", "px": "60000.1"} | {
            "tradeId": str(number),
            "ts": str(self.ms(number)),
        }


class Kraken:
    """Trades 1 to 2999, one each 10 ms."""

    ids = range(1, 3000)

    def __call__(self, path: str, query: Mapping[str, str]) -> object:
        assert path.endswith("/public/Trades"), path
        since = int(query["since"])
        found = [i for i in self.ids if self.seconds(i) > since][: int(query["count"])]
        rows = [["60000.1", "0.5", self.seconds(i), "b", "m", "", i] for i in found]
        return {"error": [], "result": {"XXBTZUSD": rows, "last": "1"}}

    def seconds(self, number: int) -> float:
        return 1_700_000_000 + number / 100


def test_okx_is_asked_for_what_stands_behind_an_id() -> None:
    market = {**SPOT, "id": "BTC-USDT"}
    assert behind("okx", Okx(), market, 1250, 0, None) == [*range(1251, 6000)]
    with pytest.raises(HoleError, match="REST does not keep trade 1050 any more"):
        behind("okx", Okx(), market, 1050, 0, 1300)


def test_okx_finds_a_time_or_where_what_it_keeps_begins() -> None:
    market = {**SPOT, "id": "BTC-USDT"}
    found = first("okx", Okx(), market, 1_030_050)
    assert found == First(Traded("1301", 1_030_100_000_000, 60000.1, 0.5, -1), whole=True)
    okx = Okx()
    forgotten = first("okx", okx, market, 1_000_000)
    assert okx.asked < 45
    assert (forgotten.trade and forgotten.trade.id, forgotten.whole) == ("1200", False)


def test_kraken_is_paged_by_time() -> None:
    market = {**SPOT, "id": "XXBTZUSD", "altname": "XBTUSD"}
    begin = 1_700_000_000_000
    assert behind("kraken", Kraken(), market, 25, begin + 250, 2500) == [*range(26, 2500)]
    found = first("kraken", Kraken(), market, begin + 20_000)
    assert (found.trade and found.trade.id, found.whole) == ("2000", True)


@pytest.mark.parametrize(
    ("exchange", "kind", "asks"),
    [
        ("binance", "spot", "BinanceSpot"),
        ("binance", "swap", "BinanceContracts"),
        ("okx", "spot", "Okx"),
        ("kraken", "spot", "Timed"),
        ("bybit", "spot", "Newest"),
        ("coinbase", "spot", "Newest"),
        ("kucoin", "spot", "NoneType"),
        ("hyperliquid", "swap", "NoneType"),
        ("mexc", "spot", "NoneType"),
        ("poloniex", "spot", "Newest"),
    ],
)
def test_each_exchange_is_asked_in_its_own_way(exchange: str, kind: str, asks: str) -> None:
    async def ask() -> Pages | None:
        venue = await on(exchange, "http://127.0.0.1:9", SPOT if kind == "spot" else SWAP)
        try:
            return pages(venue, "BTC/USDT" if kind == "spot" else "BTC/USDT:USDT")
        finally:
            await venue.close()

    assert type(asyncio.run(ask())).__name__ == asks
