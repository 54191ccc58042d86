"""One market's public trades by REST, with the ids and in the order of its stream."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timezone
from math import inf
from typing import NamedTuple

import orjson

from connectors.exchange.rest_pages import Pages, pages
from connectors.venue.answers import answered
from connectors.venue.venue import Json, Venue, VenueError
from schemas import Reject, Time

MILLISECOND: Time = 1_000_000

_SIDES = {"buy": 1, "sell": -1, None: 0}


class HoleError(VenueError):
    """What is asked for is not given by REST, and never will be; the text says why."""


class NotYetError(HoleError):
    """REST is behind the stream: it may give later what it does not give now."""


class Traded(NamedTuple):
    """One trade, as a stream or REST tells it."""

    id: str
    """Empty if the exchange gives none."""
    ts: Time
    price: float
    size: float
    side: int
    """The aggressor: +1 the buyer, -1 the seller, 0 unknown."""
    parts: int = 1
    """How many trades of the exchange it is the sum of; then its id is that of the last one."""


class First(NamedTuple):
    """Where a span of time begins."""

    trade: Traded | None
    """The first one there is in it; None if there is none."""
    whole: bool
    """Whether there is none in front of it; else the exchange does not keep them."""


def traded(trade: Json) -> Traded:
    """Return a trade from ccxt's structure, of a stream or of REST.

    Raises
    ------
    ValueError
        When it is none; the text names what is wrong with it.

    Examples
    --------
    >>> traded({"id": "7", "timestamp": 1500, "price": 0.1, "amount": 2.0, "side": "sell"})
    Traded(id='7', ts=1500000000, price=0.1, size=2.0, side=-1, parts=1)

    """
    stamp, side = trade.get("timestamp"), trade.get("side")
    if not isinstance(stamp, int) or stamp <= 0:
        msg = f"timestamp {stamp!r} is not a time in milliseconds"
        raise ValueError(msg)
    if side not in _SIDES:
        msg = f"side {side!r} is neither 'buy' nor 'sell'"
        raise ValueError(msg)
    name = "" if trade.get("id") is None else str(trade["id"])
    price, size = _above_zero(trade, "price"), _above_zero(trade, "amount")
    return Traded(name, stamp * MILLISECOND, price, size, _SIDES[side], _parts(trade.get("info")))


class RestTrades:
    """The trades of one market, by REST.

    Parameters
    ----------
    venue
        The exchange, its markets loaded. ccxt keeps to its rate limit.
    symbol
        ccxt's name of the market.

    """

    def __init__(self, venue: Venue, symbol: str) -> None:
        self.name = f"{venue.id}:{symbol}"
        self.rejects: list[Reject] = []
        """What could not be read so far; for the caller to take away."""
        self._pages = pages(venue, symbol)

    @property
    def fills(self) -> bool:
        """Whether REST can fill a hole of the stream: whether they speak of the same ids."""
        return self._pages is not None

    @property
    def sums(self) -> bool:
        """Whether the stream tells as one what REST tells apart: an order's trades at one price."""
        return self._pages is not None and self._pages.sums

    async def behind(self, last: Traded, until: Traded | None) -> AsyncIterator[list[Traded]]:
        """Yield the trades behind `last`, oldest first, in front of `until`; None: to the newest.

        Each page is proven to go on where the one in front of it ended. If this ends without an
        error, nothing is missing.

        Raises
        ------
        HoleError
            When REST does not reach back to `last`, or, as `NotYetError`, not yet to `until`.
        ccxt.BaseError
            When the exchange cannot be asked.

        """
        pages, given = self._told_apart(last, until), {last.id}
        while True:
            told = await answered(pages.behind(last.id, last.ts // MILLISECOND))
            if told is None:
                raise HoleError(f"{self.name}: REST does not keep trade {last.id} any more")
            page = self._read(told, pages.numbered)
            found = [t for t in page[self._place(page, last) :] if t.id not in given]
            given = {trade.id for trade in page}
            new = found if until is None else _in_front(found, until, pages.numbered)
            if new:
                yield new
                last = new[-1]
            if until is None:
                if not new:
                    return
            elif len(new) < len(found) or _follows(last, until):
                return
            elif not new:
                raise NotYetError(f"{self.name}: REST ends at trade {last.id} for now")

    async def first(self, start: Time) -> First:
        """Return the first trade at or behind a time.

        Raises
        ------
        HoleError
            When the exchange gives no trades by REST that its stream would give.
        ccxt.BaseError
            When the exchange cannot be asked.

        """
        if self._pages is None:
            raise HoleError(f"{self.name}: the exchange gives no trades by REST with their ids")
        found, whole = await answered(self._pages.first(-(-start // MILLISECOND)))
        page = self._read(found, self._pages.numbered)
        first = next((trade for trade in page if trade.ts >= start), None)
        return First(first, whole or bool(page and page[0].ts < start))

    def _told_apart(self, *bounds: Traded | None) -> Pages:
        """Return the pages, if these trades can be found in them by their ids."""
        ids = [bound.id for bound in bounds if bound is not None]
        pages = self._pages
        if pages is None or not all(map(str.isdecimal if pages.numbered else len, ids)):
            raise HoleError(f"{self.name}: REST and the stream do not speak of the same trade ids")
        return pages

    def _read(self, page: Sequence[Json], numbered: bool) -> list[Traded]:
        trades = []
        for told in page:
            try:
                trades.append(_numbered(traded(told)) if numbered else traded(told))
            except ValueError as error:
                payload = orjson.dumps(told.get("info"), default=str).decode()
                ts = int(told.get("timestamp") or 0) * MILLISECOND
                self.rejects.append(Reject(self.name, ts, str(error), payload))
        # ccxt sorts ids as texts, so that 10 stands in front of 9.
        if numbered:
            return sorted(trades, key=lambda trade: int(trade.id))
        if all(trade.id.isdecimal() for trade in trades):
            return sorted(trades, key=lambda trade: (trade.ts, int(trade.id)))
        return sorted(trades, key=lambda trade: trade.ts)

    def _place(self, page: Sequence[Traded], last: Traded) -> int:
        """Return where what stands behind `last` begins."""
        for row, trade in enumerate(page):
            if trade.id == last.id:
                return row + 1 if trade.id.isdecimal() else _moment(page, trade).start
            if _follows(last, trade):
                return row
        if not page or page[-1].ts < last.ts:
            raise NotYetError(f"{self.name}: REST does not know trade {last.id} yet")
        begin = datetime.fromtimestamp(page[0].ts // 1_000_000_000, timezone.utc)
        raise HoleError(
            f"{self.name}: REST reaches back to trade {page[0].id} at {begin:%Y-%m-%d %H:%M:%S}, "
            f"not to {last.id}"
        )


def _numbered(trade: Traded) -> Traded:
    if not trade.id.isdecimal():
        msg = f"id {trade.id!r} is not a whole number, as all others of this exchange are"
        raise ValueError(msg)
    return trade


def _follows(one: Traded, other: Traded) -> bool:
    """Whether the ids are whole numbers, and no third can be between them."""
    if not (one.id.isdecimal() and other.id.isdecimal()):
        return False
    return int(other.id) - other.parts == int(one.id)


def _in_front(trades: Sequence[Traded], until: Traded, numbered: bool) -> list[Traded]:
    """Return those in front of `until`, and of all that it is the sum of."""
    if numbered and until.id.isdecimal():
        end = int(until.id) - until.parts
        return [trade for trade in trades if int(trade.id) <= end]
    end = next((row for row, trade in enumerate(trades) if trade.id == until.id), len(trades))
    if end == len(trades) or until.id.isdecimal():
        return list(trades[:end])
    return [t for t in trades[: _moment(trades, trades[end]).stop] if t.id != until.id]


def _moment(trades: Sequence[Traded], one: Traded) -> slice:
    """Return where the trades of one stamp stand.

    ccxt sorts those by their ids: if these are texts, nobody knows which came first.
    """
    stamps = [trade.ts for trade in trades]
    return slice(bisect_left(stamps, one.ts), bisect_right(stamps, one.ts))


def _above_zero(trade: Json, name: str) -> float:
    value: object = trade.get(name)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < inf:
        return float(value)
    msg = f"{name} {value!r} is not a number above 0"
    raise ValueError(msg)


def _parts(info: object) -> int:
    """Return of how many trades OKX's stream made one: those of one taker at one price."""
    count = info.get("count") if isinstance(info, dict) and "instId" in info else None
    return int(count) if isinstance(count, str) and count.isdecimal() else 1
