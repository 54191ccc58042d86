"""Candles: the trades of an interval of time, or of a number of trades, units or money."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import isfinite

import numpy as np

from operators.building import FEW, Building, sums
from operators.operator import operator
from operators.tape import Machine, Tape, run
from schemas import DAY, MINUTE, SECOND, Book, Candle, Event, Gap, Heartbeat, Time, Trades
from schemas.trades import Float64, Int64


@dataclass(slots=True)
class _State:
    building: Building | None = None
    broken: bool = True
    """The candle of the next event with a time of its own will not be complete."""
    silence: Time = -1
    """When the last silence of more than a day ended."""


class TimeCandles:
    """Candles of equal intervals `[start, end)`, aligned to 1970-01-01 UTC.

    A candle stands behind the first event behind which tape time is at or past its end; if that
    is a trade, it belongs to the next candle. A quiet interval makes a flat candle at the last
    close; a silence of more than a day makes none.

    Parameters
    ----------
    every
        Length of an interval, in nanoseconds.

    Examples
    --------
    >>> machine = TimeCandles(60 * SECOND)
    >>> ts = [10 * SECOND, 59 * SECOND, 60 * SECOND]
    >>> out = list(machine(Trades.of("m", ts, [7.0, 9.0, 8.0], [1.0, 1.0, 1.0])))
    >>> [len(out[0]), out[1].close, out[1].count, out[1].complete]
    [3, 9.0, 2, False]

    Notes
    -----
    State: at most 1 kB a market, the candle in the making.

    """

    reads: frozenset[type[Event]] = frozenset({Trades, Book, Heartbeat, Gap})

    def __init__(self, every: Time) -> None:
        if every <= 0:
            msg = f"every must be above 0, not {every} ns"
            raise ValueError(msg)
        self.every = every
        self.kind = _name(every)
        self.state = _State()

    @property
    def shape(self) -> object:
        """The kind of candles a state holds."""
        return ("candles", 1, self.kind)

    def __call__(self, event: Event) -> Iterable[Event]:
        """Return `event`, and behind it, or behind the part that closed them, the candles."""
        state, building = self.state, self.state.building
        if type(event) is Trades:
            if building is not None and event.columns.ts.item(event.stop - 1) < building.end:
                building.add(event)
                state.broken = False
                return (event,)
            return self._trades(event)
        if type(event) is Gap:
            state.broken = True
            if event.why == "silence":
                state.silence = event.end
            if building is not None:
                building.complete = False
        elif building is not None:
            if event.ts >= building.end:
                return (event, *self._roll(event.market, event.ts))  # type: ignore[arg-type]
            state.broken = False
        return (event,)

    def _trades(self, trades: Trades) -> list[Event]:
        """Take trades that begin a candle, or end one, or more."""
        out: list[Event] = []
        first, done = trades.ts.item(0), 0
        if self.state.building is None:
            self._begin(first)
        elif first >= self.state.building.end:
            out += (trades.cut(0, 1), *self._roll(trades.market, first))
            done = 1
        starts = self._starts(trades)
        self._add(trades.cut(0, starts.item(0) if len(starts) else len(trades)))
        if len(starts):
            close = self._close_few if len(trades) - starts.item(0) < FEW else self._close_many
            done = close(trades, starts, done, out)
        if done < len(trades):
            out.append(trades.cut(done, len(trades)) if done else trades)
        return out

    def _close_few(self, trades: Trades, starts: Int64, done: int, out: list[Event]) -> int:
        rows = starts.tolist()
        for row, stop in zip(rows, [*rows[1:], len(trades)], strict=True):
            out.append(trades.cut(done, row + 1))
            out += self._roll(trades.market, trades.ts.item(row))
            self._add(trades.cut(row, stop))
            done = row + 1
        return done

    def _close_many(self, trades: Trades, starts: Int64, done: int, out: list[Event]) -> int:
        """As `_close_few`, with sums over all candles at once: whole ones need no building."""
        rows, market, kind, every = starts.tolist(), trades.market, self.kind, self.every
        made = sums(trades.cut(rows[0], len(trades)), starts - rows[0])
        begins = ((trades.ts[starts] // every) * every).tolist()
        times = trades.ts[starts].tolist()
        end = -1
        for place, row in enumerate(rows):
            out.append(trades.cut(done, row + 1))
            done = row + 1
            if place and begins[place] == end:
                fields = made[place - 1]
                out.append(Candle(market, times[place], kind, end - every, end, *fields, True))
            else:
                if place:
                    self.state.building = Building.of(end - every, end, made[place - 1])
                out += self._roll(market, times[place])
            end = begins[place] + every
        self.state.building = Building.of(end - every, end, made[-1])
        return done

    def _add(self, trades: Trades) -> None:
        assert self.state.building is not None  # noqa: S101 - begun, or rolled to
        self.state.building.add(trades)
        self.state.broken = False

    def _starts(self, trades: Trades) -> Int64:
        """Return the rows, but for the first, that begin an interval."""
        interval = trades.ts // self.every
        return np.flatnonzero(interval[1:] != interval[:-1]) + 1

    def _begin(self, ts: Time) -> None:
        start = ts - ts % self.every
        self.state.building = Building(start, start + self.every, complete=False)

    def _roll(self, market: str, ts: Time) -> Iterator[Candle]:
        """Close the candle in the making, and make flat ones up to the interval of `ts`."""
        state, building = self.state, self.state.building
        assert building is not None  # noqa: S101 - nothing rolls before it began
        yield building.candle(market, ts, self.kind)
        start, complete = ts - ts % self.every, not state.broken
        if ts != state.silence and start - building.end <= DAY:
            while building.end < start:
                building = building.next(building.end, building.end + self.every, complete=complete)
                yield building.candle(market, ts, self.kind)
        state.building = building.next(start, start + self.every, complete=complete)
        state.broken = False


class ThresholdCandles:
    """Candles of a number of trades, units of the base currency, or quote currency.

    A candle ends with the trade that reaches the threshold, and stands right behind it. A trade
    is never split: what exceeds the threshold does not count for the next candle (Lopez de Prado,
    Advances in Financial Machine Learning, 2018, section 2.3.1).

    Parameters
    ----------
    measure
        `count`, `volume` or `quote_volume`.
    threshold
        How much of it makes a candle.

    Examples
    --------
    >>> machine = ThresholdCandles("volume", 2.0)
    >>> out = list(machine(Trades.of("m", [1, 2, 3], [7.0, 9.0, 8.0], [1.0, 1.5, 1.0])))
    >>> [len(out[0]), out[1].volume, len(out[2])]
    [2, 2.5, 1]

    Notes
    -----
    State: at most 1 kB a market, the candle in the making.

    """

    reads: frozenset[type[Event]] = frozenset({Trades, Gap})

    def __init__(self, measure: str, threshold: float) -> None:
        if measure not in _UNITS:
            msg = f"measure must be one of {', '.join(_UNITS)}, not {measure!r}"
            raise ValueError(msg)
        if not isfinite(threshold) or threshold <= 0:
            msg = f"threshold must be a finite number above 0, not {threshold}"
            raise ValueError(msg)
        self.measure = measure
        self.threshold = threshold
        self.kind = f"{_digits(threshold)} {_UNITS[measure]}"
        self.state = _State()

    @property
    def shape(self) -> object:
        """The kind of candles a state holds."""
        return ("candles", 1, self.kind)

    def __call__(self, event: Event) -> Iterable[Event]:
        """Return `event`, and behind the part that filled them, the candles."""
        if type(event) is Trades:
            return self._trades(event)
        if self.state.building is None:
            self.state.broken = True
        else:
            self.state.building.complete = False
        return (event,)

    def _trades(self, trades: Trades) -> Iterator[Event]:
        done = 0
        for stop in self._stops(trades):
            self._add(trades.cut(done, stop))
            yield trades.cut(done, stop)
            ts = trades.ts.item(stop - 1)
            building = self.state.building
            assert building is not None  # noqa: S101 - it has just been added to
            building.end = ts
            yield building.candle(trades.market, ts, self.kind)
            self.state.building = None
            done = stop
        if done < len(trades):
            self._add(trades.cut(done, len(trades)))
            yield trades.cut(done, len(trades)) if done else trades

    def _add(self, trades: Trades) -> None:
        state = self.state
        if state.building is None:
            state.building = Building(trades.ts.item(0), 0, complete=not state.broken)
            state.broken = False
        state.building.add(trades)

    def _stops(self, trades: Trades) -> Iterator[int]:
        """Yield the rows behind which a candle is full."""
        building = self.state.building
        carry = 0.0 if building is None else float(getattr(building, self.measure))
        weights, start = self._weights(trades), 0
        while (stop := _reached(weights, start, carry, self.threshold)) is not None:
            yield stop
            start, carry = stop, 0.0

    def _weights(self, trades: Trades) -> Float64:
        if self.measure == "count":
            return np.ones(len(trades))
        return trades.size if self.measure == "volume" else trades.price * trades.size


def _reached(weights: Float64, start: int, carry: float, threshold: float) -> int | None:
    """Return the row behind the first with which the running sum reaches the threshold."""
    piece = FEW
    while start < len(weights):
        part = weights[start : start + piece]
        sums = np.add.accumulate(np.concatenate(((carry,), part)))[1:]
        if sums[-1] >= threshold:
            return start + int(np.argmax(sums >= threshold)) + 1
        start, carry, piece = start + len(part), sums.item(-1), piece * 2
    return None


_UNITS = {"count": "trades", "volume": "base", "quote_volume": "quote"}


def _digits(number: float) -> str:
    return format(Decimal(repr(float(number))).normalize(), "f")


def _name(every: Time) -> str:
    for unit, letter in ((DAY, "d"), (60 * MINUTE, "h"), (MINUTE, "m"), (SECOND, "s")):
        if every % unit == 0:
            return f"{every // unit}{letter}"
    return f"{every}ns"


@operator
def candles(
    step_id: str,
    tape: Tape,
    every: timedelta | None = None,
    ticks: int | None = None,
    volume: float | None = None,
    dollars: float | None = None,
) -> Tape:
    """Add candles: of `every` interval, or of so many `ticks`, units of `volume` or `dollars`.

    Parameters
    ----------
    every
        Length of an interval of time.
    ticks
        Number of trades of a candle.
    volume
        Volume of a candle, in units of the base currency.
    dollars
        Volume of a candle, in the quote currency.

    Raises
    ------
    ValueError
        When not exactly one of the four is given, or it is not above 0.
    TypeError
        When `every` is a bare number, which says no unit.

    """
    given = {"every": every, "ticks": ticks, "volume": volume, "dollars": dollars}
    if sum(value is not None for value in given.values()) != 1:
        msg = f"candles take exactly one of {', '.join(given)}, not {given}"
        raise ValueError(msg)
    if not isinstance(every, timedelta | None):
        msg = f"every is a time, such as timedelta(minutes=1), not {every!r}"
        raise TypeError(msg)

    def machine() -> Machine:
        if every is not None:
            return TimeCandles(every // timedelta(microseconds=1) * 1000)
        if ticks is not None:
            return ThresholdCandles("count", ticks)
        if volume is not None:
            return ThresholdCandles("volume", volume)
        assert dollars is not None  # noqa: S101 - exactly one is given
        return ThresholdCandles("quote_volume", dollars)

    return run("candles", tape, machine)
