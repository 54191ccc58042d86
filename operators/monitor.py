"""The monitor: stop-loss, trailing stop, take-profit and timeout of a position."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import inf, isfinite
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from schemas import Book, Numbers, Side, Time, Trades
from schemas.trades import Float64

_FIRST_PIECE = 256


@dataclass(frozen=True)
class Scaled:
    """A width that is a multiple of a volatility among the averages, at the decision.

    Examples
    --------
    >>> Scaled("volatility60", 2.0).width({"volatility60": 0.001})
    0.002

    """

    of: str
    times: float

    def width(self, values: Numbers) -> float | None:
        """Return the width for these averages; `None` where there is no such volatility yet."""
        value = values.get(self.of)
        return None if value is None or not value > 0 else self.times * value


@dataclass(frozen=True)
class Barriers:
    """Where a position ends. Widths are parts of the entry's average price.

    Parameters
    ----------
    stop_loss, take_profit
        Distance of the level against and with the position; fixed, or `Scaled`.
    timeout
        Time from the first fill, in tape time.
    trailing_stop
        Distance behind the best price since the entry.

    Raises
    ------
    ValueError
        When a width or the timeout is not above 0, or a width that lowers a price not below 1.

    Examples
    --------
    >>> barriers = Barriers(stop_loss=0.02, take_profit=0.03, timeout=timedelta(minutes=30))
    >>> armed = arm("long", barriers.widths({}), entry=100.0, ts=0)
    >>> armed.judge(98.0, 1), armed.judge(99.0, 1), armed.judge(None, 1_800_000_000_000)
    ('stop', None, 'timeout')

    """

    stop_loss: float | Scaled | None = None
    take_profit: float | Scaled | None = None
    timeout: timedelta | None = None
    trailing_stop: float | Scaled | None = None

    def __post_init__(self) -> None:
        for name in ("stop_loss", "take_profit", "trailing_stop"):
            value = getattr(self, name)
            width = value.times if isinstance(value, Scaled) else value
            if width is not None and not _is_width(width):
                msg = f"{name} must be a finite number above 0, such as 0.002, not {width!r}"
                raise ValueError(msg)
            if name != "take_profit" and not isinstance(value, Scaled) and (value or 0) >= 1:
                msg = f"{name} is a part of the price and must be below 1, not {value}"
                raise ValueError(msg)
        if self.timeout is not None and not _is_span(self.timeout):
            example = "such as timedelta(minutes=30)"
            msg = f"timeout must be a time above 0, {example}, not {self.timeout!r}"
            raise ValueError(msg)

    @property
    def scaled(self) -> bool:
        """Whether a width depends on a volatility."""
        return any(
            isinstance(width, Scaled)
            for width in (self.stop_loss, self.take_profit, self.trailing_stop)
        )

    def widths(self, values: Numbers) -> Widths | None:
        """Return the widths at a decision; `None` where a volatility is missing."""
        found = []
        for width in (self.stop_loss, self.take_profit, self.trailing_stop):
            resolved = width.width(values) if isinstance(width, Scaled) else width
            if resolved is None and width is not None:
                return None
            found.append(resolved)
        stop, take, trailing = found
        if (stop or 0) >= 1 or (trailing or 0) >= 1:
            return None
        timeout = None
        if self.timeout is not None:
            timeout = self.timeout // timedelta(microseconds=1) * 1000
        return Widths(stop, take, trailing, timeout)


def _is_width(value: object) -> bool:
    return isinstance(value, Real) and isfinite(value) and float(value) > 0


def _is_span(value: object) -> bool:
    return isinstance(value, timedelta) and value > timedelta(0)


@dataclass(frozen=True, slots=True)
class Widths:
    """Barriers resolved at a decision: parts of the entry price, and nanoseconds."""

    stop: float | None
    take: float | None
    trailing: float | None
    timeout: Time | None


@dataclass(slots=True)
class Armed:
    """The levels of an open position. A price at a level is a hit."""

    sign: int
    """+1 long, -1 short."""
    low: float
    high: float
    deadline: Time | None
    trailing: float | None
    best: float
    """The best price one could have got since the entry."""

    def judge(self, price: float | None, ts: Time) -> str | None:
        """Return which barrier is hit by a price one would get (`None`: no price) at a time."""
        if price is not None:
            if self.trailing is not None:
                self.best = max(self.best, price) if self.sign > 0 else min(self.best, price)
            if (price <= self.low) if self.sign > 0 else (price >= self.high):
                return "stop"
            if self.trailing is not None and self._trails(price):
                return "trailing"
            if (price >= self.high) if self.sign > 0 else (price <= self.low):
                return "take"
        return "timeout" if self.deadline is not None and ts >= self.deadline else None

    def search(self, trades: Trades, row: int, fresh_until: Time) -> tuple[int, str] | None:
        """Return the first row from `row` on with which a barrier is hit, and which.

        Up to `fresh_until` there is a fresh book, and only trades of an aggressor that takes what
        this position would take (or of an unknown one) tell a price; behind it all do.
        """
        if len(trades) - row == 1:
            why = self.judge(self.told(trades, row, fresh_until), trades.ts.item(row))
            return None if why is None else (row, why)
        stop = len(trades)
        timed_out = self.deadline is not None and trades.ts.item(-1) >= self.deadline
        if timed_out:
            stop = int(np.searchsorted(trades.ts, self.deadline)) + 1  # type: ignore[arg-type]
            stop = max(stop, row + 1)
        piece = _FIRST_PIECE
        while row < stop:
            end = min(row + piece, stop)
            hit = self._first(trades.cut(row, end), fresh_until)
            if hit is not None:
                at = row + hit
                price = self.told(trades, at, fresh_until)
                return at, self.judge(price, trades.ts.item(at)) or "timeout"
            row, piece = end, piece * 4
        return (stop - 1, "timeout") if timed_out else None

    def _first(self, trades: Trades, fresh_until: Time) -> int | None:
        """Return the first row with a price at a level; else take the best price into account."""
        price = trades.price
        if self.trailing is None and price.min() > self.low and price.max() < self.high:
            return None
        tells = self._tells(trades, fresh_until)
        hit = tells & ((price <= self.low) | (price >= self.high))
        if self.trailing is not None:
            best = self._bests(price, tells)
            hit |= tells & self._behind(price, best, self.trailing)
            if not hit.any():
                self.best = best.item(-1)
            elif hit.argmax() > 0:
                self.best = best.item(int(hit.argmax()) - 1)
        return int(hit.argmax()) if hit.any() else None

    def _tells(self, trades: Trades, fresh_until: Time) -> NDArray[np.bool_]:
        return (trades.side * self.sign <= 0) | (trades.ts > fresh_until)

    def told(self, trades: Trades, row: int, fresh_until: Time) -> float | None:
        """Return the price that one would get, if the trade of a row tells one."""
        c, i = trades.columns, trades.start + row
        if c.ts.item(i) <= fresh_until and c.side.item(i) * self.sign > 0:
            return None
        return c.price.item(i)

    def _bests(self, price: Float64, tells: NDArray[np.bool_]) -> Float64:
        known = np.where(tells, price, self.best)
        furthest = np.maximum if self.sign > 0 else np.minimum
        best: Float64 = furthest(furthest.accumulate(known), self.best)
        return best

    def _behind(self, price: Float64, best: Float64, width: float) -> NDArray[np.bool_]:
        if self.sign > 0:
            return price <= best * (1 - width)
        return price >= best * (1 + width)

    def _trails(self, price: float) -> bool:
        assert self.trailing is not None  # noqa: S101 - asked only then
        if self.sign > 0:
            return price <= self.best * (1 - self.trailing)
        return price >= self.best * (1 + self.trailing)


def arm(side: Side, widths: Widths, entry: float, ts: Time) -> Armed:
    """Return the levels of a position entered at an average price of `entry`."""
    long = side == "long"
    below, above = (widths.stop, widths.take) if long else (widths.take, widths.stop)
    return Armed(
        sign=1 if long else -1,
        low=-inf if below is None else entry * (1 - below),
        high=inf if above is None else entry * (1 + above),
        deadline=None if widths.timeout is None else ts + widths.timeout,
        trailing=widths.trailing,
        best=entry,
    )


def grown(armed: Armed, side: Side, widths: Widths, entry: float) -> Armed:
    """Return the levels of a position that has grown, and now was entered at `entry`.

    Its deadline and the best price since its first fill stay.
    """
    levels = arm(side, widths, entry, 0)
    levels.deadline, levels.best = armed.deadline, armed.best
    return levels


def told_by(book: Book | None, sign: int, ts: Time, max_age: Time) -> float | None:
    """Return what one would get by a new book; one that comes too old tells nothing."""
    if book is None or ts > book.stamp + max_age:
        return None
    return best_exit(book, sign)


def best_exit(book: Book, sign: int) -> float | None:
    """Return the price at which a position could be left at once, by the book."""
    levels = book.bids if sign > 0 else book.asks
    return levels[0][0] if levels else None
