"""Money of several markets: it adds up where these are quoted in one currency."""

from __future__ import annotations

from collections.abc import Iterable

from operators.currencies import currencies


def mixed(markets: Iterable[str]) -> str:
    """Return the currencies that markets are quoted in, if these are several.

    Examples
    --------
    >>> mixed(["sim:BTC/USDT", "sim:ETH/USDT"])
    ''
    >>> mixed(["sim:BTC/USDT", "sim:ETH/BTC"])
    'BTC, USDT'

    """
    found = {currencies(market).quote for market in markets}
    return ", ".join(sorted(found)) if len(found) > 1 else ""
