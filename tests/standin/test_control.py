"""A stand-in that runs by itself: told to misbehave, and looked at, over HTTP."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import aiohttp
import ccxt
import pytest

from tests.standin.account import Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made
from tests.standin.trader import trading


def test_orders_to_misbehave_and_what_came_of_it_go_over_http() -> None:
    async def run() -> None:
        with BinanceStandIn([made(200, "usdm")], accounts=[Account()]) as exchange:
            base = f"{exchange.url}/stand-in"
            async with (
                trading(exchange, "BTC/USDT:USDT") as trader,
                aiohttp.ClientSession() as session,
            ):
                exchange.trouble.fail(500)
                async with session.post(f"{base}/order/lose", json={"after": False}) as answer:
                    assert answer.status == 200
                with pytest.raises(ccxt.OperationFailed):
                    await trader.order("failed", "buy", "2")
                with pytest.raises(ccxt.NetworkError):
                    await trader.order("lost", "buy", "2")
                await trader.order("held", "buy", "2")
                rate = {"market": "usdm:BTCUSDT", "rate": "0.0001"}
                async with session.post(f"{base}/fund", json=rate) as answer:
                    assert answer.status == 200
                async with session.get(f"{base}/accounts/main") as answer:
                    told = await answer.json()
        assert [order["id"] for order in told["orders"]] == ["held"]
        assert Decimal(told["positions"]["usdm:BTCUSDT"]) == 2
        assert len(exchange.accounts["main"].futures.incomes) == 1

    asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("order/dance", b"{}", 404),
        ("order/_add", b"{}", 404),
        ("nothing/lose", b"{}", 404),
        ("order/lose", b'{"how": "well"}', 400),
    ],
)
def test_what_is_no_trouble_is_refused(path: str, body: bytes, status: int) -> None:
    async def run() -> None:
        with BinanceStandIn([made(10)]) as exchange:
            async with aiohttp.ClientSession() as session:
                url = f"{exchange.url}/stand-in/{path}"
                async with session.post(url, data=body) as answer:
                    assert answer.status == status

    asyncio.run(run())
