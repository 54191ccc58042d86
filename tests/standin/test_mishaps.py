"""Mishaps: by seed, each where a client feels it, and the exchange goes on."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import ccxt

from tests.standin.account import Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made
from tests.standin.client import until, watching
from tests.standin.mishaps import Mishaps
from tests.standin.trader import trading


def places(seed: int) -> dict[int, int]:
    exchange = BinanceStandIn([made(500)])
    Mishaps(seed, disconnects=5, stalls=2, repeats=3, skips=3).plan(exchange)
    return {place: len(plans) for place, plans in exchange.player.plans.items()}


def test_the_same_seed_gives_the_same_places_and_another_others() -> None:
    assert places(1) == places(1) != places(2)
    assert len(places(1)) == 13


def test_every_mishap_is_felt_and_what_was_heard_is_true() -> None:
    async def run() -> None:
        with BinanceStandIn([made(800, "usdm")], speed=25.0) as exchange:
            mishaps = Mishaps(3, disconnects=4, repeats=3, skips=3)
            mishaps.plan(exchange)
            async with watching(exchange, "usdm:BTCUSDT") as watcher:
                exchange.play()
                await until(lambda: exchange.player.at == len(exchange.player.turns))
                await until(lambda: 800 in watcher.ids)
            assert len(mishaps.done) == mishaps.total == 10
            cuts = ("dropped", "aborted", "half frames")
            assert sum(exchange.trouble.counts[cut] for cut in cuts) == 4
            assert {*watcher.ids} < {*range(1, 801)}
            assert len(watcher.errors) >= 4

    asyncio.run(run())


def test_an_order_that_is_asked_about_until_there_is_an_answer_is_there_once() -> None:
    account = Account()

    async def run() -> None:
        with BinanceStandIn([made(800, "usdm")], accounts=[account]) as exchange:
            mishaps = Mishaps(4, requests=60, reports=5)
            mishaps.plan(exchange)
            await asyncio.to_thread(exchange.play_until)
            assert len(mishaps.done) == mishaps.total == 65
            async with trading(exchange, "BTC/USDT:USDT") as trader:
                for number in range(10):
                    name = f"order{number}"
                    for _ in range(60):
                        try:
                            await trader.find(name)
                            break
                        except ccxt.OrderNotFound:
                            pass
                        except ccxt.BaseError:
                            continue
                        try:
                            await trader.order(name, "buy", "2.00", "90.00")
                        except ccxt.BaseError:
                            continue
            seen = sum(exchange.order_trouble.counts[f"status {n}"] for n in (429, 500, 503))
            assert seen + exchange.order_trouble.counts["lost"] > 5

    asyncio.run(run())
    assert {*account.ids} == {f"order{number}" for number in range(10)}
    assert all(order.left == Decimal(2) for order in account.orders)
