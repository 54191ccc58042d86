"""What an exchange allows in its window of time may be used at once."""

from __future__ import annotations

import asyncio
from typing import Any

from connectors.account.client import trading_client
from connectors.venue.rate import ask_in_bursts
from connectors.venue.venue import connect
from tests.connectors.desk import KEYS


def test_rest_may_use_its_whole_window_at_once() -> None:
    async def made_up() -> dict[str, Any]:
        venue: Any = connect("binance")
        ask_in_bursts(venue)
        await venue.close()
        config: dict[str, Any] = venue.throttler.config
        return config

    config = asyncio.run(made_up())
    assert config["algorithm"] == "rollingWindow"
    assert config["maxWeight"] == 60_000 / 50


def test_an_order_does_not_wait_behind_what_was_looked_at() -> None:
    async def made_up() -> str:
        venue: Any = trading_client(KEYS)
        await venue.close()
        return str(venue.throttler.config["algorithm"])

    assert asyncio.run(made_up()) == "rollingWindow"
