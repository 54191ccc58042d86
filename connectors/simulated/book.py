"""What a simulated market's feed says besides trades: books, and heartbeats while it is quiet."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np

from connectors.simulated.market import Grid, Hour
from schemas import SECOND, Book, Heartbeat, Levels, Time
from schemas.trades import Float64, Int64
from schemas.wire import encode

LEVELS = 5
_LEAD_MS = 20
_MS = 1_000_000


class Said(NamedTuple):
    """An event, in front of which trade of the hour it stands, and its wire form."""

    trade: int
    ts: Time
    message: str


class SimulatedFeed:
    """Books and heartbeats of one market.

    Parameters
    ----------
    market, seed
        What the draws are made from.
    grid
        The market's ticks and lots.
    book_every
        Seconds after which a book is too old, and a new one comes in front of the next order.
    heartbeat_every
        Seconds of silence after which a heartbeat comes.

    """

    def __init__(
        self,
        market: str,
        seed: int,
        grid: Grid,
        book_every: float | None,
        heartbeat_every: float | None,
    ) -> None:
        self.market, self.grid = market, grid
        self._every = None if book_every is None else round(book_every * SECOND)
        self._silence = None if heartbeat_every is None else round(heartbeat_every * SECOND)
        sequence = np.random.SeedSequence([seed, zlib.crc32(market.encode()), 100])
        self._draws = np.random.Generator(np.random.PCG64(sequence))
        self._sequence = 0
        self._book: Time | None = None
        self._sign: Time | None = None

    def of(self, hour: Hour, start: Time, end: Time) -> list[Said]:
        """Return what is said in an hour, in order."""
        said = self._books(hour, start) if self._every is not None else []
        if self._silence is not None:
            said += self._heartbeats(hour.ts, start, end)
            said.sort(key=lambda found: (found.trade, found.ts))
        return said

    def _books(self, hour: Hour, start: Time) -> list[Said]:
        said = []
        orders = np.flatnonzero(hour.opens)
        times = hour.ts[orders]
        place = 0 if self._book is None else self._due(times)
        while place < len(orders):
            trade = int(orders[place])
            ts, before = int(hour.ts[trade]), int(hour.ts[trade - 1]) if trade else start
            draws = self._draws.random(2 * LEVELS + 1)
            stamp = max(before, ts - int(draws[0] * _LEAD_MS) * _MS)
            said.append(Said(trade, stamp, self._told(hour, trade, stamp, draws[1:])))
            self._book = stamp
            place = self._due(times)
        return said

    def _due(self, times: Int64) -> int:
        """Return the first order whose last book is too old."""
        last, every = self._book or 0, self._every or 0
        return int(np.searchsorted(times, last + every, side="right"))

    def _told(self, hour: Hour, trade: int, ts: Time, draws: Float64) -> str:
        bid, ask, step = int(hour.bid[trade]), int(hour.ask[trade]), int(hour.step[trade])
        lots = [int(draw * 40 * self.grid.lots) + 4 * self.grid.lots for draw in draws.tolist()]
        taken = 0 if hour.side[trade] < 0 else LEVELS
        lots[taken] += int(hour.size[trade])  # what the coming trade takes was there
        self._sequence += 1
        bids = self._levels([bid - level * step for level in range(LEVELS)], lots[:LEVELS])
        asks = self._levels([ask + level * step for level in range(LEVELS)], lots[LEVELS:])
        return encode(Book(self.market, ts, bids, asks, self._sequence)).decode()

    def _levels(self, ticks: list[int], lots: list[int]) -> Levels:
        price, size = 10**self.grid.price_places, 10**self.grid.size_places
        return [(tick / price, lot / size) for tick, lot in zip(ticks, lots, strict=True)]

    def _heartbeats(self, ts: Int64, start: Time, end: Time) -> list[Said]:
        said = []
        silence = self._silence or 0
        first = start if self._sign is None else self._sign
        signs = np.concatenate(([first], ts, [end]))
        for trade in np.flatnonzero(np.diff(signs) > silence).tolist():
            for stamp in range(int(signs[trade]) + silence, int(signs[trade + 1]), silence):
                self._sign = stamp
                message = encode(Heartbeat(self.market, stamp)).decode()
                said.append(Said(trade, stamp, message))
        if len(ts):
            self._sign = max(self._sign or 0, int(ts[-1]))
        return said
