"""Answers that are none, seen by ccxt's real client: an error that may be over, never a fact."""

import asyncio
from collections.abc import Awaitable, Callable

import ccxt
import orjson
import pytest

from connectors.exchange.rest_trades import RestTrades, Traded
from connectors.venue.answers import answered, demand_json, listed
from connectors.venue.venue import Venue, reason
from tests.connectors.rest_server import SPOT, SWAP, Market, on, server

LAST = Traded("5", 1_000_000_000, 1.0, 1.0, 1)
PAGE = b"<html><title>We'll be right back</title></html>"


def failed(answer: bytes, ask: Callable[[Venue], Awaitable[object]], exchange: str) -> str:
    """Return how what is asked fails when the exchange answers this."""

    async def run(url: str) -> str:
        venue = await on(exchange, url, SPOT, SWAP)
        demand_json(venue)
        try:
            with pytest.raises(ccxt.OperationFailed) as told:
                await ask(venue)
            return reason(told.value)
        finally:
            await venue.close()

    with server(lambda path, query: orjson.Fragment(answer)) as url:
        return asyncio.run(run(url))


def behind(venue: Venue) -> Awaitable[object]:
    return anext(RestTrades(venue, "BTC/USDT").behind(LAST, None))


@pytest.mark.parametrize("exchange", ["binance", "okx", "kraken", "bybit"])
@pytest.mark.parametrize("answer", [PAGE, b"null", b'[{"id": 1', b""])
def test_what_is_no_json_is_no_answer(answer: bytes, exchange: str) -> None:
    said = failed(answer, behind, exchange)
    assert said == f"BadResponse: {exchange} answers no JSON: {answer.decode()!r}"


@pytest.mark.parametrize("answer", [b"[1]", b'{"code":0}', b'{"data":null}'])
def test_json_that_ccxt_stumbles_over_is_no_answer(answer: bytes) -> None:
    assert "cannot be read: TypeError" in failed(answer, behind, "binance")


def test_an_exchange_that_tells_no_markets_is_asked_again_and_not_believed() -> None:
    assert failed(b'{"symbols":[]}', listed, "binance") == "BadResponse: binance tells no markets"


def test_nothing_else_waits_while_an_exchange_tells_its_markets() -> None:
    async def run() -> None:
        venue, told = await on("binance", "", SPOT), asyncio.Event()

        async def slow(params: object) -> list[Market]:
            await told.wait()
            return [SPOT]

        venue.fetch_markets = slow  # type: ignore[attr-defined]
        listing = asyncio.create_task(listed(venue))
        await asyncio.sleep(0)
        await asyncio.wait_for(venue.load_markets(), 30)  # as each `watch_trades` does
        assert not listing.done()
        told.set()
        assert [*await listing] == ["BTC/USDT"]
        await venue.close()

    asyncio.run(run())


def test_an_answer_that_breaks_off_is_none() -> None:
    async def torn() -> None:
        raise ccxt.ExchangeError("some GET url") from OSError("payload is not completed")

    with pytest.raises(ccxt.BadResponse, match="some GET url: the answer broke off"):
        asyncio.run(answered(torn()))


def test_what_an_exchange_refuses_stays_refused() -> None:
    async def refused() -> None:
        raise ccxt.BadSymbol("no such market")

    with pytest.raises(ccxt.BadSymbol, match="no such market"):
        asyncio.run(answered(refused()))
