"""What a market's name tells of its currencies."""

from __future__ import annotations

import pytest

from operators.currencies import Currencies, currencies


@pytest.mark.parametrize(
    ("market", "base", "quote", "derivative"),
    [
        ("binance:BTC/USDT", "BTC", "USDT", False),
        ("okx:BTC/USDT:USDT", "BTC", "USDT", True),
        ("okx:BTC/USD:BTC", "BTC", "USD", True),
        ("okx:BTC/USDT:USDT-261225", "BTC", "USDT", True),
        ("sim:A", "A", "", False),
    ],
)
def test_a_market_tells_its_currencies(
    market: str, base: str, quote: str, derivative: bool
) -> None:
    assert currencies(market) == Currencies(base, quote, derivative)
