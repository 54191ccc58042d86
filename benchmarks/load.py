"""An exchange that sends trades at a steady rate, to measure what takes them in.

It speaks as Binance's spot does, as far as ccxt listens. A trade's size is the microsecond at which
it was sent, so that whoever sees the trade can tell how long it was on the way. What a client does
not take waits here, without end, as part of that time.

`python -m benchmarks.load MARKETS RATE BOOKS` prints its port; a line on standard input has it
print how far it is, the line `pause` stops the rate, and the end of the input ends it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from aiohttp import WSMsgType, web

CYCLE = 10**9
"""Microseconds until a size comes again."""
SYMBOLS = "M{:03}"
LEVELS = 10
"""Of a book, a side; each update changes all."""
_TICK_SECONDS = 0.000_5
_SHORT = 126
"""A frame of fewer bytes tells its length in one."""
_REST = "/api.binance.com/api/v3"
_NONE = {
    f"{_REST}/trades": [],
    f"{_REST}/historicalTrades": [],
    f"{_REST}/aggTrades": [],
    "/fapi.binance.com/fapi/v1/exchangeInfo": {"symbols": []},
    "/dapi.binance.com/dapi/v1/exchangeInfo": {"symbols": []},
    "/eapi.binance.com/eapi/v1/exchangeInfo": {"optionSymbols": []},
}
"""What is not there. A hole cannot be filled: each one shows as a gap."""


class LoadExchange:
    """Some markets, and who listens to them.

    Parameters
    ----------
    markets
        How many.
    rate, books
        Trades and updates of books a second, of all markets together.

    """

    def __init__(self, markets: int, rate: float, books: float) -> None:
        self.symbols = [f"{SYMBOLS.format(number)}USDT" for number in range(markets)]
        self.rate, self.books = rate, books
        self.trades = self.updates = 0
        """Sent so far."""
        self.snapshots: set[str] = set()
        """Markets whose book was asked for."""
        self.paused = False
        self._listeners: dict[str, asyncio.Transport] = {}

    @property
    def state(self) -> dict[str, object]:
        """How far it is; `ready`, when all that can be listened to is."""
        ready = self._heard("trade") and self._heard("depth@100ms")
        return {
            "ready": ready and len(self.snapshots) == len(self.symbols),
            "trades": self.trades,
            "time": time.monotonic(),
        }

    def routes(self) -> list[web.RouteDef]:
        """Return all paths."""
        told = {f"{_REST}/exchangeInfo": {"symbols": [_listed(name) for name in self.symbols]}}
        return [
            web.get("/stream.binance.com/ws/{tail:.*}", self._socket),
            web.get(f"{_REST}/depth", self._depth),
            web.get(f"{_REST}/time", _time),
            *(web.get(path, _always(answer)) for path, answer in (_NONE | told).items()),
        ]

    async def play(self) -> None:
        """Send, from when all markets are listened to until it is paused."""
        while not self._heard("trade"):
            await asyncio.sleep(_TICK_SECONDS)
        begun = time.monotonic()
        while not self.paused:
            seconds = time.monotonic() - begun
            for number in range(self.trades, int(seconds * self.rate)):
                self._trade(number)
            for number in range(self.updates, int(seconds * self.books)):
                self._update(number)
            await asyncio.sleep(_TICK_SECONDS)

    def _trade(self, number: int) -> None:
        now = time.time_ns() // 1_000
        turn, market = divmod(number, len(self.symbols))
        symbol, ms = self.symbols[market], now // 1_000
        self._send(
            f"{symbol.lower()}@trade",
            f'{{"e":"trade","E":{ms},"s":"{symbol}","t":{turn + 1},"p":"{100 + turn % 7 / 100:.2f}"'
            f',"q":"{now % CYCLE or CYCLE}","T":{ms},"m":{"true" if turn % 2 else "false"},'
            f'"M":true}}',
        )
        self.trades = number + 1

    def _update(self, number: int) -> None:
        turn, market = divmod(number, len(self.symbols))
        symbol, update = self.symbols[market], turn + 1
        told = {"e": "depthUpdate", "E": time.time_ns() // 10**6, "s": symbol}
        told |= {"U": update, "u": update, "b": _side(-1, update), "a": _side(1, update)}
        self._send(f"{symbol.lower()}@depth@100ms", json.dumps(told))
        self.updates = number + 1

    def _send(self, topic: str, text: str) -> None:
        transport = self._listeners.get(topic)
        if transport is not None and not transport.is_closing():
            transport.write(_frame(text.encode()))

    def _heard(self, stream: str) -> bool:
        return all(f"{name.lower()}@{stream}" in self._listeners for name in self.symbols)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                told = json.loads(message.data)
                await socket.send_json({"result": None, "id": told["id"]})
                if told["method"] == "SUBSCRIBE" and request.transport is not None:
                    self._listeners |= dict.fromkeys(told["params"], request.transport)
        return socket

    async def _depth(self, request: web.Request) -> web.Response:
        symbol = request.query["symbol"]
        self.snapshots.add(symbol)
        update = (self.updates - self.symbols.index(symbol) - 1) // len(self.symbols) + 1
        sides = {"bids": _side(-1, update), "asks": _side(1, update)}
        return web.json_response({"lastUpdateId": update, **sides})


def _side(sign: int, update: int) -> list[tuple[str, str]]:
    """Return one side of a book as it is behind an update."""
    return [(f"{100 + sign * level:.2f}", str(1 + update % 97)) for level in range(1, LEVELS + 1)]


def _frame(message: bytes) -> bytes:
    """Return a message as a WebSocket frame of a server."""
    size = len(message)
    head = bytes((0x81, size)) if size < _SHORT else b"\x81\x7e" + size.to_bytes(2, "big")
    return head + message


def _listed(symbol: str) -> dict[str, object]:
    price = {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000"}
    lot = {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "9000", "stepSize": "0.001"}
    return {
        "symbol": symbol, "status": "TRADING", "quoteAsset": "USDT",
        "baseAsset": symbol.removesuffix("USDT"), "isSpotTradingAllowed": True,
        "permissions": ["SPOT"], "filters": [{**price, "tickSize": "0.01"}, lot],
    }  # fmt: skip


def _always(answer: object) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(_request: web.Request) -> web.Response:
        return web.json_response(answer)

    return handle


async def _time(_request: web.Request) -> web.Response:
    return web.json_response({"serverTime": time.time_ns() // 10**6})


@asynccontextmanager
async def _served(exchange: LoadExchange) -> AsyncIterator[int]:
    app = web.Application()
    app.add_routes(exchange.routes())
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _obey(exchange: LoadExchange) -> None:
    """Answer each line of standard input, up to its end."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        exchange.paused = exchange.paused or line == b"pause\n"
        print(json.dumps(exchange.state), flush=True)


async def main(markets: int, rate: float, books: float) -> None:
    """Serve until standard input ends."""
    exchange = LoadExchange(markets, rate, books)
    async with _served(exchange) as port:
        print(port, flush=True)
        player = asyncio.create_task(exchange.play())
        await _obey(exchange)
        player.cancel()
        with suppress(asyncio.CancelledError):
            await player


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
