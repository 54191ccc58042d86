"""What a market's name tells of its currencies."""

from __future__ import annotations

from typing import NamedTuple


class Currencies(NamedTuple):
    """What is traded, what it is paid in, and whether it is a derivative of that."""

    base: str
    quote: str
    derivative: bool
    """Its symbol names what it is settled in: a perpetual or future, and no spot market."""


def currencies(market: str) -> Currencies:
    """Return the currencies of a market.

    Examples
    --------
    >>> currencies("binance:BTC/USDT:USDT")
    Currencies(base='BTC', quote='USDT', derivative=True)
    >>> currencies("binance:BTC/USDT").derivative
    False

    """
    pair, settled, _ = market.partition(":")[2].partition(":")
    base, _, quote = pair.partition("/")
    return Currencies(base, quote, bool(settled))
