"""A server that answers ccxt's real client, and what is asked of it in tests."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

import orjson

from connectors.exchange.rest_trades import First, RestTrades, Traded
from connectors.venue.venue import Venue, connect

Market: TypeAlias = dict[str, object]
Answer: TypeAlias = Callable[[str, dict[str, str]], object]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """Serve what `answer` says to a path and its query; give the address."""

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


def market(symbol: str, id: str, kind: str) -> Market:  # noqa: A002
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


async def on(exchange: str, url: str, *markets: Market, key: str | None = None) -> Venue:
    venue = connect(exchange, url, key)
    venue.enableRateLimit = False  # type: ignore[attr-defined]
    venue.set_markets([*markets], {})  # type: ignore[attr-defined]
    return venue


SPOT, SWAP = market("BTC/USDT", "BTCUSDT", "spot"), market("BTC/USDT:USDT", "BTCUSDT", "swap")


def behind(
    exchange: str,
    answer: Answer,
    market: Market,
    last: int,
    ms: int,
    until: int | None,
    key: str | None = None,
) -> list[int]:
    async def run(url: str) -> list[int]:
        venue = await on(exchange, url, market, key=key)
        rest = RestTrades(venue, str(market["symbol"]))
        bounds = [Traded(str(i), ms * 1_000_000, 1.0, 1.0, 1) for i in (last, until)]
        try:
            pages = rest.behind(bounds[0], None if until is None else bounds[1])
            return [int(trade.id) async for page in pages for trade in page]
        finally:
            await venue.close()

    with server(answer) as url:
        return asyncio.run(run(url))


def first(exchange: str, answer: Answer, market: Market, ms: int, key: str | None = None) -> First:
    async def run(url: str) -> First:
        venue = await on(exchange, url, market, key=key)
        try:
            return await RestTrades(venue, str(market["symbol"])).first(ms * 1_000_000)
        finally:
            await venue.close()

    with server(answer) as url:
        return asyncio.run(run(url))
