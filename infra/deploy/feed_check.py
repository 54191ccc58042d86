"""Whether an exchange has what a deployment wants of it.

Ingest takes all markets of an exchange in for all who want some, and ends at one that is not there:
a name that is misspelt would end the feed of others, too.
"""

from __future__ import annotations

import asyncio

from connectors.venue.answers import demand_json, listed
from connectors.venue.markets import check_markets
from connectors.venue.venue import VenueError, connect, reason, split
from infra.deploy.deployment import Deployment
from infra.settings import Settings


def look_at_feed(deployment: Deployment, settings: Settings) -> str:
    """Ask an exchange for the markets of a deployment; return what it said.

    Raises
    ------
    VenueError
        When there is no such exchange or market, or it tells nothing of what it has.

    """
    return asyncio.run(_asked(deployment, settings))


async def _asked(deployment: Deployment, settings: Settings) -> str:
    import ccxt  # noqa: PLC0415 - it takes a second, which only who asks an exchange has to wait

    exchange = deployment.detail
    url, key = settings.exchange_urls.get(exchange), settings.exchange_keys.get(exchange)
    venue = connect(exchange, url, key)
    demand_json(venue)
    try:
        known = await listed(venue)
    except ccxt.OperationFailed as error:
        return f"{exchange} cannot be asked now ({reason(error)}); ingest goes on asking"
    except ccxt.BaseError as error:
        raise VenueError(f"{exchange} does not tell its markets: {reason(error)}") from None
    finally:
        await venue.close()
    check_markets(venue, {name: split(name)[1] for name in deployment.markets}, known)
    return f"{exchange} has {', '.join(deployment.markets)}"
