"""Trades fetched afterwards, by REST: their rows in history, and how far one has come."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from hashlib import blake2b
from time import monotonic
from typing import NamedTuple

import pyarrow as pa
from clickhouse_connect.driver.client import Client

from connectors.exchange.rest_trades import HoleError, NotYetError, RestTrades, Traded
from connectors.history.backfill_marks import Mark, keep_mark, read_marks, resumed
from schemas import SECOND, Time, Trades
from schemas.tables import columns

PARTITION = "backfill"
"""Where history keeps them: no log has a partition of this name."""

_ROWS = 20_000
_SECONDS = 5.0
_LARGEST = (1 << 63) - 1

_STORED = """
SELECT id, toUnixTimestamp64Nano(ts), price, side FROM trades
WHERE market = {market:String} AND NOT backfilled
    AND ts >= fromUnixTimestamp64Nano({first:Int64}, 'UTC')
    AND ts <= fromUnixTimestamp64Nano({last:Int64}, 'UTC')
"""


class Progress(NamedTuple):
    """What a backfill has done so far."""

    begin: Time
    reached: Time
    trades: int
    """Fetched this time."""
    added: int
    """Of them, those that history did not have from the log."""


def late_rows(market: str, trades: Sequence[Traded]) -> pa.RecordBatch:
    """Return the rows of trades that come too late for the tape, marked as backfilled."""
    count = len(trades)
    values: dict[str, object] = {
        "market": [market] * count,
        "ts": [trade.ts for trade in trades],
        "price": [trade.price for trade in trades],
        "size": [trade.size for trade in trades],
        "side": [trade.side for trade in trades],
        "id": [trade.id for trade in trades],
        "received": [None] * count,
        "partition": [PARTITION] * count,
        "offset": [_offset(trade) for trade in trades],
        "row": [0] * count,
        "backfilled": [True] * count,
    }
    forms = columns(Trades)
    arrays = [pa.array(values[name], form.arrow) for name, form in forms.items()]
    return pa.RecordBatch.from_arrays(arrays, list(forms))


class Backfill:
    """Fetches one market's trades into history; what a crash leaves, the next one goes on with.

    Parameters
    ----------
    client
        One that may write to history.
    rest
        The market.

    """

    def __init__(self, client: Client, rest: RestTrades) -> None:
        self.client, self.rest = client, rest
        self._mark: Mark | None = None
        self._held: list[Traded] = []
        self._kept = monotonic()
        self._trades = self._added = 0

    async def run(self, start: Time, end: Time) -> AsyncGenerator[Progress]:
        """Fetch the trades from `start` to right in front of `end`, as far as there are any.

        Raises
        ------
        HoleError
            When the exchange gives no trades by REST.
        ccxt.BaseError
            When it cannot be asked; what was fetched is kept.

        """
        self._mark = resumed(read_marks(self.client, self.rest.name), start) or await self._first(
            start, end
        )
        try:
            while (mark := self._mark) is not None:
                yield self._progress(mark)
                try:
                    async for moved in self._behind(mark, end):
                        yield self._progress(moved)
                except NotYetError:
                    break
                except HoleError:
                    # It keeps fewer trades than were made since: go on with what there is.
                    self._keep()
                    reached = (self._mark or mark).reached
                    self._mark = await self._first(reached, end)
                    if self._mark is not None and self._mark.last_id == mark.last_id:
                        raise
                else:
                    break
        finally:
            self._keep()
        if self._mark is not None:
            yield self._progress(self._mark)

    async def _first(self, start: Time, end: Time) -> Mark | None:
        """Fetch the first trade of a span: all others are found from it."""
        trade, whole = await self.rest.first(start)
        if trade is None or trade.ts >= end:
            return None
        self._held.append(trade)
        return Mark(start, start if whole else trade.ts, trade.ts, trade.id, trade.ts)

    async def _behind(self, mark: Mark, end: Time) -> AsyncIterator[Mark]:
        """Fetch what stands behind a mark, and move it."""
        last = Traded(mark.last_id, mark.last_ts, 0.0, 0.0, 0)
        pages = self.rest.behind(last, None)
        while mark.reached < end and (page := await anext(pages, None)):
            if wanted := [trade for trade in page if trade.ts < end]:
                last = wanted[-1]
                mark = mark._replace(reached=last.ts, last_id=last.id, last_ts=last.ts)
            self._mark = mark if page[-1].ts < end else mark._replace(reached=end)
            mark = self._mark
            self._held += wanted
            if len(self._held) >= _ROWS or monotonic() - self._kept > _SECONDS:
                self._keep()
            yield mark

    def _keep(self) -> None:
        """Put what is held into history, but for what the log has, and then the mark."""
        if self._mark is None:
            return
        if self._held:
            if missing := self._missing():
                rows = late_rows(self.rest.name, missing)
                self.client.insert_arrow("trades", pa.Table.from_batches([rows]))
            self._trades += len(self._held)
            self._added += len(missing)
        keep_mark(self.client, self.rest.name, self._mark)
        self._held, self._kept = [], monotonic()

    def _missing(self) -> list[Traded]:
        """Return the held trades that history does not have from the log."""
        times = [trade.ts for trade in self._held]
        bounds = {"first": min(times) - SECOND, "last": max(times) + SECOND}
        found = self.client.query(_STORED, {"market": self.rest.name, **bounds}).result_rows
        ids = {name for name, *_ in found}
        missing = [trade for trade in self._held if trade.id not in ids]
        if not self.rest.sums:
            return missing
        last: dict[tuple[float, ...], int] = defaultdict(int)
        for name, *what in found:
            last[tuple(what)] = max(last[tuple(what)], int(name or 0))
        return [t for t in missing if int(t.id) > last[t.ts, t.price, t.side]]

    def _progress(self, mark: Mark) -> Progress:
        held = len(self._held)
        return Progress(mark.begin, mark.reached, self._trades + held, self._added)


def _offset(trade: Traded) -> int:
    """Return a number that is always the same for an id: itself, if it is one."""
    if trade.id.isascii() and trade.id.isdecimal() and int(trade.id) <= _LARGEST:
        return int(trade.id)
    told = trade.id or repr(trade)
    return int.from_bytes(blake2b(told.encode(), digest_size=8).digest(), "big") & _LARGEST
