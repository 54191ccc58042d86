"""Markets that are wanted of an exchange: those it has, by the names it has for them."""

from __future__ import annotations

import pytest

from connectors.venue.markets import check_markets
from connectors.venue.venue import VenueError, connect

KNOWN = ("BTC/USDT", "ETH/USDT")


def test_what_an_exchange_has_may_be_taken_in() -> None:
    check_markets(connect("okx"), {"okx:BTC/USDT": "BTC/USDT", "okx:ETH/USDT": "ETH/USDT"}, KNOWN)


@pytest.mark.parametrize(
    ("symbol", "hint"),
    [("BTC/USDC", "did you mean BTC/USDT"), ("???", "none is called alike")],
)
def test_what_it_has_not_is_told_with_what_is_called_alike(symbol: str, hint: str) -> None:
    with pytest.raises(VenueError) as told:
        check_markets(connect("okx"), {f"okx:{symbol}": symbol}, KNOWN)
    assert str(told.value).startswith(f"okx:{symbol}: okx has no market {symbol!r}; {hint}")


def test_an_exchange_that_streams_no_trades_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    venue = connect("okx")
    monkeypatch.setitem(venue.has, "watchTrades", False)
    with pytest.raises(VenueError, match="okx streams no trades"):
        check_markets(venue, {}, KNOWN)
