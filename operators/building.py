"""A candle in the making, and how trades are summed into it: strictly from left to right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from schemas import Candle, Columns, Time, Trades
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
    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    volume: float = 0.0
    count: int = 0
    buy_volume: float = 0.0
    sell_volume: float = 0.0
    buy_count: int = 0
    sell_count: int = 0
    quote_volume: float = 0.0
    first_id: str = ""
    last_id: str = ""
    first_ts: Time = 0
    last_ts: Time = 0

    @classmethod
    def of(cls, start: Time, end: Time, made: Sums) -> Building:
        """Return one that goes on from sums."""
        # Behind the volume stands the vwap, which is no sum.
        return cls(start, end, True, *made[:5], *made[6:])  # type: ignore[arg-type]

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
        columns, first, last = trades.columns, trades.start, trades.stop - 1
        if not self.count:
            self.open = self.high = self.low = columns.price.item(first)
            self.first_id = _id(columns, first)
            self.first_ts = columns.ts.item(first)
        if first == last:
            self._add_one(columns.price.item(first), columns.size.item(first), columns.side[first])
        elif last - first < FEW:
            self._add_few(trades)
        else:
            self._add_many(trades)
        self.count += last - first + 1
        self.close = columns.price.item(last)
        self.last_id = _id(columns, last)
        self.last_ts = columns.ts.item(last)

    def _add_one(self, price: float, size: float, side: int | np.int8) -> None:
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.volume += size
        self.quote_volume += price * size
        if side > 0:
            self.buy_volume += size
            self.buy_count += 1
        elif side < 0:
            self.sell_volume += size
            self.sell_count += 1

    def _add_few(self, trades: Trades) -> None:
        prices, sizes, sides = trades.price.tolist(), trades.size.tolist(), trades.side.tolist()
        for price, size, side in zip(prices, sizes, sides, strict=True):
            self._add_one(price, size, side)

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


Sums: TypeAlias = tuple[
    float, float, float, float, float, float, int,
    float, float, int, int, float, str, str, Time, Time,
]  # fmt: skip
"""The fields of a candle from `open` to `last_ts`, in its order."""


def sums(trades: Trades, starts: Int64) -> list[Sums]:
    """Return what the trades from each of `starts` (rows, the first is 0) to the next one make.

    `np.bincount` adds strictly from left to right.
    """
    price, size = trades.price, trades.size
    lasts = np.append(starts[1:], len(trades)) - 1
    lengths = lasts - starts + 1
    count = len(starts)
    of = np.arange(count).repeat(lengths)
    by_side = np.arange(1, 3 * count, 3).repeat(lengths) + trades.side
    volumes = np.bincount(by_side, size, 3 * count)
    counts = np.bincount(by_side, minlength=3 * count)
    volume, quote_volume = np.bincount(of, size), np.bincount(of, price * size)
    ends = np.concatenate((starts, lasts))
    prices, times = price[ends].tolist(), trades.ts[ends].tolist()
    ids = [""] * len(ends) if trades.id is None else [*map(str, trades.id[ends].tolist())]
    return [
        *zip(
            prices[:count], np.maximum.reduceat(price, starts).tolist(),
            np.minimum.reduceat(price, starts).tolist(), prices[count:],
            volume.tolist(), (quote_volume / volume).tolist(), lengths.tolist(),
            volumes[2::3].tolist(), volumes[0::3].tolist(),
            counts[2::3].tolist(), counts[0::3].tolist(), quote_volume.tolist(),
            ids[:count], ids[count:], times[:count], times[count:],
            strict=True,
        )
    ]  # fmt: skip


def _id(columns: Columns, row: int) -> str:
    return "" if columns.id is None else str(columns.id.item(row))
