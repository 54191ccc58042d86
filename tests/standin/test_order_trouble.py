"""What goes wrong on command between who trades and the stand-in, and what is true all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import ccxt
import pytest

from tests.standin.account import Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made
from tests.standin.client import until
from tests.standin.exchange import StandIn
from tests.standin.okx import OkxStandIn
from tests.standin.trader import Trader, heard, trading

MONEY = {"USDT": Decimal(100_000), "BTC": Decimal(50)}
SPOT, SWAP = ("binance", "BTC/USDT"), ("binance", "BTC/USDT:USDT")
OKX = "okx", "BTC/USDT"
EACH = pytest.mark.parametrize("where", [SPOT, SWAP, OKX], ids="-".join)


def traded(where: tuple[str, str], scene: Callable[[StandIn, Trader], Awaitable[None]]) -> Account:
    name, symbol = where
    account = Account(spot=MONEY)
    capture = made(200, "usdm" if ":" in symbol else "spot")

    async def run() -> None:
        served = BinanceStandIn if name == "binance" else OkxStandIn
        with served([capture], accounts=[account]) as exchange:
            await asyncio.to_thread(exchange.play_until, None, 200)
            async with trading(exchange, symbol, name) as trader:
                await scene(exchange, trader)

    asyncio.run(run())
    return account


@EACH
@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
def test_an_answer_is_lost_after_the_order_was_taken_or_before(
    where: tuple[str, str], after: bool
) -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        exchange.order_trouble.lose(after=after)
        with pytest.raises(ccxt.NetworkError):
            await trader.order("lost", "buy", "2")
        if after:
            assert (await trader.find("lost"))["status"] == "closed"
        else:
            with pytest.raises(ccxt.OrderNotFound):
                await trader.find("lost")
        assert exchange.order_trouble.counts["lost"] == 1
        await trader.order("next", "buy", "2")

    assert traded(where, scene).ids == (["lost", "next"] if after else ["next"])


def test_an_answer_may_be_so_late_that_no_one_waits_for_it() -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        exchange.order_trouble.slow(30.0)
        trader.client.timeout = 200  # type: ignore[attr-defined]
        with pytest.raises(ccxt.RequestTimeout):
            await trader.order("late", "buy", "2")

    assert traded(SPOT, scene).ids == ["late"]


@EACH
@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_status_is_answered_before_the_order_is_taken_or_after(
    where: tuple[str, str], status: int
) -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        for after in (False, True):
            exchange.order_trouble.fail(status, after=after, retry_after=1)
            with pytest.raises(ccxt.OperationFailed):
                await trader.order(f"after{after}", "buy", "2")
        assert exchange.order_trouble.counts[f"status {status}"] == 2

    assert traded(where, scene).ids == ["afterTrue"]


@EACH
def test_maintenance_is_answered_to_everything_until_it_is_over(where: tuple[str, str]) -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        exchange.order_trouble.maintain()
        for ask in (lambda: trader.order("none", "buy", "2"), trader.trades, trader.open):
            with pytest.raises(ccxt.BaseError):
                await ask()
        exchange.order_trouble.maintain(False)
        await trader.order("one", "buy", "2")

    assert traded(where, scene).ids == ["one"]


@EACH
def test_an_order_is_refused_and_another_is_denied_for_a_while(where: tuple[str, str]) -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        exchange.order_trouble.reject("balance" if where != SWAP else "margin")
        with pytest.raises(ccxt.InsufficientFunds):
            await trader.order("refused", "buy", "2")
        await trader.order("denied", "buy", "2")
        exchange.order_trouble.deny(2)
        for _ in range(2):
            with pytest.raises(ccxt.OrderNotFound):
                await trader.find("denied")
        assert Decimal((await trader.find("denied"))["filled"]) == 2

    assert traded(where, scene).ids == ["denied"]


@EACH
def test_an_order_fills_in_part_and_then_there_is_silence(where: tuple[str, str]) -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        name = exchange.market().name
        await trader.listen(exchange)
        exchange.order_trouble.partial(0.25, name)
        await trader.order("partly", "buy", "2")
        await until(lambda: ("partly", "open", Decimal("0.5")) in trader.told)
        exchange.report_trouble.silence()
        exchange.order_trouble.release(name)
        assert Decimal((await trader.find("partly"))["filled"]) == 2
        assert ("partly", "closed", Decimal(2)) not in trader.told
        assert exchange.report_trouble.counts["silenced"] > 0

    traded(where, scene)


@EACH
def test_reports_come_twice_or_in_reverse_or_not_at_all(where: tuple[str, str]) -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        await trader.listen(exchange)
        exchange.report_trouble.repeat(20)
        await trader.order("first", "buy", "2")
        await until(lambda: ("first", "closed", Decimal(2)) in trader.told)
        assert exchange.report_trouble.counts["repeated"] > 1
        exchange.report_trouble.rest()
        exchange.report_trouble.skip(20)
        await trader.order("second", "buy", "2")
        exchange.report_trouble.rest()
        exchange.report_trouble.reorder(2)
        await trader.order("third", "buy", "2")
        await until(lambda: any(name == "third" for name, *_ in trader.told))
        assert not any(name == "second" for name, *_ in trader.told)

    assert traded(where, scene).ids == ["first", "second", "third"]


@EACH
def test_fills_while_the_private_stream_is_cut_are_found_by_asking(where: tuple[str, str]) -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        await trader.listen(exchange)
        exchange.trouble.refuse(1_000)
        exchange.report_trouble.cut()
        await until(lambda: not exchange.connections)
        await trader.order("unheard", "buy", "2")
        exchange.trouble.refuse(0)
        await until(lambda: heard(exchange))
        assert sum(Decimal(trade["amount"]) for trade in await trader.trades()) == 2
        await trader.order("heard", "sell", "2")
        await until(lambda: any(name == "heard" for name, *_ in trader.told))
        assert exchange.report_trouble.counts["cut"] == 1

    assert traded(where, scene).ids == ["unheard", "heard"]


def test_a_stop_triggers_and_nothing_comes_of_it() -> None:
    async def scene(exchange: StandIn, trader: Trader) -> None:
        name = exchange.market().name
        await trader.order("entry", "buy", "2")
        await trader.order("stop", "sell", "2", stopLossPrice="100.50", reduceOnly=True)
        exchange.order_trouble.stick(name)
        await asyncio.to_thread(exchange.play_until)
        told = await trader.find("stop", trigger=True)
        assert (told["status"], told["info"]["algoStatus"]) == ("open", "TRIGGERING")
        for ask in (trader.cancel("stop", trigger=True), trader.find("stop")):
            with pytest.raises(ccxt.OrderNotFound):
                await ask
        assert exchange.accounts["main"].position(name) == 2
        exchange.order_trouble.release(name)
        assert (await trader.find("stop"))["status"] == "closed"

    assert traded(SWAP, scene).position("usdm:BTCUSDT") == 0
