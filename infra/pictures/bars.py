"""Candles as columns, to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.trades import Float64, Int64


@dataclass(frozen=True)
class Bars:
    """Candles of one kind, oldest first.

    Parameters
    ----------
    kind
        Of the candles, such as `1m`.
    each
        How many candles a bar is.
    start, end
        Of each, in nanoseconds.
    open, high, low, close, volume
        Of each.
    averages
        Those behind the last candle of each bar, by name; NaN where there are none.

    """

    kind: str
    each: int
    start: Int64
    end: Int64
    open: Float64
    high: Float64
    low: Float64
    close: Float64
    volume: Float64
    averages: dict[str, Float64]

    def __len__(self) -> int:
        return len(self.start)
