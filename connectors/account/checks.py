"""What must be right at an exchange before an executor trades there."""

from __future__ import annotations

from functools import partial
from typing import Literal, Protocol, TypeAlias, cast

from connectors.account.account import TradingVenue
from connectors.venue.venue import Json, VenueError, split

Margin: TypeAlias = Literal["", "cross", "isolated"]
"""How positions are secured; empty if it does not matter."""


class _Raw(Protocol):
    """Requests that ccxt has no common name for."""

    async def sapi_get_account_apirestrictions(self) -> Json: ...
    async def private_get_account_config(self) -> Json: ...


async def check_account(venue: TradingVenue) -> str:
    """Refuse keys that may withdraw; return what could not be told, if so.

    Raises
    ------
    VenueError
        When they may; its text says what to do.
    OrderError
        When the exchange refuses the keys, or does not answer.

    """
    await venue.asks.query(venue.client.fetch_balance)  # what wrong keys cannot ask for
    may = await _may_withdraw(venue)
    if may:
        raise VenueError(
            f"the keys may withdraw money from {venue.exchange}: make keys there that may trade "
            "and read only, and delete these"
        )
    if may is None and not venue.sandbox:
        return f"{venue.exchange} does not tell whether the keys may withdraw: look there yourself"
    return ""


async def check_market(
    venue: TradingVenue, market: str, leverage: int | None = None, margin: Margin = ""
) -> None:
    """See that a contract is traded one-way, with the leverage and margin that are wanted.

    Raises
    ------
    VenueError
        When not; its text says what to do.
    OrderError
        When the exchange does not answer.

    """
    if not venue.contract(market):
        return
    symbol, ask, has = split(market)[1], venue.asks.query, venue.client.has
    if has.get("fetchPositionMode"):
        mode = await ask(partial(venue.client.fetch_position_mode, symbol))
        if mode.get("hedged"):
            raise VenueError(
                f"{market}: the account has hedge mode, with a long and a short side; set it to "
                f"one-way mode at {venue.exchange}"
            )
    if leverage is None and not margin:
        return
    told = await ask(partial(venue.client.fetch_leverage, symbol))
    longs = told.get("longLeverage")
    if leverage is not None and (longs is None or int(float(longs)) != leverage):
        raise VenueError(
            f"{market}: its leverage is {longs or 'not told'}, and {leverage} is wanted; set it at "
            f"{venue.exchange}, or start with --leverage {longs or 'left out'}"
        )
    if margin and told.get("marginMode") != margin:
        raise VenueError(
            f"{market}: its margin is {told.get('marginMode')}, and {margin} is wanted; set it at "
            f"{venue.exchange}"
        )


async def _may_withdraw(venue: TradingVenue) -> bool | None:
    """Tell whether the keys may withdraw; `None` if that cannot be told."""
    raw = cast("_Raw", venue.client)
    if venue.exchange == "binance" and "sapi" in venue.client.urls["api"]:
        told = await venue.asks.query(raw.sapi_get_account_apirestrictions)
        return bool(told.get("enableWithdrawals"))
    if venue.exchange == "okx":
        config = await venue.asks.query(raw.private_get_account_config)
        rights = [str(account.get("perm", "")) for account in config.get("data") or []]
        return any("withdraw" in right for right in rights) if any(rights) else None
    return None
