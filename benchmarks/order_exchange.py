"""An exchange that notes when each request for an order arrives, to measure what sends them.

It is the tests' stand-in, with perpetuals of its own: `python -m benchmarks.order_exchange MARKETS`
prints its URL; each line on standard input has it print what has arrived, and the end ends it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

from tests.standin.account import Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made

SYMBOLS = "M{:03}"
_SPEED = 0.2
"""So slow that its own markets take little of the machine, and fast enough to fill orders."""
_LINES = 2_000
_IDS = ("newClientOrderId", "clientAlgoId")

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class NotingExchange(BinanceStandIn):
    """Some perpetuals, and when each order was asked for.

    Parameters
    ----------
    markets
        How many.

    """

    def __init__(self, markets: int) -> None:
        symbols = (f"{SYMBOLS.format(number)}USDT" for number in range(markets))
        captures = [made(_LINES, "usdm", symbol) for symbol in symbols]
        super().__init__(captures, speed=_SPEED, accounts=[Account()])
        self.arrived: dict[str, int] = {}
        """When the first request of each client order id came, in ns; nothing was done yet."""

    def routes(self) -> list[web.RouteDef]:
        """Return all paths."""
        return [
            web.post(route.path, self._noting(route.handler)) if route.method == "POST" else route
            for route in super().routes()
        ]

    def _noting(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            now = time.time_ns()
            told = {**request.query, **await request.post()}
            for name in _IDS:
                if name in told:
                    self.arrived.setdefault(str(told[name]), now)
            return await handler(request)

        return handle


def main(markets: int) -> None:
    """Serve until standard input ends."""
    with NotingExchange(markets) as exchange:
        exchange.play_until(line=100 * markets)
        exchange.play()
        print(exchange.url, flush=True)
        for _ in sys.stdin:
            print(json.dumps({**exchange.arrived}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
