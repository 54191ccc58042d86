"""A client of ccxt that may trade: with exact numbers, and without real money by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from difflib import get_close_matches
from importlib import import_module
from typing import NamedTuple, Protocol

from connectors.account.keys import AccountKeys
from connectors.scrub import keep_secret
from connectors.venue.answers import demand_json
from connectors.venue.rate import ask_in_bursts
from connectors.venue.venue import Json, Venue, VenueError, moved

TIMEOUT = 5_000
"""Milliseconds until a request is given up; its order is then looked up."""
_DEMO = {"binance"}
"""Exchanges whose practice ground is a `demo`: ccxt does not trade futures in their sandbox."""
_SNAPSHOTS = {
    "watchPositions": "fetchPositionsSnapshot",
    "watchBalance": "fetchBalanceSnapshot",
}
"""What ccxt would ask for, too, when it opens a private stream; of texts it stumbles over it."""
_NOTHING: Mapping[str, object] = {}


class TradingClient(Venue, Protocol):
    """What we use of a ccxt exchange to trade; amounts and prices are decimal strings."""

    urls: Json
    on_rest_response: Callable[..., object]
    seconds: Callable[[], int]

    def set_sandbox_mode(self, enabled: bool) -> None: ...  # noqa: D102
    def enable_demo_trading(self, enable: bool) -> None: ...  # noqa: D102
    def milliseconds(self) -> int: ...  # noqa: D102
    async def create_order(  # noqa: D102
        self,
        symbol: str,
        type: str,  # noqa: A002 - ccxt's name
        side: str,
        amount: str,
        price: str | None = None,
        params: Mapping[str, object] = _NOTHING,
    ) -> Json: ...
    async def cancel_order(  # noqa: D102
        self,
        id: str | None,  # noqa: A002 - ccxt's name
        symbol: str,
        params: Mapping[str, object] = _NOTHING,
    ) -> Json: ...
    async def fetch_order(  # noqa: D102
        self,
        id: str | None,  # noqa: A002
        symbol: str,
        params: Mapping[str, object] = _NOTHING,
    ) -> Json: ...
    async def fetch_open_orders(  # noqa: D102
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, object] = _NOTHING,
    ) -> list[Json]: ...
    async def fetch_my_trades(  # noqa: D102
        self,
        symbol: str,
        since: int | None = None,
        limit: int | None = None,
        params: Mapping[str, object] = _NOTHING,
    ) -> list[Json]: ...
    async def fetch_balance(self) -> Json: ...  # noqa: D102
    async def fetch_positions(self, symbols: Sequence[str]) -> list[Json]: ...  # noqa: D102
    async def fetch_position_mode(self, symbol: str) -> Json: ...  # noqa: D102
    async def fetch_leverage(self, symbol: str) -> Json: ...  # noqa: D102
    async def fetch_funding_history(  # noqa: D102
        self, symbol: str, since: int | None = None, limit: int | None = None
    ) -> list[Json]: ...
    async def watch_orders(self, symbol: str) -> list[Json]: ...  # noqa: D102
    async def watch_my_trades(self, symbol: str) -> list[Json]: ...  # noqa: D102
    async def load_time_difference(self) -> int: ...  # noqa: D102


class Answer(NamedTuple):
    """What is known of an answer to a request."""

    status: int = 0
    """0 if none came."""
    wait: float | None = None
    """How many seconds the exchange wants to be left alone."""


NO_ANSWER = Answer()
last_answer: ContextVar[Answer] = ContextVar("last_answer", default=NO_ANSWER)
"""The last answer to what the present task asked: ccxt's errors do not tell the status."""


def trading_client(
    keys: AccountKeys, url: str | None = None, sandbox: bool = True
) -> TradingClient:
    """Return a client of an exchange that can trade; nothing is asked of it yet.

    Parameters
    ----------
    keys
        The account.
    url
        Where to find the exchange instead of at its own addresses; see `venue.connect`.
    sandbox
        Whether it is the exchange's practice ground, without real money.

    Raises
    ------
    VenueError
        When ccxt has no such exchange, or it has no practice ground.

    """
    keep_secret(*keys.secrets)
    streaming = import_module("ccxt.pro")  # it takes a second, which only who connects has to wait
    if keys.exchange not in streaming.exchanges:
        near = " or ".join(get_close_matches(keys.exchange, streaming.exchanges))
        hint = f"did you mean {near}?" if near else "see https://docs.ccxt.com for those it can"
        raise VenueError(f"{keys.source}: ccxt has no exchange {keys.exchange!r}; {hint}")
    client: TradingClient = getattr(streaming, keys.exchange)(_settings(keys))
    client.options |= {"fetchCurrencies": False, "fetchMargins": False}  # the wallet is not ours
    for watched, snapshot in _SNAPSHOTS.items():
        if isinstance(told := client.options.get(watched), dict):
            told[snapshot] = False
    if sandbox:
        _practise(client, keys.exchange)
    if url is not None:
        _move(client, url.rstrip("/"))
    demand_json(client)
    ask_in_bursts(client)
    _listen(client)
    _keep_time(client)
    return client


def _settings(keys: AccountKeys) -> Json:
    return {
        "apiKey": keys.key,
        "secret": keys.secret,
        "password": keys.password or None,
        "enableRateLimit": True,
        "newUpdates": True,
        "timeout": TIMEOUT,
        "number": str,  # a float could not tell what the exchange said
        "enableLastHttpResponse": False,
        "enableLastJsonResponse": False,
    }


def _practise(client: TradingClient, exchange: str) -> None:
    """Let all requests go to the practice ground, before there is any."""
    if exchange in _DEMO:
        client.enable_demo_trading(True)
        return
    if not client.urls.get("test"):
        raise VenueError(
            f"{exchange} has no practice ground: practise with --broker paper, or at another one"
        )
    client.set_sandbox_mode(True)


def _move(client: TradingClient, url: str) -> None:
    """Look for the exchange elsewhere, and let ccxt know each error by its true address."""
    hostname = getattr(client, "hostname", None) or ""
    client.urls["api"] = moved(client.urls["api"], url, hostname)
    by_address = getattr(client, "get_exceptions_by_url", None)
    if by_address is None:
        return

    def known(address: str, kind: str) -> object:
        return by_address(f"https://{address.removeprefix(f'{url}/')}", kind)

    setattr(client, "get_exceptions_by_url", known)  # noqa: B010 - not all exchanges have it


def _listen(client: TradingClient) -> None:
    """Note the status of each answer."""
    hear = client.on_rest_response

    def heard(status: int, why: str, url: str, method: str, headers: Json, *rest: object) -> object:
        told = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
        last_answer.set(Answer(status, float(told) if str(told).isdecimal() else None))
        return hear(status, why, url, method, headers, *rest)

    client.on_rest_response = heard


def _keep_time(client: TradingClient) -> None:
    """Let logins to streams bear the exchange's time, as requests do, and not ours."""

    def seconds() -> int:
        return (client.milliseconds() - int(client.options.get("timeDifference") or 0)) // 1_000

    client.seconds = seconds
