"""How exchanges are asked for trades, seen by a server that answers ccxt's real client."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl, urlsplit

import orjson
import pytest

from connectors.rest_pages import Pages, pages
from connectors.rest_trades import First, HoleError, RestTrades, Traded
from connectors.venue import Venue, connect

Answer = Callable[[str, dict[str, str]], object]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Serve what `answer` says to a path and its query."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            where = urlsplit(self.path)
            body = orjson.dumps(answer(where.path, dict(parse_qsl(where.query))))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}"
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def _market(symbol: str, id: str, kind: str) -> dict[str, object]:  # noqa: A002
    base, quote = symbol.partition(":")[0].split("/")
    return {
        "id": id,
        "symbol": symbol,
        "base": base,
        "quote": quote,
        "settle": None if kind == "spot" else quote,
        "baseId": base,
        "quoteId": quote,
        "type": kind,
        "spot": kind == "spot",
        "swap": kind == "swap",
        "future": False,
        "option": False,
        "margin": False,
        "contract": kind == "swap",
        "linear": kind == "swap" or None,
        "inverse": None,
        "active": True,
        "precision": {"amount": 0.001, "price": 0.01},
        "limits": {},
        "contractSize": 1 if kind == "swap" else None,
        "info": {},
    }


async def _on(exchange: str, url: str, *markets: dict[str, object]) -> Venue:
    venue = connect(exchange, url)
    venue.enableRateLimit = False  # type: ignore[attr-defined]
    venue.set_markets([*markets], {})  # type: ignore[attr-defined]
    return venue


class Binance:
    """Trades 100 to 1599, two each millisecond from 50_000 on; the newest 1,000 on futures."""

    ids = range(100, 1600)

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __call__(self, path: str, query: Mapping[str, str]) -> object:
        self.asked.append((path, dict(query)))
        limit = int(query.get("limit", 500))
        if path.endswith("/historicalTrades"):
            begin = int(query["fromId"])
            return [self.trade(i) for i in self.ids if i >= begin][:limit]
        if path.endswith("/trades"):
            return [self.trade(i) for i in self.ids[-limit:]]
        assert path.endswith("/aggTrades"), path
        since = int(query["startTime"])
        sums = (
            {"a": i // 2, "f": i, "l": i, "T": self.ms(i), "p": "1", "q": "1", "m": True}
            for i in self.ids
        )
        return [one for one in sums if int(str(one["T"])) >= since][:limit]

    def ms(self, number: int) -> int:
        return 50_000 + (number - 100) // 2

    def trade(self, number: int) -> object:
        return {"id": number, "price": "60123.45000000", "qty": "0.00210000"} | {
            "time": self.ms(number),
            "isBuyerMaker": number % 2 == 0,
            "quoteQty": "126.2",
        }


class Okx:
    """Trades 1000 to 1999, one each 100 ms from 1,000,000 on; those below 1200 are forgotten."""

    ids = range(1200, 2000)

    def __call__(self, path: str, query: Mapping[str, str]) -> object:
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


SPOT, SWAP = _market("BTC/USDT", "BTCUSDT", "spot"), _market("BTC/USDT:USDT", "BTCUSDT", "swap")


def _run(
    exchange: str, answer: Answer, market: dict[str, object], last: int, ms: int, until: int | None
) -> list[int]:
    async def run(url: str) -> list[int]:
        venue = await _on(exchange, url, market)
        rest = RestTrades(venue, str(market["symbol"]))
        bounds = [Traded(str(i), ms * 1_000_000, 1.0, 1.0, 1) for i in (last, until)]
        try:
            pages = rest.behind(bounds[0], None if until is None else bounds[1])
            return [int(trade.id) async for page in pages for trade in page]
        finally:
            await venue.close()

    with server(answer) as url:
        return asyncio.run(run(url))


def _first(exchange: str, answer: Answer, market: dict[str, object], ms: int) -> First:
    async def run(url: str) -> First:
        venue = await _on(exchange, url, market)
        try:
            return await RestTrades(venue, str(market["symbol"])).first(ms * 1_000_000)
        finally:
            await venue.close()

    with server(answer) as url:
        return asyncio.run(run(url))


def test_binance_spot_is_asked_for_single_trades_by_id_without_a_key() -> None:
    binance = Binance()
    assert _run("binance", binance, SPOT, 120, 0, 1500) == [*range(121, 1500)]
    path, query = binance.asked[0]
    assert path == "/api.binance.com/api/v3/historicalTrades"
    assert query == {"symbol": "BTCUSDT", "fromId": "120", "limit": "1000"}


def test_binance_spot_finds_a_time_by_the_first_trade_of_an_aggregate() -> None:
    first = _first("binance", Binance(), SPOT, 50_010)
    assert first == First(Traded("120", 50_010_000_000, 60123.45, 0.0021, -1), whole=True)
    assert _first("binance", Binance(), SPOT, 99_000) == First(None, whole=True)


def test_binance_futures_have_the_newest_thousand() -> None:
    binance = Binance()
    assert _run("binance", binance, SWAP, 600, 0, 700) == [*range(601, 700)]
    assert binance.asked[0][0] == "/fapi.binance.com/fapi/v1/trades"
    with pytest.raises(HoleError, match="REST reaches back to trade 600"):
        _run("binance", binance, SWAP, 120, 0, 700)
    first = _first("binance", Binance(), SWAP, 50_010)
    assert (first.trade and first.trade.id, first.whole) == ("600", False)


def test_okx_is_asked_for_what_stands_behind_an_id() -> None:
    market = {**SPOT, "id": "BTC-USDT"}
    assert _run("okx", Okx(), market, 1250, 0, None) == [*range(1251, 2000)]
    with pytest.raises(HoleError, match="REST does not keep trade 1050 any more"):
        _run("okx", Okx(), market, 1050, 0, 1300)


def test_okx_finds_a_time_or_where_what_it_keeps_begins() -> None:
    market = {**SPOT, "id": "BTC-USDT"}
    first = _first("okx", Okx(), market, 1_030_050)
    assert first == First(Traded("1301", 1_030_100_000_000, 60000.1, 0.5, -1), whole=True)
    forgotten = _first("okx", Okx(), market, 1_000_000)
    assert (forgotten.trade and forgotten.trade.id, forgotten.whole) == ("1200", False)


def test_kraken_is_paged_by_time() -> None:
    market = {**SPOT, "id": "XXBTZUSD", "altname": "XBTUSD"}
    begin = 1_700_000_000_000
    assert _run("kraken", Kraken(), market, 25, begin + 250, 2500) == [*range(26, 2500)]
    first = _first("kraken", Kraken(), market, begin + 20_000)
    assert (first.trade and first.trade.id, first.whole) == ("2000", True)


@pytest.mark.parametrize(
    ("exchange", "kind", "asks"),
    [
        ("binance", "spot", "BinanceSpot"),
        ("binance", "swap", "Newest"),
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
        venue = await _on(exchange, "http://127.0.0.1:9", SPOT if kind == "spot" else SWAP)
        try:
            return pages(venue, "BTC/USDT" if kind == "spot" else "BTC/USDT:USDT")
        finally:
            await venue.close()

    assert type(asyncio.run(ask())).__name__ == asks
