"""A market that is misspelt is told before it ends the feed of others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.venue.venue import VenueError
from infra.deploy.deployment import Deployment
from infra.deploy.feed_check import look_at_feed
from infra.settings import Settings
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with BinanceStandIn([made(10)]) as standin:
        yield standin.url


def looked(url: str, exchange: str, *markets: str) -> str:
    asked = Deployment("x", "/x.py", f"exchange:{exchange}", markets=markets)
    return look_at_feed(asked, Settings(Path("/none"), exchange_urls={exchange: url}))


def test_markets_that_an_exchange_has_are_told(url: str) -> None:
    said = looked(url, "binance", "binance:BTC/USDT")
    assert said == "binance has binance:BTC/USDT"


@pytest.mark.parametrize(
    ("exchange", "market", "told"),
    [
        ("binance", "binance:BTC/USDX", "binance has no market 'BTC/USDX'; did you mean BTC/USDT"),
        ("binanc", "binanc:BTC/USDT", "cannot stream from an exchange 'binanc'; did you mean"),
    ],
)
def test_what_is_misspelt_is_refused(url: str, exchange: str, market: str, told: str) -> None:
    with pytest.raises(VenueError, match=told):
        looked(url, exchange, market)


def test_an_exchange_that_is_away_hinders_nobody() -> None:
    said = looked(NOBODY, "binance", "binance:BTC/USDX")
    assert said.startswith("binance cannot be asked now (")
    assert said.endswith("; ingest goes on asking")
