"""A client that may trade: where its requests go, and what it shows."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from connectors.account.client import TradingClient, trading_client
from connectors.account.keys import AccountKeys
from connectors.scrub import HIDDEN, scrub
from connectors.venue.venue import VenueError

KEYS = AccountKeys("main", "binance", "MARKER-KEY", "MARKER-SECRET", "MARKER-WORD", "here")


def made(exchange: str, url: str | None = None, sandbox: bool = True) -> TradingClient:
    async def make() -> TradingClient:
        client = trading_client(replace(KEYS, exchange=exchange), url, sandbox)
        await client.close()
        return client

    return asyncio.run(make())


def test_without_another_word_there_is_no_real_money() -> None:
    assert made("binance").urls["api"]["private"] == "https://demo-api.binance.com/api/v3"
    assert made("binance").urls["api"]["fapiPrivate"] == "https://demo-fapi.binance.com/fapi/v1"
    assert made("okx").headers["x-simulated-trading"] == "1"  # type: ignore[attr-defined]


def test_real_money_has_the_real_addresses() -> None:
    client = made("binance", sandbox=False)
    assert client.urls["api"]["private"] == "https://api.binance.com/api/v3"


def test_the_practice_ground_can_be_found_elsewhere_too() -> None:
    urls = made("binance", "http://127.0.0.1:9/").urls["api"]
    assert urls["private"] == "http://127.0.0.1:9/demo-api.binance.com/api/v3"
    assert urls["ws"]["ws-api"]["spot"] == "ws://127.0.0.1:9/demo-ws-api.binance.com/ws-api/v3"


def test_errors_of_an_exchange_that_is_elsewhere_have_their_own_names() -> None:
    client = made("binance", "http://127.0.0.1:9")
    known = client.get_exceptions_by_url(  # type: ignore[attr-defined]
        "http://127.0.0.1:9/demo-fapi.binance.com/fapi/v1/order", "exact"
    )
    assert known["-2021"].__name__ == "OrderImmediatelyFillable"


def test_an_exchange_without_a_practice_ground_is_told() -> None:
    with pytest.raises(VenueError, match="kraken has no practice ground"):
        made("kraken")


def test_an_unknown_exchange_is_told_with_where_it_was_named() -> None:
    with pytest.raises(VenueError, match="here: ccxt has no exchange 'binanc'; did you mean"):
        made("binanc")


def test_who_shows_the_client_shows_no_keys() -> None:
    client = made("binance")
    shown = scrub(f"{client!r} {vars(client)}")
    assert "MARKER" not in shown
    assert HIDDEN in shown


def test_amounts_and_prices_are_texts() -> None:
    assert made("binance").parse_number("0.10") == "0.10"  # type: ignore[attr-defined]
