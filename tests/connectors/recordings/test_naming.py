"""Naming: which market a symbol is, and which process has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.recordings.files import DataError, File
from connectors.recordings.naming import Markets, Share

FILE = File(Path("ticks.csv"), "ticks.csv", "csv", None, 1)


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 8))
def test_each_market_is_in_exactly_one_share(markets: list[str], processes: int) -> None:
    for market in markets:
        assert sum(Share(k, processes).has(market) for k in range(processes)) == 1


@pytest.mark.parametrize(("k", "n"), [(1, 1), (-1, 2), (0, 0)])
def test_a_share_that_does_not_exist_is_refused(k: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"share {k} of {n}"):
        Share(k, n)


@pytest.mark.parametrize("name", ["BTCUSDT", "BTC/USDT:USDT", "binance:", "Binance:BTC", "a:b c"])
def test_a_market_needs_its_exchange(name: str) -> None:
    for market in (name, {"X": name}):
        with pytest.raises(DataError, match=f"market {name!r} is no full name: write EXCHANGE:"):
            Markets(market)


def test_a_file_can_be_named_too() -> None:
    markets = Markets({"ticks.csv": "okx:BTC/USDT"})
    assert markets.only(FILE) == markets.of("XBT", FILE) == "okx:BTC/USDT"


def test_one_name_for_two_symbols_is_told_with_the_way_out() -> None:
    markets = Markets("okx:BTC/USDT")
    markets.of("BTCUSDT", FILE)
    markets.of("okx:BTC/USDT", FILE)  # events in a recording know their market
    with pytest.raises(
        DataError,
        match=r"ticks.csv: BTCUSDT and ETHUSDT are both called okx:BTC/USDT; name each: "
        r"--market BTCUSDT=EXCHANGE:SYMBOL --market ETHUSDT=EXCHANGE:SYMBOL",
    ):
        markets.of("ETHUSDT", FILE)
