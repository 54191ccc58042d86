"""`deck accounts`: which accounts there are, where their keys come from, and whether they do."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from connectors.account_keys import FILE, AccountKeys, account_keys, account_names
from connectors.orders import OrderError, RefusedError
from connectors.trading import TradingVenue
from connectors.trading_checks import check_account, check_market
from infra.problems import ReplayError, explained
from infra.screen import Misused, out, say, told
from infra.settings import Settings
from infra.switches import Ground
from infra.switches import check as check_switches


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
            names = [name.strip() for name in markets.split(",") if name.strip()]
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


def _check(keys: AccountKeys, broker: Ground, markets: list[str], settings: Settings) -> None:
    check_switches(broker.broker, keys.account, settings)
    url = settings.exchange_urls.get(keys.exchange)
    try:
        doubt = asyncio.run(asked(keys, broker, markets, url))
    except RefusedError as error:
        raise ReplayError(f"{keys.exchange} does not let {keys.account} in: {error}") from None
    except OrderError as error:
        raise ReplayError(f"{keys.exchange} cannot be asked now: {error}; try again") from None
    if doubt:
        say(doubt, "yellow")
    out.print(f"{keys.account}: {keys.exchange} lets it trade ({broker.value})", highlight=False)


async def asked(keys: AccountKeys, broker: Ground, markets: list[str], url: str | None) -> str:
    """Ask an exchange whether an account can be traded with; return what could not be told.

    Raises
    ------
    VenueError
        When it must not be traded with.
    OrderError
        When the exchange refuses it, or cannot be reached.

    """
    venue = TradingVenue(keys, url, sandbox=broker is Ground.SANDBOX)
    try:
        await venue.load()
        doubt = await check_account(venue)
        for market in markets:
            await check_market(venue, market)
    finally:
        await venue.close()
    return doubt
