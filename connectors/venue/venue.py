"""An exchange as ccxt knows it: how to reach it, and what of ccxt we use."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, Protocol, TypeAlias
from urllib.parse import urlsplit

from connectors.scrub import scrub
from schemas.mendable import Mendable

Json: TypeAlias = dict[str, Any]
"""A structure of ccxt's."""
_LONGEST = 160


class VenueError(Mendable, ValueError):
    """An exchange or market that cannot be used; its text says why, and what to do."""


class Venue(Protocol):
    """What we use of a ccxt exchange; times are milliseconds."""

    id: str
    has: Mapping[str, Any]
    markets: Mapping[str, Json] | None
    options: dict[str, Any]
    clients: Mapping[str, Any]
    """Its WebSocket connections by URL."""
    rateLimit: float  # noqa: N815 - ccxt's name

    async def load_markets(self, reload: bool = False) -> Mapping[str, Json]: ...  # noqa: D102
    def market(self, symbol: str) -> Json: ...  # noqa: D102
    async def watch_trades(self, symbol: str) -> list[Json]: ...  # noqa: D102
    async def watch_order_book(self, symbol: str, limit: int | None = None) -> Json: ...  # noqa: D102
    async def fetch_trades(  # noqa: D102
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, object] = ...,
    ) -> list[Json]: ...
    async def fetch_time(self) -> int: ...  # noqa: D102
    async def fetch_funding_rate(self, symbol: str) -> Json: ...  # noqa: D102
    async def fetch_open_interest(self, symbol: str) -> Json: ...  # noqa: D102
    async def close(self) -> None: ...  # noqa: D102


def split(market: str) -> tuple[str, str]:
    """Return the exchange and the symbol of a market's full name.

    Examples
    --------
    >>> split("binance:BTC/USDT:USDT")
    ('binance', 'BTC/USDT:USDT')

    """
    exchange, colon, symbol = market.partition(":")
    if not (exchange and colon and symbol):
        raise VenueError(
            f"market {market!r} is no full name: write EXCHANGE:SYMBOL, such as okx:BTC/USDT"
        )
    return exchange, symbol


def connect(exchange: str, url: str | None = None, key: str | None = None) -> Venue:
    """Return a client of an exchange, that can trade nothing; nothing is asked of it yet.

    Parameters
    ----------
    exchange
        ccxt's name of it.
    url
        Where to find it instead of at its own addresses, such as a stand-in or a proxy: each of
        its addresses `scheme://host/path` becomes `url/host/path`.
    key
        An API key, for the market data that is not told without one.

    Raises
    ------
    VenueError
        When ccxt has no such exchange.

    """
    streaming = import_module("ccxt.pro")  # it takes a second, which only who connects has to wait
    if exchange not in streaming.exchanges:
        near = " or ".join(get_close_matches(exchange, streaming.exchanges))
        hint = f"did you mean {near}?" if near else "see https://docs.ccxt.com for those it can"
        raise VenueError(f"ccxt cannot stream from an exchange {exchange!r}; {hint}")
    venue = getattr(streaming, exchange)(
        {"enableRateLimit": True, "newUpdates": True, "apiKey": key}
    )
    if url is not None:
        hostname = getattr(venue, "hostname", None) or ""
        venue.urls["api"] = moved(venue.urls["api"], url.rstrip("/"), hostname)
    made: Venue = venue
    return made


def reason(error: BaseException) -> str:
    """Return what an error of ccxt says, in a line that may be shown: nothing secret is in it.

    Examples
    --------
    >>> reason(ConnectionError("GET https://me:secret@proxy/time  503"))
    'ConnectionError: GET https://proxy/time 503'

    """
    # Why there is no connection is told by what ccxt caught; ccxt tells the address only.
    why = getattr(error.__cause__, "os_error", None) or error
    line = scrub(" ".join(str(why).split()))
    line = line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def moved(address: object, url: str, hostname: str) -> object:
    """Return addresses, whatever they are nested in, below another one: `url/host/path`."""
    if isinstance(address, dict):
        return {key: moved(value, url, hostname) for key, value in address.items()}
    if not isinstance(address, str):
        return address
    parts = urlsplit(address.replace("{hostname}", hostname))
    base = "ws" + url.removeprefix("http") if parts.scheme.startswith("ws") else url
    return f"{base}/{parts.hostname}{parts.path}"
