"""Trading at the stand-in OKX by ccxt's real client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import ccxt
import pytest

from tests.standin.account import Account
from tests.standin.capture import made
from tests.standin.client import until
from tests.standin.exchange import StandIn
from tests.standin.okx import OkxStandIn
from tests.standin.trader import Trader, trading

STOPS = {"trigger": True, "ordType": "conditional"}
MONEY = {"USDT": Decimal(100_000), "BTC": Decimal(50)}


def traded(scene: Callable[[OkxStandIn, Trader], Awaitable[None]], sandbox: bool = True) -> Account:
    """Play a scene in a market whose last price is 101.90, and return the account."""
    account = Account(spot=MONEY)

    async def run() -> None:
        with OkxStandIn([made(200)], accounts=[account]) as exchange:
            await asyncio.to_thread(exchange.play_until, None, 200)
            async with trading(exchange, "BTC/USDT", "okx", sandbox=sandbox) as trader:
                await scene(exchange, trader)

    asyncio.run(run())
    return account


@pytest.mark.parametrize("sandbox", [True, False])
def test_a_market_order_is_filled_told_found_listed_and_paid(sandbox: bool) -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        await trader.listen(exchange)
        await trader.order("first", "buy", "2")
        await until(lambda: ("first", "closed", Decimal(2)) in trader.told)
        await until(lambda: sum(Decimal(fill["amount"]) for fill in trader.fills) == 2)
        assert Decimal((await trader.find("first"))["filled"]) == 2
        assert sum(Decimal(trade["amount"]) for trade in await trader.trades()) == 2
        balance = await trader.client.fetch_balance()
        assert Decimal(balance["BTC"]["total"]) == 52 - 2 * Decimal("0.0005")

    assert traded(scene, sandbox).ids == ["first"]


def test_a_resting_order_is_open_is_cancelled_and_then_unknown() -> None:
    async def scene(_exchange: StandIn, trader: Trader) -> None:
        await trader.order("rests", "buy", "2", "99")
        assert [order["clientOrderId"] for order in await trader.open()] == ["rests"]
        with pytest.raises(ccxt.InvalidOrder, match="51016"):
            await trader.order("rests", "buy", "2", "99")
        await trader.cancel("rests")
        assert (await trader.find("rests"))["status"] == "canceled"
        with pytest.raises(ccxt.OrderNotFound, match="51400"):
            await trader.cancel("rests")
        with pytest.raises(ccxt.OrderNotFound, match="51603"):
            await trader.find("nothing")

    traded(scene)


def test_a_stop_rests_apart_and_becomes_another_order() -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        await trader.listen(exchange)
        asked = {"algoClOrdId": "stop", "stopLossPrice": "100.5"}
        with pytest.raises(ccxt.BaseError, match="51010"):
            await trader.order("stop", "sell", "2", **asked)
        await trader.order("stop", "sell", "2", **asked, tdMode="cash")
        (order,) = await trader.open(**STOPS)
        assert order["info"]["algoClOrdId"] == "stop"
        assert await trader.open() == await trader.open(trigger=True) == []
        await asyncio.to_thread(exchange.play_until)
        await until(lambda: ("stop", "closed", Decimal(2)) in trader.told)
        told = await trader.find("stop", trigger=True)
        assert told["status"] == "closed"
        became = await trader.client.fetch_order(told["info"]["ordId"], trader.symbol)
        assert Decimal(became["filled"]) == 2

    account = traded(scene)
    assert [order.status for order in account.orders] == ["filled"]
    assert [why for _, why in account.refused] == []


def test_a_stop_is_cancelled_by_its_own_kind_of_request() -> None:
    async def scene(_exchange: StandIn, trader: Trader) -> None:
        await trader.order(
            "stop", "sell", "2", stopLossPrice="90", algoClOrdId="stop", tdMode="cash"
        )
        with pytest.raises(ccxt.OrderNotFound):
            await trader.cancel("stop")
        await trader.cancel("stop", trigger=True)
        assert (await trader.find("stop", trigger=True))["status"] == "canceled"

    traded(scene)


def test_a_post_only_order_that_would_match_is_taken_and_cancelled() -> None:
    async def scene(_exchange: StandIn, trader: Trader) -> None:
        await trader.order("post", "buy", "2", "104", postOnly=True)
        order = await trader.find("post")
        assert order["status"] == "canceled"
        assert order["filled"] == "0"

    traded(scene)


def test_who_signs_badly_or_too_late_is_refused() -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        exchange.order_trouble.skew(60_000)
        with pytest.raises(ccxt.InvalidNonce, match="50102"):
            await trader.order("late", "buy", "2")
        exchange.order_trouble.skew(None)
        async with trading(exchange, "BTC/USDT", "okx", secret="another") as stranger:
            with pytest.raises(ccxt.AuthenticationError, match="50113"):
                await stranger.order("forged", "buy", "2")
            with pytest.raises(ccxt.BaseError, match="Login failed"):
                await stranger.client.watch_orders("BTC/USDT")

    assert traded(scene).orders == []


def test_a_key_tells_what_it_may() -> None:
    async def scene(_exchange: StandIn, trader: Trader) -> None:
        told = await trader.client.private_get_account_config()  # type: ignore[attr-defined]
        assert told["data"][0]["perm"] == "read_only,trade"

    traded(scene)
