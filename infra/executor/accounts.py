"""`deck accounts`: which accounts there are, where their keys come from, and whether they do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, NamedTuple

import typer
from rich import box
from rich.table import Table

from connectors.account.account import TradingVenue
from connectors.account.checks import check_account, check_market
from connectors.account.keys import FILE, AccountKeys, account_keys, account_names
from connectors.account.orders import OrderError, RefusedError
from infra.listed import listed
from infra.running.problems import ReplayError, explained
from infra.screen import Misused, out, say, told
from infra.settings import Settings
from infra.trading.switches import Ground
from infra.trading.switches import check as check_switches


def accounts(
    check: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Ask its exchange whether it can be traded with: keys, rights, balance.",
            show_default=False,
        ),
    ] = "",
    broker: Annotated[
        Ground, typer.Option(help="Where to ask: the exchange's sandbox, or the exchange.")
    ] = Ground.SANDBOX,
    markets: Annotated[
        str,
        typer.Option(
            help="Contracts to look at, too, with commas between: are they in one-way mode?",
            show_default=False,
        ),
    ] = "",
) -> None:
    """List the accounts whose keys are known, and where those come from; never the keys."""
    with told(), explained(resumable=False):
        settings = Settings.from_environment()
        if check:
            names = listed(markets)
            _check(account_keys(check, settings.home), broker, names, settings)
            return
        found = [account_keys(name, settings.home) for name in account_names(settings.home)]
        if not found:
            raise Misused(
                f"no account: set TAPEDECK_ACCOUNT_MAIN_EXCHANGE, ..._KEY and ..._SECRET, or write "
                f"[main] with exchange, key and secret into {settings.home / FILE}, chmod 600"
            )
        out.print(_table(found))


def _table(found: list[AccountKeys]) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("account", "exchange", "keys from"):
        grid.add_column(name)
    for keys in found:
        grid.add_row(keys.account, keys.exchange, keys.source)
    return grid


def _check(keys: AccountKeys, broker: Ground, markets: Sequence[str], settings: Settings) -> None:
    check_switches(broker.broker, keys.account, settings)
    url = settings.exchange_urls.get(keys.exchange)
    try:
        look = asyncio.run(_looked(keys, broker, markets, url))
    except RefusedError as error:
        raise ReplayError(f"{keys.exchange} does not let {keys.account} in: {error}") from None
    except OrderError as error:
        raise ReplayError(f"{keys.exchange} cannot be asked now: {error}; try again") from None
    if look.doubt:
        say(look.doubt, "yellow")
    out.print(f"{keys.account}: {keys.exchange} lets it trade ({broker.value})", highlight=False)
    has = ", ".join(f"{amount.normalize():,f} {name}" for name, amount in look.balances.items())
    out.print(f"it has {has or 'nothing'}", highlight=False)
    for market, amount in look.positions.items():
        out.print(f"its position in {market}: {amount.normalize():,f}", highlight=False)


class _Look(NamedTuple):
    """What an exchange says of an account."""

    doubt: str
    """What could not be told."""
    balances: dict[str, Decimal]
    positions: dict[str, Decimal]
    """In the contracts that were named."""


async def asked(keys: AccountKeys, broker: Ground, markets: Sequence[str], url: str | None) -> str:
    """Ask an exchange whether an account can be traded with; return what could not be told.

    Raises
    ------
    VenueError
        When it must not be traded with.
    OrderError
        When the exchange refuses it, or cannot be reached.

    """
    return (await _looked(keys, broker, markets, url)).doubt


async def _looked(
    keys: AccountKeys, broker: Ground, markets: Sequence[str], url: str | None
) -> _Look:
    venue = TradingVenue(keys, url, sandbox=broker is Ground.SANDBOX)
    try:
        await venue.load()
        doubt = await check_account(venue)
        for market in markets:
            await check_market(venue, market)
        contracts = [market for market in markets if venue.contract(market)]
        positions = {market: await venue.held(market) for market in contracts}
        return _Look(doubt, await venue.balances(), positions)
    finally:
        await venue.close()
