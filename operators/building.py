"""A candle in the making, and how trades are summed into it: strictly from left to right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas import Candle, Time, Trades
from schemas.trades import Float64, Int64

FEW = 48
"""Below about this many trades plain Python is faster than numpy."""


@dataclass(slots=True)
class Building:
    """The trades of an interval so far.

    Examples
    --------
    >>> building = Building(0, 60, complete=True)
    >>> building.add(Trades.of("m", [1, 2], [7.0, 9.0], [1.0, 3.0], side=[1, -1], id=[5, 6]))
    >>> candle = building.candle("m", 60, "1m")
    >>> candle.high, candle.vwap, candle.sell_volume, candle.last_id
    (9.0, 8.5, 3.0, '6')

    """

    start: Time
    end: Time
    complete: bool
    count: int = 0
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    volume: float = 0.0
    quote_volume: float = 0.0
    buy_volume: float = 0.0
    sell_volume: float = 0.0
    buy_count: int = 0
    sell_count: int = 0
    first_id: str = ""
    last_id: str = ""
    first_ts: Time = 0
    last_ts: Time = 0

    def next(self, start: Time, end: Time, *, complete: bool) -> Building:
        """Return an empty one that goes on from this one's close."""
        empty = Building(start, end, complete)
        empty.open = empty.high = empty.low = empty.close = self.close
        empty.first_id = empty.last_id = self.last_id
        empty.first_ts = empty.last_ts = self.last_ts
        return empty

    def candle(self, market: str, ts: Time, kind: str) -> Candle:
        """Return the candle these trades make; without any, it is flat at the last close."""
        return Candle(
            market, ts, kind, self.start, self.end,
            self.open, self.high, self.low, self.close, self.volume,
            self.quote_volume / self.volume if self.volume else self.close,
            self.count, self.buy_volume, self.sell_volume, self.buy_count, self.sell_count,
            self.quote_volume, self.first_id, self.last_id, self.first_ts, self.last_ts,
            self.complete,
        )  # fmt: skip

    def add(self, trades: Trades) -> None:
        """Add consecutive trades."""
        price = trades.price
        if not self.count:
            self.open = self.high = self.low = price.item(0)
            self.first_id = _id(trades, 0)
            self.first_ts = trades.ts.item(0)
        if len(trades) < FEW:
            self._add_few(trades)
        else:
            self._add_many(trades)
        self.count += len(trades)
        self.close = price.item(-1)
        self.last_id = _id(trades, -1)
        self.last_ts = trades.ts.item(-1)

    def _add_few(self, trades: Trades) -> None:
        prices, sizes = trades.price.tolist(), trades.size.tolist()
        self.high = max(self.high, *prices)
        self.low = min(self.low, *prices)
        for price, size, side in zip(prices, sizes, trades.side.tolist(), strict=True):
            self.volume += size
            self.quote_volume += price * size
            if side > 0:
                self.buy_volume += size
                self.buy_count += 1
            elif side < 0:
                self.sell_volume += size
                self.sell_count += 1

    def _add_many(self, trades: Trades) -> None:
        price, size, side = trades.price, trades.size, trades.side
        self.high = max(self.high, price.max().item())
        self.low = min(self.low, price.min().item())
        self.volume = running(self.volume, size)
        self.quote_volume = running(self.quote_volume, price * size)
        bought, sold = size[side > 0], size[side < 0]
        self.buy_volume = running(self.buy_volume, bought)
        self.sell_volume = running(self.sell_volume, sold)
        self.buy_count += len(bought)
        self.sell_count += len(sold)


def running(carry: float, values: Float64) -> float:
    """Return `carry` plus the values, one by one from the left.

    `np.sum` adds in an order that depends on where a slice was cut; this does not.
    """
    total: float = np.add.accumulate(np.concatenate(((carry,), values))).item(-1)
    return total


def build(trades: Trades, starts: Int64) -> list[Building]:
    """Return what the trades from each of `starts` (rows, the first is 0) to the next one make.

    Their intervals are still to be set. `np.bincount` adds strictly from left to right.
    """
    price, size, ts = trades.price, trades.size, trades.ts
    ends = np.append(starts[1:], len(trades))
    lengths = ends - starts
    of = np.repeat(np.arange(len(starts)), lengths)
    by_side = of * 3 + trades.side + 1
    volumes = np.bincount(by_side, size, 3 * len(starts))
    counts = np.bincount(by_side, minlength=3 * len(starts))
    lasts = ends - 1
    columns = (
        lengths, price[starts], np.maximum.reduceat(price, starts),
        np.minimum.reduceat(price, starts), price[lasts],
        np.bincount(of, size), np.bincount(of, price * size),
        volumes[2::3], volumes[0::3], counts[2::3], counts[0::3],
    )  # fmt: skip
    rows = zip(
        *(column.tolist() for column in columns),
        _ids(trades, starts), _ids(trades, lasts), ts[starts].tolist(), ts[lasts].tolist(),
        strict=True,
    )  # fmt: skip
    return [Building(0, 0, True, *row) for row in rows]


def _ids(trades: Trades, rows: NDArray[np.int64]) -> list[str]:
    ids = trades.id
    return [""] * len(rows) if ids is None else list(map(str, ids[rows].tolist()))


def _id(trades: Trades, row: int) -> str:
    ids = trades.id
    return "" if ids is None else str(ids.item(row))
