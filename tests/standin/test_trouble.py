"""Each misbehaviour does what it says, and is counted; what ccxt's client makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import ccxt
import orjson
import pytest

from tests.standin.binance import BinanceStandIn
from tests.standin.capture import Json, made
from tests.standin.client import client, until, watching
from tests.standin.rebuild import book_at

KINDS = ("spot", "usdm")
HOSTS = {"spot": "stream.binance.com", "usdm": "fstream.binance.com"}


@dataclass
class Plain:
    """A client without ccxt's mind: all that arrives, in order."""

    exchange: BinanceStandIn
    socket: aiohttp.ClientWebSocketResponse[bool]
    seen: list[str]

    async def play(self, lines: int) -> list[str]:
        """Play some lines, and return what arrived of them; the last one always arrives."""
        at = len(self.seen)
        await asyncio.to_thread(self.exchange.play_until, line=self.exchange.player.at + lines)
        last = self.exchange.player.turns[self.exchange.player.at - 1].line.raw.decode()
        await until(lambda: last in self.seen[at:])
        return self.seen[at:]

    async def trades(self, count: int) -> list[int]:
        """Play some trades and what stands behind each, and return the ids that arrived."""
        return [told["t"] for told in map(orjson.loads, await self.play(2 * count)) if "t" in told]


@asynccontextmanager
async def plain(kind: str = "usdm") -> AsyncIterator[Plain]:
    with BinanceStandIn([made(400, kind)]) as exchange:
        streams = f"{exchange.url}/{HOSTS[kind]}/ws/btcusdt@trade"
        async with aiohttp.ClientSession() as session, session.ws_connect(streams) as socket:
            told = {"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms"], "id": 1}
            await socket.send_json(told)
            await socket.receive()
            seen: list[str] = []

            async def read() -> None:
                while True:
                    seen.append((await socket.receive()).data)

            reader = asyncio.create_task(read())
            try:
                yield Plain(exchange, socket, seen)
            finally:
                reader.cancel()


def run(test: Callable[[Plain], Awaitable[None]]) -> None:
    async def main() -> None:
        async with plain() as heard:
            await test(heard)

    asyncio.run(main())


def test_without_trouble_nothing_is_missing_or_moved() -> None:
    async def test(heard: Plain) -> None:
        assert await heard.trades(5) == [1, 2, 3, 4, 5]
        assert not heard.exchange.trouble.counts

    run(test)


def test_messages_are_skipped_repeated_and_reordered() -> None:
    async def test(heard: Plain) -> None:
        trouble = heard.exchange.trouble
        trouble.skip(2)
        assert await heard.trades(4) == [3, 4]
        trouble.repeat(2)
        assert await heard.trades(3) == [5, 5, 6, 6, 7]
        trouble.reorder(3)
        assert await heard.trades(4) == [10, 9, 8, 11]
        trouble.skip(1, "depth")
        assert len(await heard.play(4)) == 3
        assert trouble.counts == {"skipped": 3, "repeated": 2, "reordered": 3}

    run(test)


def test_a_malformed_message_is_half_of_it() -> None:
    async def test(heard: Plain) -> None:
        heard.exchange.trouble.malform()
        torn, *_ = await heard.play(2)
        whole = heard.exchange.market().capture.lines[0].raw.decode()
        assert torn == whole[: len(whole) // 2]
        assert heard.exchange.trouble.counts == {"malformed": 1}

    run(test)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_sequence_is_one_message_only(kind: str) -> None:
    async def main() -> None:
        async with plain(kind) as heard:
            heard.exchange.trouble.wrong_sequence()
            await asyncio.to_thread(heard.exchange.play_until, line=4)
            await until(lambda: len(heard.seen) == 4)
            _, wrong, _, right = map(orjson.loads, heard.seen)
            assert wrong["U"] == right["U"] - 3 + 1_000_000
            assert heard.exchange.trouble.counts == {"wrong sequence": 1}

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_a_crossed_book_is_crossed_until_the_change_behind(kind: str) -> None:
    async def main() -> None:
        with BinanceStandIn([made(40, kind)]) as exchange:
            name = f"{kind}:BTCUSDT"
            async with watching(exchange, name, books=True) as watcher:
                await asyncio.to_thread(exchange.play_until, line=10)
                await until(lambda: exchange.market().update in watcher.books)
                exchange.trouble.cross()
                await asyncio.to_thread(exchange.play_until, line=12)
                await until(lambda: exchange.market().update in watcher.books)
                bids, asks = watcher.books[exchange.market().update]
                assert bids[0][0] > asks[0][0]
                await asyncio.to_thread(exchange.play_until, line=14)
                await until(lambda: exchange.market().update in watcher.books)
                update = exchange.market().update
                truth = book_at(exchange.market().capture, update)
                assert watcher.books[update][0] == [[*level] for level in truth[0][:10]]

    asyncio.run(main())


@pytest.mark.parametrize("how", ["drop", "abort", "half_a_frame"])
def test_a_client_that_was_cut_comes_back_and_misses_what_was_played(how: str) -> None:
    async def main() -> None:
        with BinanceStandIn([made(100, "usdm")]) as exchange:
            async with watching(exchange, "usdm:BTCUSDT") as watcher:
                await asyncio.to_thread(exchange.play_until, trade=10)
                await until(lambda: len(watcher.trades) == 10)
                exchange.trouble.refuse(1)
                getattr(exchange.trouble, how)()
                await asyncio.to_thread(exchange.play_until, trade=20)
                await until(lambda: exchange.listeners("usdm:BTCUSDT@trade"))
                await asyncio.to_thread(exchange.play_until, trade=30)
                await until(lambda: len(watcher.trades) == 20)
                assert watcher.ids == [*range(1, 11), *range(21, 31)]
                assert {type(error) for error in watcher.errors} == {ccxt.NetworkError}
                assert sum(exchange.trouble.counts[what] for what in CUTS) == 1
                assert exchange.trouble.counts["refused"] == 1

    asyncio.run(main())


CUTS = ("dropped", "aborted", "half frames")


def test_a_stalled_line_is_open_and_says_nothing_not_even_a_pong() -> None:
    async def main() -> None:
        with BinanceStandIn([made(100, "usdm")]) as exchange:
            async with client(exchange) as venue:
                venue.streaming["keepAlive"] = 100  # type: ignore[attr-defined]
                watch = asyncio.create_task(venue.watch_trades("BTC/USDT:USDT"))
                await until(lambda: exchange.listeners("usdm:BTCUSDT@trade"))
                (connection,) = venue.clients.values()
                await until(lambda: connection.lastPong != connection.connectionEstablished)
                exchange.trouble.stall()
                await asyncio.to_thread(exchange.play_until, trade=10)
                assert [c.open for c in exchange.connections] == [True]
                with pytest.raises(ccxt.RequestTimeout, match="ping-pong"):
                    await watch
                assert exchange.trouble.counts["stalled"] == 1

    asyncio.run(main())


def test_a_forgotten_subscription_is_silent_while_others_go_on_until_it_is_renewed() -> None:
    async def main() -> None:
        async with plain() as heard:
            exchange = heard.exchange
            assert await heard.trades(2) == [1, 2]
            exchange.trouble.half_stall("trade")
            assert await heard.trades(2) == []
            again = {"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 2}
            await heard.socket.send_json(again)
            await until(lambda: exchange.listeners("usdm:BTCUSDT@trade"))
            await until(lambda: '"id":2' in heard.seen[-1])
            assert await heard.trades(2) == [5, 6]
            assert exchange.trouble.counts == {"silenced": 1}

    asyncio.run(main())


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, ccxt.DDoSProtection), (418, ccxt.DDoSProtection), (500, ccxt.OperationFailed)],
)
def test_rest_fails_as_often_as_it_is_told(status: int, error: type[Exception]) -> None:
    async def main() -> None:
        with BinanceStandIn([made(10, "usdm")]) as exchange:
            async with client(exchange) as venue:
                exchange.trouble.fail(status, times=1, retry_after=3)
                with pytest.raises(error):
                    await venue.fetch_time()
                assert venue.last_response_headers["Retry-After"] == "3"  # type: ignore[attr-defined]
                assert await venue.fetch_time() == exchange.now()
                assert exchange.trouble.counts[f"status {status}"] == 1

    asyncio.run(main())


def test_rest_is_late_when_it_is_told_to() -> None:
    async def main() -> None:
        with BinanceStandIn([made(10)]) as exchange:
            path = exchange.url + "/api.binance.com/api/v3/time"
            async with aiohttp.ClientSession() as session:
                exchange.trouble.slow(30)
                with pytest.raises(asyncio.TimeoutError):
                    await session.get(path, timeout=aiohttp.ClientTimeout(0.1))
                exchange.trouble.slow(0)
                assert (await session.get(path)).status == 200
                assert exchange.trouble.counts["slow"] == 1

    asyncio.run(main())


def test_rest_may_not_know_the_newest_trades_yet() -> None:
    async def main() -> None:
        with BinanceStandIn([made(20)]) as exchange:
            await asyncio.to_thread(exchange.play_until, trade=10)
            base = exchange.url + "/api.binance.com/api/v3"
            async with aiohttp.ClientSession() as session:

                async def ids(path: str, name: str) -> list[int]:
                    answer = await session.get(f"{base}/{path}")
                    return [told[name] for told in await answer.json()]

                exchange.trouble.lag(3)
                assert await ids("trades?symbol=BTCUSDT", "id") == [*range(1, 8)]
                assert await ids("historicalTrades?symbol=BTCUSDT&fromId=6", "id") == [6, 7]
                assert await ids("aggTrades?symbol=BTCUSDT", "l") == [*range(1, 8)]
                exchange.trouble.lag(0)
                assert (await ids("trades?symbol=BTCUSDT", "id"))[-1] == 10

    asyncio.run(main())


def test_a_clock_steps_in_streams_and_rest_from_a_moment_on() -> None:
    async def main() -> None:
        async with plain() as heard:
            exchange, capture = heard.exchange, heard.exchange.market().capture
            await heard.play(2)
            exchange.trouble.clock(-5_000)
            await asyncio.to_thread(exchange.play_until, trade=2)
            await until(lambda: len(heard.seen) == 3)
            told: Json = orjson.loads(heard.seen[-1])
            assert told["T"] == told["E"] == capture.trades[1].time - 5_000
            assert [t.time for t in exchange.market().trades] == [capture.trades[0].time, told["T"]]
            assert exchange.now() == told["T"]

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("order", ["skip", "wrong_sequence"])
def test_ccxt_notices_a_break_in_a_book_and_takes_a_new_one(kind: str, order: str) -> None:
    async def main() -> None:
        with BinanceStandIn([made(60, kind)]) as exchange:
            async with watching(exchange, f"{kind}:BTCUSDT", books=True) as watcher:
                await asyncio.to_thread(exchange.play_until, line=10)
                await until(lambda: exchange.market().update in watcher.books)
                if order == "skip":
                    exchange.trouble.skip(1, "depth")
                else:
                    exchange.trouble.wrong_sequence()
                await asyncio.to_thread(exchange.play_until, line=20)
                await until(lambda: watcher.errors)
                assert isinstance(watcher.errors[0], ccxt.ChecksumError)
                await until(lambda: exchange.market().update in watcher.books)
                bids, _ = book_at(exchange.market().capture, exchange.market().update)
                assert watcher.books[exchange.market().update][0] == [[*b] for b in bids[:10]]

    asyncio.run(main())


def test_ccxt_hears_nothing_more_behind_a_malformed_message_and_says_nothing() -> None:
    async def main() -> None:
        told: list[Exception] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
        with BinanceStandIn([made(60)]) as exchange:
            async with watching(exchange, "spot:BTCUSDT") as watcher:
                await asyncio.to_thread(exchange.play_until, trade=5)
                await until(lambda: len(watcher.trades) == 5)
                exchange.trouble.malform()
                await asyncio.to_thread(exchange.play_until, trade=20)
                await until(lambda: told)
                assert isinstance(told[0], orjson.JSONDecodeError)
                assert (watcher.ids, watcher.errors) == ([1, 2, 3, 4, 5], [])

    asyncio.run(main())
