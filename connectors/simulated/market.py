"""A simulated market, hour by hour: bursts of trades, changing volatility, and drift that shows.

Only uniform draws, the four operations, square roots and whole numbers are used: their results are
the same to the last bit on every machine, which those of `exp` or a normal distribution are not.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from schemas import MINUTE, Time
from schemas.trades import Float64, Int8, Int64

Bools: TypeAlias = NDArray[np.bool_]

MINUTES = 60
HOUR: Time = MINUTES * MINUTE

_MS = 1_000_000
_VOLATILITY = 0.6 / 725.0
"""Of a minute: 60 % a year; a year has 725 * 725 minutes."""
_SEASON = (
    0.8, 0.8, 0.8, 0.7, 0.7, 0.7, 0.8, 0.9, 1.0, 1.0, 0.9, 0.9,
    1.1, 1.4, 1.6, 1.5, 1.4, 1.2, 1.1, 1.1, 1.0, 0.9, 0.9, 0.8,
)  # fmt: skip
"""How busy each hour of the day is, UTC; 1 on average."""

# What comes behind a trade: the next print of the same order, an answer, or something new.
_SWEEP, _ANSWER = 0.45, 0.2
_ANSWER_GAP = 0.05
_NEW_GAP = (1 - _ANSWER * _ANSWER_GAP) / (1 - _SWEEP - _ANSWER)
_HERD = 0.3
"""How often a new order has the side of the one before, whatever the pressure is."""
_PRESSURE = 0.3
"""How far one standard deviation of pressure moves the share of buyers, from -1 to 1."""
_IMPACT = 0.3
"""Part of the variance that comes with the trades, and not between them."""
_DRIFT = 0.35
"""Drift of a minute per standard deviation of pressure, in volatilities, at full signal."""
_VARIANCE_OF_SURPRISE = 0.85
_LEVELS = 5


class Hour(NamedTuple):
    """Trades of an hour, and the quotes in front of each; prices are in ticks, sizes in lots."""

    ts: Int64
    price: Int64
    size: Int64
    side: Int8
    opens: Bools
    """Whether it is the first print of its order."""
    bid: Int64
    ask: Int64
    step: Int64
    """Ticks between the levels of the book."""


@dataclass(frozen=True, slots=True)
class Grid:
    """What prices and sizes are whole multiples of: a tick, and a lot, by their decimal places."""

    ticks: int
    """The first price."""
    price_places: int
    size_places: int
    lots: int
    """A usual size."""

    @classmethod
    def of(cls, market: str) -> Grid:
        """Return the grid of a market: known ones are like themselves, others have any price."""
        base, draw = market.partition(":")[2].partition("/")[0], zlib.crc32(market.encode())
        known = {"BTC": (420_000, 1), "ETH": (230_000, 2), "SOL": (98_000, 3), "XRP": (60_000, 5)}
        ticks, places = known.get(base, (100_000 + draw % 900_000, 2 + (draw >> 20) % 4))
        size_places = 0
        while ticks > 10 ** (places + size_places):
            size_places += 1
        lots = 750 * 10 ** (places + size_places) // ticks + 1
        return cls(ticks, places, size_places, lots)


class _Draws:
    """Uniform numbers from 0 to 1, for one purpose: the same in however many pieces."""

    def __init__(self, seed: int, market: str, purpose: int) -> None:
        sequence = np.random.SeedSequence([seed, zlib.crc32(market.encode()), purpose])
        self._draws = np.random.Generator(np.random.PCG64(sequence))

    def take(self, count: int) -> Float64:
        return self._draws.random(count)


def tail(draws: Float64) -> Float64:
    """Return numbers above 0 with a heavy tail, 1 on average: u^(-1/4), shifted and scaled."""
    heavy: Float64 = (1.0 / np.sqrt(np.sqrt(1.0 - draws)) - 1.0) * 3.0
    return heavy


class SimulatedMarket:
    """A market whose hours follow from its name and a seed, whatever else is simulated.

    Buyers' pressure comes and goes; it shows in the sides of the trades, and with a signal the
    price drifts where it points. Without one, nothing that can be seen tells where the price goes
    next; only how much it moves can be foreseen, since volatility lasts.

    Parameters
    ----------
    market, seed
        What the draws are made from.
    rate
        Trades a minute, on average.
    signal
        From 0, no drift, to 1.

    """

    def __init__(self, market: str, seed: int, rate: float, signal: float) -> None:
        self.grid = Grid.of(market)
        self._rate, self._signal = rate, signal
        self._scale = float(1.0 / np.sqrt(1.0 + signal * signal))
        self._minutes, self._kinds, self._gaps, self._sides, self._moves, self._sizes = (
            _Draws(seed, market, purpose) for purpose in range(6)
        )
        self._variance = self._activity = 1.0
        self._pressure = 0.0
        self._mid = self.grid.ticks
        self._side = 1
        self._last: Time | None = None
        self._waiting: Float64 = np.empty(0)
        self._swept: Bools = np.empty(0, bool)

    def hour(self, start: Time) -> Hour:
        """Return the next hour, which begins at `start`."""
        season = _SEASON[start // HOUR % len(_SEASON)]
        variance, activity, pressure, spread = self._weather(season)
        ts, minute, sweeps = self._arrivals(start, activity)
        side, surprise = self._aggressors(pressure[minute], sweeps)
        since = np.diff(ts, prepend=start if self._last is None else self._last)
        elapsed = since / MINUTE
        sigma = np.sqrt(variance) * (_VOLATILITY * self._scale)
        impact = sigma * np.sqrt(_IMPACT / ((1 - _SWEEP) * _VARIANCE_OF_SURPRISE * activity))
        drift = pressure * (self._signal * _DRIFT * _VOLATILITY * self._scale)
        mid = self._walk(
            elapsed, np.sqrt(1 - _IMPACT) * sigma[minute], impact[minute] * surprise, drift[minute]
        )
        wide = spread[minute]
        step = np.maximum(wide // 2, 1)
        bid = mid - wide // 2
        ask = bid + wide
        through = step * _rank(sweeps)
        price = np.where(side > 0, ask + through, bid - through)
        if len(ts):
            self._last, self._side, self._mid = int(ts[-1]), int(side[-1]), int(mid[-1])
        sizes = 1.0 / np.sqrt(1.0 - self._sizes.take(len(ts)))
        lots = np.minimum(sizes, 50.0) * self.grid.lots
        return Hour(ts, price, lots.astype(np.int64) + 1, side, ~sweeps, bid, ask, step)

    def _weather(self, season: float) -> tuple[Float64, Float64, Float64, Int64]:
        """Return variance, trades, pressure and spread of each minute."""
        draws = self._minutes.take(MINUTES * 8).reshape(MINUTES, 8)
        shocks = 0.4 + np.where(draws[:, 0] < 0.02, 60.0 * draws[:, 1], 0.0)  # noqa: PLR2004
        bursts = tail(draws[:, 2])
        turns = (draws[:, 3] + draws[:, 4] + draws[:, 5] - 1.5) * 2.0
        variance, activity, pressure = np.empty(MINUTES), np.empty(MINUTES), np.empty(MINUTES)
        fresh = 0.3122498999199199  # the square root of 1 - 0.95 squared
        for minute, (shock, burst, turn) in enumerate(
            zip(shocks.tolist(), bursts.tolist(), turns.tolist(), strict=True)
        ):
            self._variance = 0.985 * self._variance + 0.015 * shock
            self._activity = 0.7 * self._activity + 0.3 * burst
            self._pressure = 0.95 * self._pressure + fresh * turn
            variance[minute] = self._variance * season
            activity[minute] = 0.5 * (self._activity + self._variance)
            pressure[minute] = self._pressure
        ticks = variance * (0.5 + draws[:, 6]) * (self._mid * 1e-5)
        return variance, activity * (season * self._rate), pressure, ticks.astype(np.int64) + 1

    def _arrivals(self, start: Time, activity: Float64) -> tuple[Int64, Int64, Bools]:
        """Return time, minute, and whether it goes on with the same order, of each trade."""
        until = np.concatenate(([0.0], np.add.accumulate(activity)))
        when = np.add.accumulate(self._waiting)
        while not len(when) or when[-1] < until[-1]:
            self._draw_gaps(int(until[-1]) + 256)
            when = np.add.accumulate(self._waiting)
        count = int(np.searchsorted(when, until[-1]))
        now, sweeps = when[:count], self._swept[:count]
        self._waiting = np.concatenate(([when[count] - until[-1]], self._waiting[count + 1 :]))
        self._swept = self._swept[count:]
        minute = np.searchsorted(until, now, side="right") - 1
        part = (now - until[minute]) / activity[minute]
        ms = (part * (MINUTE // _MS)).astype(np.int64) + minute * (MINUTE // _MS)
        return start + ms * _MS, minute, sweeps

    def _draw_gaps(self, count: int) -> None:
        kinds = self._kinds.take(count)
        sweeps = kinds < _SWEEP
        scale = np.where(kinds < _SWEEP + _ANSWER, _ANSWER_GAP, _NEW_GAP)
        gaps = np.where(sweeps, 0.0, scale * tail(self._gaps.take(count)))
        self._waiting = np.concatenate((self._waiting, gaps))
        self._swept = np.concatenate((self._swept, sweeps))

    def _aggressors(self, pressure: Float64, sweeps: Bools) -> tuple[Int8, Float64]:
        """Return the sides, and how far each is from what could be expected of it."""
        count = len(sweeps)
        draws = self._sides.take(2 * count).reshape(count, 2)
        lean = np.minimum(np.maximum(_PRESSURE * pressure, -0.6), 0.6)
        own = np.where(2.0 * draws[:, 0] < 1.0 + lean, 1, -1)
        follows = sweeps | (draws[:, 1] < _HERD)
        leader = np.maximum.accumulate(np.where(follows, -1, np.arange(count)))
        side = np.where(leader < 0, self._side, own[leader])
        before = np.concatenate(([self._side], side[:-1]))[:count]
        surprise = np.where(sweeps, 0.0, side - (_HERD * before + (1 - _HERD) * lean))
        return side.astype(np.int8), surprise

    def _walk(self, elapsed: Float64, sigma: Float64, impact: Float64, drift: Float64) -> Int64:
        """Return the middle price behind each move, in ticks.

        A move is rounded up or down by chance, so that it is what it should be on average.
        """
        draws = self._moves.take(4 * len(elapsed)).reshape(-1, 4)
        shake = (draws[:, 0] + draws[:, 1] + draws[:, 2] - 1.5) * 2.0
        moves = np.sqrt(elapsed) * sigma * shake + impact + drift * elapsed
        ticks = np.floor(moves * self._mid + draws[:, 3]).astype(np.int64)
        mid: Int64 = np.maximum(self._mid + np.add.accumulate(ticks), 100)
        return mid


def _rank(sweeps: Bools) -> Int64:
    """Return how many prints of the same order came before, as far as the book has levels."""
    places = np.arange(len(sweeps))
    first = np.maximum.accumulate(np.where(sweeps, 0, places))
    rank: Int64 = np.minimum(places - first, _LEVELS - 1)
    return rank
