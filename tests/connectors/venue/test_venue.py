"""What we know of an exchange before anything is asked of it."""

import asyncio

import pytest

from connectors.venue.venue import Json, VenueError, connect, split


def _urls(exchange: str, url: str) -> Json:
    async def urls() -> Json:
        venue = connect(exchange, url)
        await venue.close()
        found: Json = venue.urls["api"]  # type: ignore[attr-defined]
        return found

    return asyncio.run(urls())


def test_an_exchange_can_be_found_elsewhere_and_its_hosts_stay_apart() -> None:
    urls = _urls("binance", "http://127.0.0.1:9/")
    assert urls["public"] == "http://127.0.0.1:9/api.binance.com/api/v3"
    assert urls["fapiPublic"] == "http://127.0.0.1:9/fapi.binance.com/fapi/v1"
    assert urls["ws"]["spot"] == "ws://127.0.0.1:9/stream.binance.com/ws"
    assert urls["ws"]["linear"] == "ws://127.0.0.1:9/fstream.binance.com/ws"


def test_a_host_name_that_ccxt_fills_in_later_is_filled_in() -> None:
    assert _urls("okx", "https://proxy")["rest"] == "https://proxy/www.okx.com"
    assert _urls("okx", "https://proxy")["ws"] == "wss://proxy/ws.okx.com/ws/v5"


def test_an_unknown_exchange_is_told() -> None:
    with pytest.raises(VenueError, match=r"from an exchange 'binanc'; did .* binance"):
        connect("binanc")


@pytest.mark.parametrize("market", ["BTC/USDT", "binance:", ":BTC/USDT", ""])
def test_a_market_needs_its_exchange(market: str) -> None:
    with pytest.raises(VenueError, match="write EXCHANGE:SYMBOL"):
        split(market)
