"""Which market a row belongs to."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

from connectors.recordings.files import DataError, File

UNKNOWN = "file:unknown"

_FULL = re.compile(r"[a-z][a-z0-9_]*:\S+")


def is_full(name: str) -> bool:
    """Tell whether `name` names an exchange too.

    Examples
    --------
    >>> [is_full(name) for name in ("binance:BTC/USDT:USDT", "BTC/USDT:USDT", "BTCUSDT")]
    [True, False, False]

    """
    return _FULL.fullmatch(name) is not None


class Markets:
    """Give symbols their markets' full names, and see that no name stands for two sources.

    Parameters
    ----------
    market
        The one market of all data; or a full name for each symbol, or for each file by its name;
        or `None`. What is not named keeps its symbol where that is a full name, else becomes
        `file:SYMBOL`.
    unknown
        The market of what cannot be read so far as to tell its market.

    Examples
    --------
    >>> from pathlib import Path
    >>> file = File(Path("btc.csv"), "btc.csv", "csv", None, 1)
    >>> Markets({"XBTUSD": "bitmex:BTC/USD:BTC"}).of("XBTUSD", file)
    'bitmex:BTC/USD:BTC'
    >>> Markets().of("BTCUSDT", file), Markets().of("okx:BTC/USDT", file)
    ('file:BTCUSDT', 'okx:BTC/USDT')

    """

    def __init__(
        self, market: str | Mapping[str, str] | None = None, unknown: str = UNKNOWN
    ) -> None:
        self.unknown = unknown
        self._all = market if isinstance(market, str) else None
        self._named = market if isinstance(market, Mapping) else {}
        for name in (self._all, *self._named.values()):
            if name is not None and not is_full(name):
                raise DataError(
                    f"market {name!r} is no full name: write EXCHANGE:SYMBOL, such as okx:BTC/USDT"
                )
        self._symbols: dict[str, str] = {}

    def only(self, file: File) -> str | None:
        """Return the one market of a file that needs no symbols, or `None`."""
        return self._all or self._named.get(file.name) or self._named.get(file.path.name)

    def of(self, symbol: str, file: File) -> str:
        """Return the market of a symbol of a file.

        Raises
        ------
        DataError
            When another symbol has that name already.

        """
        only = self.only(file)
        full = symbol if is_full(symbol) else f"file:{symbol}"
        market = only or self._named.get(symbol, full)
        if symbol == market:
            return market
        known = self._symbols.setdefault(market, symbol)
        if known != symbol:
            each = " ".join(f"--market {name}=EXCHANGE:SYMBOL" for name in (known, symbol))
            raise DataError(
                f"{file.path}: {known} and {symbol} are both called {market}; name each: {each}"
            )
        return market


class Share:
    """Which of the markets this process replays: `k` of `n` processes that divide them.

    Parameters
    ----------
    k, n
        The process, and how many there are.
    homes
        Markets that go where another one goes.

    Examples
    --------
    >>> markets = ["binance:BTC/USDT", "binance:ETH/USDT", "binance:XRP/ETH"]
    >>> [sum(Share(k, 2).has(market) for k in range(2)) for market in markets]
    [1, 1, 1]

    """

    def __init__(self, k: int = 0, n: int = 1, homes: Mapping[str, str] | None = None) -> None:
        if not 0 <= k < n:
            msg = f"share {k} of {n}: it is one of 0 to {n - 1}"
            raise ValueError(msg)
        self.k, self.n, self._homes = k, n, homes or {}

    def of(self, k: int, n: int) -> Share:
        """Return the share that another of other processes would have."""
        return Share(k, n, self._homes)

    def has(self, market: str) -> bool:
        """Tell whether `market` is in this share."""
        home = self._homes.get(market, market)
        return self.n == 1 or zlib.crc32(home.encode()) % self.n == self.k
