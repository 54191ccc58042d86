"""Whether an exchange has the markets that are wanted of it, and streams their trades."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from connectors.venue.venue import Venue, VenueError


def check_markets(venue: Venue, symbols: Mapping[str, str], known: Iterable[str]) -> None:
    """See that markets can be taken in.

    Parameters
    ----------
    venue
        Their exchange.
    symbols
        ccxt's names of the markets, by their full names.
    known
        ccxt's names of all that the exchange has.

    Raises
    ------
    VenueError
        When the exchange has no such market, or streams no trades.

    """
    if not venue.has.get("watchTrades"):
        raise VenueError(f"{venue.id} streams no trades: it cannot be recorded")
    known = list(known)
    for name, symbol in symbols.items():
        if symbol not in known:
            near = get_close_matches(symbol, known, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else "none is called alike"
            raise VenueError(f"{name}: {venue.id} has no market {symbol!r}; {hint}")
