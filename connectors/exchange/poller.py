"""Numbers that an exchange tells only when it is asked: funding rates and open interest."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

import ccxt

from connectors.values import finite
from connectors.venue.answers import answered
from connectors.venue.venue import Json, Venue, VenueError, reason
from schemas import MINUTE, Event, Time, Value

Emit: TypeAlias = Callable[[Event], None]

_RENEWED: Time = 5 * MINUTE
_MILLISECOND: Time = 1_000_000


class _Series(NamedTuple):
    has: str
    """ccxt's name of the ability."""
    field: str
    ask: Callable[[Venue, str], Awaitable[Json]]
    unit: float = 1.0
    """Of what the exchange tells, in that of the series."""


SERIES = {
    "funding": _Series(
        "fetchFundingRate",
        "fundingRate",
        lambda venue, symbol: venue.fetch_funding_rate(symbol),
    ),
    "funding_due": _Series(
        "fetchFundingRate",
        "fundingTimestamp",
        lambda venue, symbol: venue.fetch_funding_rate(symbol),
        unit=1e-3,
    ),
    "open_interest": _Series(
        "fetchOpenInterest",
        "openInterestAmount",
        lambda venue, symbol: venue.fetch_open_interest(symbol),
    ),
}
"""What a poller can ask for: the funding rate of the running period, and when that is paid, in
seconds since 1970-01-01 UTC; open interest, in units of the base currency or contracts, as the
exchange counts it."""


class Poller:
    """Asks an exchange for some numbers of one market again and again.

    A number is emitted when it differs from the one before, and each five minutes anyway. What
    fails is counted and asked for again; it never ends the poller.

    Parameters
    ----------
    venue
        The exchange, its markets loaded.
    symbol
        ccxt's name of the market.
    series
        Names out of `SERIES`.
    every
        Seconds from one round to the next.
    emit
        Takes the events.
    clock
        Our clock.

    Raises
    ------
    VenueError
        When the exchange cannot tell such a number of this market.

    """

    def __init__(
        self,
        venue: Venue,
        symbol: str,
        series: Sequence[str],
        every: float,
        emit: Emit,
        clock: Callable[[], Time] = time.time_ns,
    ) -> None:
        self.market = f"{venue.id}:{symbol}"
        for name in series:
            _check(venue, symbol, name)
        self.failures: Counter[str] = Counter()
        """By series."""
        self.trouble: dict[str, str] = {}
        """Why the last try failed, of each series whose last try did."""
        self._venue, self._symbol, self._series = venue, symbol, series
        self._every, self._emit, self._clock = every, emit, clock
        self._last: dict[str, tuple[float, Time]] = {}

    async def run(self) -> None:
        """Ask until it is cancelled."""
        while True:
            for name in self._series:
                await self.ask(name)
            await asyncio.sleep(self._every)

    async def ask(self, name: str) -> None:
        """Ask for one number, and emit it if it is new."""
        kind = SERIES[name]
        try:
            told = await answered(kind.ask(self._venue, self._symbol))
            value = finite(told.get(kind.field), kind.field) * kind.unit
        except (ccxt.BaseError, ValueError) as error:
            self.failures[name] += 1
            self.trouble[name] = reason(error)
            return
        self.trouble.pop(name, None)
        now = self._clock()
        was, at = self._last.get(name, (None, 0))
        if value != was or now - at >= _RENEWED:
            self._last[name] = value, now
            stamp = told.get("timestamp")
            ts = now if stamp is None else int(stamp) * _MILLISECOND
            self._emit(Value(self.market, ts, name, value, received=now))


def _check(venue: Venue, symbol: str, name: str) -> None:
    if name not in SERIES:
        raise VenueError(f"series {name!r} is unknown: choose from {', '.join(SERIES)}")
    if not venue.has.get(SERIES[name].has) or not venue.market(symbol).get("contract"):
        raise VenueError(
            f"{venue.id} tells no {name} of {symbol}: only of contracts, such as BTC/USDT:USDT, "
            f"and not every exchange does"
        )
