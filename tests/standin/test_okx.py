"""The stand-in OKX and ccxt's real client."""

from __future__ import annotations

import asyncio
from pathlib import Path

import ccxt
import pytest

from tests.standin.capture import Capture, RawTrade, made
from tests.standin.client import client, until, watching
from tests.standin.okx import OkxStandIn
from tests.standin.rebuild import book_at, books_at

NAME = "spot:BTCUSDT"


def test_a_client_hears_every_trade_and_books_as_they_are(wire: Path) -> None:
    capture = Capture.read(wire / "binance_spot_btcusdt_20240808.gz").until(4_000)

    async def run() -> None:
        with OkxStandIn([capture], aggregated=False) as exchange:
            async with watching(exchange, NAME, "okx", books=True) as watcher:
                exchange.play()
                await until(lambda: len(watcher.trades) >= len(capture.trades))
                await until(lambda: exchange.market().update in watcher.books)
                assert not watcher.errors
                heard = [(t["id"], t["price"], t["side"], t["timestamp"]) for t in watcher.trades]
                assert heard == [
                    (str(t.id), float(t.price), "sell" if t.maker else "buy", t.time)
                    for t in capture.trades
                ]
                some = [*watcher.books][:: max(1, len(watcher.books) // 25)]
                for update, (bids, asks) in books_at(capture, some).items():
                    best = [[*level] for level in bids[:10]], [[*level] for level in asks[:10]]
                    assert watcher.books[update] == best

    asyncio.run(run())


def test_the_stream_tells_an_order_at_a_price_as_one_and_rest_each_trade() -> None:
    alike = [RawTrade(n, "5.0", "0.1", 1_000, maker=True) for n in (1, 2, 3)]
    capture = Capture.of([*alike, RawTrade(4, "5.1", "0.1", 1_000, maker=True)])

    async def run() -> None:
        with OkxStandIn([capture]) as exchange:
            async with watching(exchange, NAME, "okx") as watcher:
                await asyncio.to_thread(exchange.play_until)
                await until(lambda: len(watcher.trades) == 2)
                assert [(t["id"], t["amount"], t["info"]["count"]) for t in watcher.trades] == [
                    ("3", 0.3, "3"),
                    ("4", 0.1, "1"),
                ]
            async with client(exchange, "okx") as venue:
                assert [t["id"] for t in await venue.fetch_trades("BTC/USDT")] == [*"1234"]

    asyncio.run(run())


def test_rest_pages_back_and_forth_by_id() -> None:
    async def run() -> None:
        with OkxStandIn([made(300)]) as exchange:
            await asyncio.to_thread(exchange.play_until, trade=250)
            async with client(exchange, "okx") as venue:

                async def ids(limit: int, **params: object) -> list[int]:
                    told = await venue.fetch_trades("BTC/USDT", None, limit, params)
                    return [int(trade["id"]) for trade in told]

                older = {"method": "publicGetMarketHistoryTrades"}
                assert await ids(500) == [*range(1, 251)]
                assert await ids(500, **older) == [*range(151, 251)]
                assert await ids(100, after=151, **older) == [*range(51, 151)]
                assert await ids(10, before=200, after=206, **older) == [*range(201, 206)]
                exchange.trouble.lag(50)
                assert await ids(1) == [200]
                assert await venue.fetch_time() == exchange.now()
                with pytest.raises(ccxt.BadSymbol):
                    venue.market("DOGE/USDT")

    asyncio.run(run())


@pytest.mark.parametrize("order", ["skip", "wrong_sequence"])
def test_ccxt_notices_a_break_in_a_book_and_takes_a_new_one(order: str) -> None:
    async def run() -> None:
        with OkxStandIn([made(60)]) as exchange:
            async with watching(exchange, NAME, "okx", books=True) as watcher:
                await asyncio.to_thread(exchange.play_until, line=10)
                await until(lambda: exchange.market().update in watcher.books)
                if order == "skip":
                    exchange.trouble.skip(1, "depth")
                else:
                    exchange.trouble.wrong_sequence()
                await asyncio.to_thread(exchange.play_until, line=20)
                await until(lambda: watcher.errors)
                assert isinstance(watcher.errors[0], ccxt.InvalidNonce)
                await until(lambda: exchange.market().update in watcher.books)
                bids, _ = book_at(exchange.market().capture, exchange.market().update)
                assert watcher.books[exchange.market().update][0] == [[*b] for b in bids[:10]]

    asyncio.run(run())


def test_a_client_lives_by_the_text_ping_and_is_stalled_without() -> None:
    async def run() -> None:
        with OkxStandIn([made(60)]) as exchange:
            async with client(exchange, "okx") as venue:
                venue.streaming["keepAlive"] = 100  # type: ignore[attr-defined]
                watch = asyncio.create_task(venue.watch_trades("BTC/USDT"))
                await until(lambda: exchange.listeners(f"{NAME}@trade"))
                (connection,) = venue.clients.values()
                await until(lambda: connection.lastPong is not None)
                first = connection.lastPong
                await until(lambda: connection.lastPong > first)
                exchange.trouble.stall()
                with pytest.raises(ccxt.RequestTimeout, match="ping-pong"):
                    await watch

    asyncio.run(run())


def test_trouble_is_the_same_at_any_exchange() -> None:
    async def run() -> None:
        with OkxStandIn([made(100)]) as exchange:
            async with watching(exchange, NAME, "okx") as watcher:
                exchange.trouble.skip(2)
                exchange.trouble.repeat(2)
                await asyncio.to_thread(exchange.play_until, trade=10)
                await until(lambda: len(watcher.trades) == 10)
                assert watcher.ids == [3, 3, 4, 4, *range(5, 11)]
                exchange.trouble.drop()
                await until(lambda: watcher.errors)
                await until(lambda: exchange.listeners(f"{NAME}@trade"))
                await asyncio.to_thread(exchange.play_until, trade=15)
                await until(lambda: len(watcher.trades) == 15)
                assert watcher.ids[-5:] == [*range(11, 16)]

    asyncio.run(run())
