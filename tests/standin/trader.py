"""ccxt's real client with keys at a stand-in exchange: it trades, and collects what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import ccxt

from connectors.account.client import TradingClient, trading_client
from connectors.account.keys import AccountKeys
from connectors.venue.venue import Json
from tests.standin.account import KEY, PASSWORD, SECRET
from tests.standin.client import until
from tests.standin.exchange import StandIn
from tests.standin.report_trouble import PRIVATE


class Trader:
    """Places orders in one market, and hears of them.

    Parameters
    ----------
    client
        ccxt's.
    symbol
        As ccxt writes it.

    """

    def __init__(self, client: TradingClient, symbol: str) -> None:
        self.client, self.symbol = client, symbol
        self.told: list[tuple[str, str, Decimal]] = []
        """Client id, status and filled amount of each report."""
        self.fills: list[Json] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def order(
        self,
        name: str,
        side: str,
        amount: str,
        price: str | None = None,
        **params: object,
    ) -> Json:
        kind = "market" if price is None else "limit"
        params = {"clientOrderId": name, **params}
        return await self.client.create_order(self.symbol, kind, side, amount, price, params)

    async def find(self, name: str, **params: object) -> Json:
        return await self.client.fetch_order(None, self.symbol, {"clientOrderId": name, **params})

    async def cancel(self, name: str, **params: object) -> Json:
        return await self.client.cancel_order(None, self.symbol, {"clientOrderId": name, **params})

    async def open(self, **params: object) -> list[Json]:
        return await self.client.fetch_open_orders(self.symbol, None, None, params)

    async def trades(self) -> list[Json]:
        return await self.client.fetch_my_trades(self.symbol)

    async def listen(self, exchange: StandIn, account: str = "main") -> None:
        """Hear of orders and fills; return when the exchange knows that."""
        self._tasks = [
            asyncio.create_task(self._repeat(self._hear_orders)),
            asyncio.create_task(self._repeat(self._hear_fills)),
        ]
        await until(lambda: heard(exchange, account))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, hear: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await hear()
            except ccxt.BaseError:
                await asyncio.sleep(0.01)

    async def _hear_orders(self) -> None:
        for order in await self.client.watch_orders(self.symbol):
            name = order["clientOrderId"] or order["info"].get("algoClOrdId") or ""
            self.told.append((name, order["status"], Decimal(order["filled"] or "0")))

    async def _hear_fills(self) -> None:
        self.fills += await self.client.watch_my_trades(self.symbol)


def heard(exchange: StandIn, account: str = "main") -> bool:
    """Tell whether anyone hears of what happens to an account."""
    topics = (topic for c in [*exchange.connections] for topic in [*c.topics])
    return any(topic.startswith(f"{PRIVATE}{account}") for topic in topics)


@asynccontextmanager
async def trading(
    exchange: StandIn,
    symbol: str,
    name: str = "binance",
    secret: str = SECRET,
    sandbox: bool = True,
) -> AsyncIterator[Trader]:
    """Give a trader with its markets loaded, in no need to spare the exchange."""
    keys = AccountKeys("main", name, KEY, secret, PASSWORD)
    client = trading_client(keys, exchange.url, sandbox)
    client.enableRateLimit = False  # type: ignore[attr-defined]
    trader = Trader(client, symbol)
    try:
        await client.load_markets()
        yield trader
    finally:
        await trader.stop()
        await client.close()
