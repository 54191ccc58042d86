"""What just happened in a market: its last price, its book, and the candle in the making.

It is a preview: a flow's own candles know late trades and gaps, and take the place of this one.
"""

from __future__ import annotations

from typing import Any

from schemas import SECOND, Book, Heartbeat, Outside, Time, Trades

_MILLI = 1_000_000
_LEVELS = 10


class Latest:
    """The latest of a market.

    Parameters
    ----------
    market
        Its name.
    step
        How many seconds its candles take; None where they are of another kind.

    Examples
    --------
    >>> latest = Latest("okx:A/B", 60)
    >>> latest.take(Trades.of("okx:A/B", [59 * SECOND, 61 * SECOND], [7.0, 8.0], [1.0, 2.0]))
    >>> told = latest.tick()
    >>> told["price"], told["forming"]["open"], told["forming"]["time"]
    (8.0, 8.0, 60000)

    """

    def __init__(self, market: str, step: int | None) -> None:
        self.market, self._step = market, (step or 0) * SECOND
        self._price: float | None = None
        self._clock: Time = 0
        self._last: Time = 0
        self._candle: list[Any] | None = None
        self._partial = True
        self._book: Book | None = None
        self.changes = 0
        """Grows with whatever comes."""

    def take(self, event: Outside) -> None:
        """Take note of what came."""
        self.changes += 1
        if isinstance(event, Trades):
            rows = (event.ts.tolist(), event.price.tolist(), event.size.tolist())
            for ts, price, size in zip(*rows, strict=True):
                self._trade(ts, price, size)
        elif isinstance(event, Book):
            self._book = event
            self._last = max(self._last, event.ts)
        elif isinstance(event, Heartbeat):
            self._last = max(self._last, event.ts)

    def measure(self, step: int | None) -> None:
        """Take the width of the market's candles, once one of them has told it."""
        if (step or 0) * SECOND != self._step:
            self._step = (step or 0) * SECOND
            self.lose()

    def lose(self) -> None:
        """Forget the candle in the making: some of its trades were left out."""
        self._candle, self._partial = None, True

    def tick(self) -> dict[str, Any]:
        """Return the last price, and the candle in the making."""
        return {
            "market": self.market,
            "time": self._clock // _MILLI or None,
            "price": self._price,
            "last_event": self._last // _MILLI or None,
            "forming": self._forming(),
        }

    def book(self) -> dict[str, Any] | None:
        """Return the latest book, if one came."""
        if self._book is None:
            return None
        return {
            "time": self._book.ts // _MILLI,
            "source": "log",
            "bids": [[*level] for level in self._book.bids[:_LEVELS]],
            "asks": [[*level] for level in self._book.asks[:_LEVELS]],
        }

    def _trade(self, ts: Time, price: float, size: float) -> None:
        self._clock = max(self._clock, ts)
        self._last, self._price = max(self._last, self._clock), price
        if not self._step:
            return
        start = self._clock // self._step * self._step
        candle = self._candle
        if candle is None or candle[0] != start:
            self._partial = candle is None
            self._candle = [start, price, price, price, price, size, 1]
            return
        candle[2], candle[3] = max(candle[2], price), min(candle[3], price)
        candle[4] = price
        candle[5] += size
        candle[6] += 1

    def _forming(self) -> dict[str, Any] | None:
        if self._candle is None:
            return None
        start, first, high, low, last, volume, count = self._candle
        return {
            "time": start // _MILLI, "end": (start + self._step) // _MILLI, "open": first,
            "high": high, "low": low, "close": last, "volume": volume, "count": count,
            "partial": self._partial,
        }  # fmt: skip
