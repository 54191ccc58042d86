"""The stand-in Binance and ccxt's real client: what one plays, the other hears."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import aiohttp
import ccxt
import pytest

from connectors.venue.venue import Json, Venue
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import Capture, RawTrade, made
from tests.standin.client import client, until, watching
from tests.standin.rebuild import books_at

SPOT, USDM = "spot:BTCUSDT", "usdm:BTCUSDT"
OLDER = {SPOT: "publicGetHistoricalTrades", USDM: "fapiPublicGetHistoricalTrades"}
NEWEST = {SPOT: "publicGetTrades", USDM: "fapiPublicGetTrades"}


@pytest.fixture(scope="module")
def recorded(wire: Path) -> dict[str, Capture]:
    names = ("binance_spot_btcusdt_20240808.gz", "binance_usdm_btcusdt_20240808.gz")
    captures = [Capture.read(wire / name).until(8_000) for name in names]
    return {capture.name: capture for capture in captures}


def rows(trades: Sequence[RawTrade]) -> list[tuple[str, float, float, str, int]]:
    return [
        (str(t.id), float(t.price), float(t.size), "sell" if t.maker else "buy", t.time)
        for t in trades
    ]


def heard(trades: Sequence[Json]) -> list[tuple[str, float, float, str, int]]:
    return [(t["id"], t["price"], t["amount"], t["side"], t["timestamp"]) for t in trades]


@pytest.mark.parametrize("name", [SPOT, USDM])
def test_a_client_hears_every_trade_and_books_as_they_are(
    recorded: dict[str, Capture], name: str
) -> None:
    async def run() -> None:
        with BinanceStandIn([*recorded.values()]) as exchange:
            async with watching(exchange, name, books=True) as watcher:
                exchange.play()
                await until(lambda: len(watcher.trades) >= len(recorded[name].trades))
                assert heard(watcher.trades) == rows(recorded[name].trades)
                await until(lambda: exchange.market(name).update in watcher.books)
                seen = Random(7).sample([*watcher.books], min(25, len(watcher.books)))
                for update, (bids, asks) in books_at(recorded[name], seen).items():
                    best = [[*level] for level in bids[:10]], [[*level] for level in asks[:10]]
                    assert watcher.books[update] == best
                assert not watcher.errors

    asyncio.run(run())


def test_messages_are_those_of_the_capture_byte_for_byte(recorded: dict[str, Capture]) -> None:
    async def run() -> None:
        with BinanceStandIn([recorded[USDM].until(300)]) as exchange:
            plain = exchange.url + "/fstream.binance.com/ws/btcusdt@trade"
            both = exchange.url + "/fstream.binance.com/stream?streams=btcusdt@trade"
            async with aiohttp.ClientSession() as session:
                one, other = await session.ws_connect(plain), await session.ws_connect(both)
                await until(lambda: exchange.listeners(f"{USDM}@trade") == 2)
                exchange.play()
                for line in (line for line in recorded[USDM].lines[:300] if line.stream == "trade"):
                    assert await one.receive_str() == line.raw.decode()
                    wrapped = f'{{"stream":"btcusdt@trade","data":{line.raw.decode()}}}'
                    assert await other.receive_str() == wrapped

    asyncio.run(run())


def test_subscriptions_are_answered_listed_and_ended() -> None:
    async def run() -> None:
        with BinanceStandIn([made(10)]) as exchange:
            path = exchange.url + "/stream.binance.com/ws/0"
            async with aiohttp.ClientSession() as session:
                socket = await session.ws_connect(path)
                for method, answer in (
                    ("SUBSCRIBE", {"result": None}),
                    ("LIST_SUBSCRIPTIONS", {"result": ["btcusdt@trade"]}),
                    ("UNSUBSCRIBE", {"result": None}),
                    ("LIST_SUBSCRIPTIONS", {"result": []}),
                ):
                    await socket.send_json({"method": method, "params": ["btcusdt@trade"], "id": 3})
                    assert await socket.receive_json() == answer | {"id": 3}
                await socket.send_json({"method": "SHOUT", "id": 4})
                assert (await socket.receive_json())["error"]["code"] == 2

    asyncio.run(run())


async def ask(
    venue: Venue, name: str, method: str, limit: int | None = None, **params: object
) -> list[Json]:
    symbol = "BTC/USDT" if name == SPOT else "BTC/USDT:USDT"
    asked = {"fetchTradesMethod": method, **params}
    return await venue.fetch_trades(symbol, None, limit, asked)


@pytest.mark.parametrize("name", [SPOT, USDM])
def test_rest_knows_the_trades_that_were_played_by_the_ids_of_the_stream(name: str) -> None:
    async def run() -> None:
        capture = made(1200, name.partition(":")[0], first=501)
        with BinanceStandIn([capture]) as exchange:
            await asyncio.to_thread(exchange.play_until, trade=1600)
            async with client(exchange) as venue:
                venue.apiKey = "key"  # type: ignore[attr-defined]
                told = await ask(venue, name, NEWEST[name], limit=1000)
                assert heard(told) == rows(capture.trades[100:1100])
                told = await ask(venue, name, OLDER[name], fromId=701, limit=30)
                assert heard(told) == rows(capture.trades[200:230])
                assert not await ask(venue, name, OLDER[name], fromId=1601)
                most = 1000 if name == SPOT else 500
                told = await ask(venue, name, OLDER[name], fromId=1, limit=5000)
                assert heard(told) == rows(capture.trades[:most])

    asyncio.run(run())


def test_aggregates_have_ids_of_their_own_and_name_their_trades() -> None:
    alike = [RawTrade(n, "5.0", "0.1", 1_000, maker=True) for n in (1, 2, 3)]
    capture = Capture.of([*alike, RawTrade(4, "5.1", "0.1", 1_000, maker=True)])

    async def run() -> None:
        with BinanceStandIn([capture]) as exchange:
            async with client(exchange) as venue:
                await asyncio.to_thread(exchange.play_until, trade=2)
                assert not await venue.fetch_trades("BTC/USDT")
                await asyncio.to_thread(exchange.play_until, trade=4)
                first, second = await venue.fetch_trades("BTC/USDT", 1_000)
                assert (first["info"]["f"], first["info"]["l"], first["amount"]) == (1, 3, 0.3)
                assert int(second["id"]) == int(first["id"]) + 1 > 1_000
                by_id = {"fromId": int(second["id"])}
                assert await venue.fetch_trades("BTC/USDT", None, 5, by_id) == [second]
                assert not await venue.fetch_trades("BTC/USDT", 1_001)

    asyncio.run(run())


def test_old_trades_of_futures_want_a_key_and_of_spot_none() -> None:
    async def run() -> None:
        with BinanceStandIn([made(5), made(5, "usdm")]) as exchange:
            older = "{}/{}/historicalTrades?symbol=BTCUSDT"
            async with aiohttp.ClientSession() as session:
                spot = await session.get(older.format(exchange.url, "api.binance.com/api/v3"))
                usdm = await session.get(older.format(exchange.url, "fapi.binance.com/fapi/v1"))
                assert (spot.status, usdm.status) == (200, 401)
                assert (await usdm.json())["code"] == -2014

    asyncio.run(run())


def test_weights_are_counted_and_too_much_is_answered_429() -> None:
    async def run() -> None:
        with BinanceStandIn([made(5, "usdm")], keyed=(), limited=True) as exchange:
            path = "/fapi.binance.com/fapi/v1/historicalTrades?symbol=BTCUSDT"
            async with aiohttp.ClientSession() as session:
                answers = [await session.get(exchange.url + path) for _ in range(30)]
                assert answers[0].headers["X-MBX-USED-WEIGHT-1M"] == "200"
                assert exchange.rest.weights["usdm"] == 30 * 200
                refused = next(answer for answer in answers if answer.status == 429)
                assert refused.headers["Retry-After"]

    asyncio.run(run())


def test_what_does_not_exist_is_refused_as_binance_does() -> None:
    async def run() -> None:
        with BinanceStandIn([made(5)]) as exchange:
            base = exchange.url + "/api.binance.com/api/v3"
            async with aiohttp.ClientSession() as session:
                for query, code in (("symbol=NO", -1121), ("symbol=BTCUSDT&limit=x", -1100)):
                    answer = await session.get(f"{base}/trades?{query}")
                    assert (answer.status, (await answer.json())["code"]) == (400, code)

    asyncio.run(run())


def test_markets_tell_steps_that_fit_their_trades() -> None:
    async def run() -> None:
        with BinanceStandIn([made(20), made(20, "usdm", "ETHUSDT")]) as exchange:
            async with client(exchange) as venue:
                assert venue.markets is not None
                assert {*venue.markets} == {"BTC/USDT", "ETH/USDT:USDT"}
                for market in venue.markets.values():
                    steps = market["precision"]
                    assert (steps["price"], steps["amount"]) == (0.1, 0.01)
                assert venue.markets["ETH/USDT:USDT"]["contractSize"] == 1.0
                with pytest.raises(ccxt.BadSymbol):
                    venue.market("ETH/USDT")

    asyncio.run(run())


def test_futures_have_a_funding_rate_and_open_interest() -> None:
    async def run() -> None:
        with BinanceStandIn([made(20, "usdm")]) as exchange:
            await asyncio.to_thread(exchange.play_until, line=20)
            async with client(exchange) as venue:
                rate = await venue.fetch_funding_rate("BTC/USDT:USDT")
                interest = await venue.fetch_open_interest("BTC/USDT:USDT")
                assert 0 < rate["fundingRate"] < 0.001
                assert rate["timestamp"] == interest["timestamp"] == exchange.now()
                assert interest["openInterestAmount"] == 80_000.01

    asyncio.run(run())


def test_the_clock_of_a_recorded_exchange_runs_ahead_of_its_recorder(
    recorded: dict[str, Capture],
) -> None:
    with BinanceStandIn([recorded[USDM]]) as exchange:
        exchange.play_until(line=5_000)
        newest = exchange.market().trades[-1].time
        assert abs(exchange.now() - newest) < 200
        assert exchange.now() - exchange.player.now() // 1_000_000 > 1_000


def test_a_play_stops_where_it_is_told() -> None:
    with BinanceStandIn([made(50), made(50, "usdm", first=901)]) as exchange:
        exchange.play_until(trade=910, market=USDM)
        last = exchange.player.turns[exchange.player.at - 1]
        assert last.line is exchange.market(USDM).capture.lines[18]
        assert exchange.market(SPOT).trades[-1].id == 10
        exchange.play_until(received=exchange.player.turns[80].received)
        assert exchange.market(SPOT).trades[-1].id == 21
        exchange.play(1)
        exchange.wait(lambda: exchange.player.settled)
        assert exchange.player.at == 85
        exchange.play_until()
        assert exchange.player.at == 200


def test_a_play_at_a_speed_takes_its_time_and_can_pause() -> None:
    with BinanceStandIn([made(2_000)], speed=4.0) as exchange:
        began, at_our_clock = exchange.now(), time.monotonic()
        exchange.play()
        exchange.wait(lambda: exchange.player.at > 50)
        exchange.pause()
        exchange.wait(lambda: exchange.player.settled)
        at, now = exchange.player.at, exchange.now()
        assert now == exchange.market().trades[-1].time > began
        assert now - began <= 4.0 * 1_000 * (time.monotonic() - at_our_clock)
        exchange.play_until(line=at + 20)
        assert exchange.player.at == at + 20


def test_the_clock_goes_on_when_all_is_played() -> None:
    with BinanceStandIn([made(5)], speed=50.0) as exchange:
        exchange.play_until()
        newest = exchange.market().trades[-1].time
        exchange.wait(lambda: exchange.now() > newest + 1_000)
