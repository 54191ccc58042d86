"""Mishaps: by seed, each where a client feels it, and the exchange goes on."""

from __future__ import annotations

import asyncio

from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made
from tests.standin.client import until, watching
from tests.standin.mishaps import Mishaps


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
