"""Trading at the stand-in Binance by ccxt's real client: orders, money, streams, refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import aiohttp
import ccxt
import pytest

from schemas import Book, Trades
from tests.standin.account import Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made
from tests.standin.client import until
from tests.standin.exchange import StandIn
from tests.standin.tape import tape
from tests.standin.trader import Trader, trading

SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"
NAMES = {SPOT: "spot:BTCUSDT", SWAP: "usdm:BTCUSDT"}
MONEY = {"USDT": Decimal(100_000), "BTC": Decimal(50)}
BOTH = pytest.mark.parametrize("symbol", [SPOT, SWAP])


def traded(
    symbol: str,
    scene: Callable[[BinanceStandIn, Trader], Awaitable[None]],
    account: Account | None = None,
    sandbox: bool = True,
) -> Account:
    """Play a scene in a market whose last price is 101.90, and return the account."""
    kind = NAMES[symbol].partition(":")[0]
    account = account or Account(spot=MONEY)

    async def run() -> None:
        with BinanceStandIn([made(200, kind)], accounts=[account]) as exchange:
            await asyncio.to_thread(exchange.play_until, None, 200)
            async with trading(exchange, symbol, sandbox=sandbox) as trader:
                await scene(exchange, trader)

    asyncio.run(run())
    return account


def algo(symbol: str) -> dict[str, object]:
    return {"trigger": True} if symbol == SWAP else {}


@BOTH
@pytest.mark.parametrize("sandbox", [True, False])
def test_a_market_order_is_filled_found_listed_and_paid(symbol: str, sandbox: bool) -> None:
    async def scene(_exchange: StandIn, trader: Trader) -> None:
        order = await trader.order("first", "buy", "2.00")
        assert (order["status"], order["filled"], order["clientOrderId"]) == (
            "closed", "2.0", "first",
        )  # fmt: skip
        assert (await trader.find("first"))["filled"] == "2.0"
        trades = await trader.trades()
        assert [trade["order"] for trade in trades] == [order["id"]] * len(trades)
        assert sum(Decimal(trade["amount"]) for trade in trades) == 2
        assert await trader.open() == []

    account = traded(symbol, scene, sandbox=sandbox)
    assert account.ids == ["first"]
    assert [d.maker for _, d in account.fills] == [False] * len(account.fills)


@BOTH
def test_a_resting_order_is_open_is_cancelled_and_then_unknown(symbol: str) -> None:
    async def scene(_exchange: StandIn, trader: Trader) -> None:
        await trader.order("rests", "buy", "2.00", "99.00")
        assert [order["clientOrderId"] for order in await trader.open()] == ["rests"]
        with pytest.raises(ccxt.BaseError, match=r"-4116|Duplicate order"):
            await trader.order("rests", "buy", "2.00", "99.00")
        assert (await trader.cancel("rests"))["status"] == "canceled"
        assert (await trader.find("rests"))["status"] == "canceled"
        with pytest.raises(ccxt.OrderNotFound, match="-2011"):
            await trader.cancel("rests")
        with pytest.raises(ccxt.OrderNotFound, match="-2013"):
            await trader.find("nothing")

    traded(symbol, scene)


@BOTH
def test_a_stop_rests_apart_and_is_told_of_until_it_has_sold(symbol: str) -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        await trader.listen(exchange)
        await trader.order("entry", "buy", "2.00")
        await trader.order(
            "stop", "sell", "1.50", stopLossPrice="100.50", reduceOnly=symbol == SWAP
        )
        assert [order["clientOrderId"] or order["info"]["clientAlgoId"] for order in (
            await trader.open(**algo(symbol))
        )] == ["stop"]  # fmt: skip
        if symbol == SWAP:
            with pytest.raises(ccxt.OrderNotFound, match="-2013"):
                await trader.find("stop")
        await asyncio.to_thread(exchange.play_until)
        await until(lambda: sum(fill["side"] == "sell" for fill in trader.fills))
        await until(lambda: ("stop", "closed", Decimal("1.5")) in trader.told)
        assert (await trader.find("stop"))["filled"] == "1.5"
        assert await trader.open(**algo(symbol)) == []

    account = traded(symbol, scene)
    sold = [deal for order, deal in account.fills if order.wanted.sign < 0]
    assert sum(deal.amount for deal in sold) == Decimal("1.5")
    if symbol == SWAP:
        assert account.position("usdm:BTCUSDT") == Decimal("0.5")


@BOTH
def test_reports_of_an_order_and_of_its_fills_come_on_the_private_stream(symbol: str) -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        await trader.listen(exchange)
        await trader.order("rests", "buy", "2.00", "100.50")
        await asyncio.to_thread(exchange.play_until)
        await until(lambda: ("rests", "closed", Decimal(2)) in trader.told)
        await until(lambda: trader.fills)
        assert {fill["takerOrMaker"] for fill in trader.fills} == {"maker"}
        paid = sum(Decimal(fill["fee"]["cost"]) for fill in trader.fills)
        assert paid == sum(deal.fee for _, deal in exchange.accounts["main"].fills) > 0

    account = traded(symbol, scene)
    assert account.orders[0].status == "filled"


@BOTH
def test_orders_are_refused_in_the_words_of_the_exchange(symbol: str) -> None:
    async def scene(_exchange: StandIn, trader: Trader) -> None:
        with pytest.raises((ccxt.InsufficientFunds, ccxt.InvalidOrder)):
            await trader.order("poor", "buy", "300000.00")
        with pytest.raises(ccxt.BaseError, match=r"immediately match|-5022"):
            await trader.order("post", "buy", "2.00", "104.00", postOnly=True)
        with pytest.raises(ccxt.OrderImmediatelyFillable):
            await trader.order(
                "late", "sell", "2.00", stopLossPrice="120.00", reduceOnly=symbol == SWAP
            )
        with pytest.raises(ccxt.BaseError, match=r"NOTIONAL|-4164"):
            await trader.order("small", "buy", "0.01", "99.00")

    account = traded(symbol, scene)
    assert [wanted.client_id for wanted, _ in account.refused] == ["poor", "post", "late", "small"]


def test_a_market_that_there_is_not_is_refused() -> None:
    async def scene(_exchange: StandIn, trader: Trader) -> None:
        with pytest.raises(ccxt.BadSymbol, match="-1121"):
            await trader.client.private_get_order({"symbol": "DOGEUSDT"})  # type: ignore[attr-defined]

    traded(SPOT, scene)


def test_an_ioc_order_leaves_nothing_behind() -> None:
    async def scene(_exchange: StandIn, trader: Trader) -> None:
        order = await trader.order("ioc", "buy", "900.00", "104.00", timeInForce="IOC")
        assert order["status"] == "expired"
        assert 0 < Decimal(order["filled"]) < 900

    traded(SPOT, scene)


def test_a_perpetual_has_a_position_settings_and_funding() -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        await trader.order("entry", "sell", "2.00")
        (position,) = await trader.client.fetch_positions([SWAP])
        assert (position["side"], position["contracts"]) == ("short", "2")
        assert (await trader.client.fetch_position_mode(SWAP))["hedged"] is False
        leverage = await trader.client.fetch_leverage(SWAP)
        assert (leverage["longLeverage"], leverage["marginMode"]) == (20, "cross")
        exchange.call(lambda: exchange.trading.fund("usdm:BTCUSDT", Decimal("0.0001")))
        (paid,) = await trader.client.fetch_funding_history(SWAP)
        last = exchange.trading.engines["usdm:BTCUSDT"].last
        assert Decimal(paid["amount"]) == 2 * last * Decimal("0.0001")
        with pytest.raises(ccxt.BaseError, match="-2022"):
            await trader.order("more", "sell", "2.00", reduceOnly=True)

    traded(SWAP, scene)


def test_money_is_told_as_it_is() -> None:
    async def scene(_exchange: StandIn, trader: Trader) -> None:
        await trader.order("rests", "buy", "2.00", "99.00")
        balance = await trader.client.fetch_balance()
        assert (balance["USDT"]["total"], balance["USDT"]["used"]) == ("100000", "198")
        told = await trader.client.sapi_get_account_apirestrictions()  # type: ignore[attr-defined]
        assert told["enableWithdrawals"] is True

    traded(SPOT, scene, Account(spot=MONEY, withdraws=True), sandbox=False)


@BOTH
def test_who_signs_badly_or_too_late_is_refused(symbol: str) -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        trader.client.options["adjustForTimeDifference"] = False
        for ahead in (-10_000, 20_000):
            exchange.order_trouble.skew(ahead)
            with pytest.raises(ccxt.InvalidNonce, match="-1021"):
                await trader.order("late", "buy", "2.00")
        await trader.client.load_time_difference()
        assert (await trader.order("in time", "buy", "2.00"))["status"] == "closed"
        async with trading(exchange, symbol, secret="another") as stranger:
            with pytest.raises(ccxt.AuthenticationError, match="-1022"):
                await stranger.order("forged", "buy", "2.00")

    assert traded(symbol, scene).ids == ["in time"]


def test_a_stranger_hears_nothing() -> None:
    async def scene(exchange: StandIn, _trader: Trader) -> None:
        path = exchange.url + "/demo-ws-api.binance.com/ws-api/v3"
        async with aiohttp.ClientSession() as session:
            socket = await session.ws_connect(path)
            params = {"apiKey": "stand-in-key", "timestamp": 1, "signature": "wrong"}
            ask = {"id": "1", "method": "userDataStream.subscribe.signature", "params": params}
            await socket.send_json(ask)
            answer = await socket.receive_json()
            assert answer["error"]["code"] == -1022
            assert not any(connection.topics for connection in exchange.connections)

    traded(SPOT, scene)


@BOTH
def test_an_order_in_lock_step_is_taken_at_once_and_fills_at_its_time(symbol: str) -> None:
    async def run() -> None:
        capture = made(200, NAMES[symbol].partition(":")[0])
        events = [*tape(capture, f"binance:{symbol}")]
        cause = next(event for number, event in events if number == 81)
        assert isinstance(cause, Trades)
        with BinanceStandIn([capture], accounts=[Account(spot=MONEY)]) as exchange:
            exchange.trading.lockstep()
            await asyncio.to_thread(exchange.play_until, line=81)
            async with trading(exchange, symbol) as trader:
                await trader.listen(exchange)
                exchange.trading.at(cause.ts.item(0) + 100_000_000, "later")
                assert (await trader.order("later", "buy", "2"))["status"] == "open"
                await asyncio.to_thread(exchange.play_until, line=84)
                assert (await trader.find("later"))["status"] == "open"
                await asyncio.to_thread(exchange.play_until, line=85)
                await until(lambda: ("later", "closed", Decimal(2)) in trader.told)
        (order,) = exchange.accounts["main"].orders
        book = next(event for number, event in events if number == 84)
        assert isinstance(book, Book)
        assert float(order.deals[0].price) == book.asks[0][0]

    asyncio.run(run())
