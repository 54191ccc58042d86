"""Moving averages of candles' closes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from math import fsum, isnan, log, nan, sqrt
from operator import mul
from typing import Protocol

from operators.operator import operator
from operators.tape import Tape, run
from schemas import Averages, Candle, Event

_UNITS = 2.0**256
"""Of a simple average's sum, in one: the last bit of every close above 1e-61 is one or more."""


class Average(Protocol):
    """A function of the candles so far. It pickles."""

    def update(self, close: float, volume: float) -> float:
        """Take a candle; return the average, NaN while the window is not full."""
        ...


class SimpleMovingAverage:
    """The mean of the last `window` closes: their exactly rounded sum, so that a tie is a tie.

    The sum is a whole number, of units so small that every close is one: it moves on by what
    comes and what goes, at the same cost for any window, and nothing drifts.

    Examples
    --------
    >>> sma = SimpleMovingAverage(3)
    >>> [sma.update(x) for x in (1.0, 2.0, 6.0, 7.0)]
    [nan, nan, 3.0, 5.0]

    """

    __slots__ = ("closes", "left", "total", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.left = window
        self.closes: deque[int] = deque([0] * window, window)
        self.total = 0

    def update(self, close: float, volume: float = 0.0) -> float:
        """Take a close, between 1e-61 and 1e230."""
        exact = int(close * _UNITS)
        self.total = total = self.total + exact - self.closes[0]
        self.closes.append(exact)
        if self.left > 1:
            self.left -= 1
            return nan
        return float(total) / _UNITS / self.window


class ExponentialMovingAverage:
    """Each close weighs `2 / (window + 1)`, what was before the rest; it starts at the first.

    Examples
    --------
    >>> ema = ExponentialMovingAverage(3)
    >>> [ema.update(x) for x in (1.0, 2.0, 6.0, 7.0)]
    [nan, nan, 3.75, 5.375]

    """

    __slots__ = ("left", "mean", "weight")

    def __init__(self, window: int) -> None:
        self.weight = 2 / (window + 1)
        self.left = window
        self.mean = nan

    def update(self, close: float, volume: float = 0.0) -> float:
        """Take a close."""
        self.mean = close if isnan(self.mean) else self.mean + self.weight * (close - self.mean)
        self.left = max(self.left - 1, 0)
        return nan if self.left else self.mean


class WilderMovingAverage:
    """Each close weighs `1 / window`, what was before the rest; it starts at the first mean.

    Wilder, New Concepts in Technical Trading Systems, 1978.

    Examples
    --------
    >>> wilder = WilderMovingAverage(2)
    >>> [wilder.update(x) for x in (1.0, 3.0, 6.0)]
    [nan, 2.0, 4.0]

    """

    __slots__ = ("first", "mean", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.first = SimpleMovingAverage(window)
        self.mean = nan

    def update(self, close: float, volume: float = 0.0) -> float:
        """Take a close."""
        if isnan(self.mean):
            self.mean = self.first.update(close)
        else:
            self.mean = (self.mean * (self.window - 1) + close) / self.window
        return self.mean


class WeightedMovingAverage:
    """The last `window` closes with weights 1, 2, ... `window`, the newest the heaviest.

    Examples
    --------
    >>> wma = WeightedMovingAverage(2)
    >>> [wma.update(x) for x in (1.0, 4.0, 7.0)]
    [nan, 3.0, 6.0]

    """

    __slots__ = ("closes", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.closes: deque[float] = deque(maxlen=window)

    def update(self, close: float, volume: float = 0.0) -> float:
        """Take a close."""
        self.closes.append(close)
        if len(self.closes) < self.window:
            return nan
        return fsum(map(mul, self.closes, count(1))) / (self.window * (self.window + 1) / 2)


class VolumeWeightedMovingAverage:
    """The last `window` closes weighted by volume; their mean where there was none.

    Examples
    --------
    >>> vwma = VolumeWeightedMovingAverage(2)
    >>> [vwma.update(*x) for x in ((1.0, 0.0), (4.0, 0.0), (7.0, 2.0), (8.0, 6.0))]
    [nan, 2.5, 7.0, 7.75]

    """

    __slots__ = ("closes", "volumes", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        self.closes: deque[float] = deque(maxlen=window)
        self.volumes: deque[float] = deque(maxlen=window)

    def update(self, close: float, volume: float) -> float:
        """Take a close and the candle's volume."""
        self.closes.append(close)
        self.volumes.append(volume)
        if len(self.closes) < self.window:
            return nan
        total = fsum(self.volumes)
        if not total:
            return fsum(self.closes) / self.window
        return fsum(map(mul, self.closes, self.volumes)) / total


class Volatility:
    """The root of the exponential average of squared log returns: a volatility a candle.

    The weights are those of `ExponentialMovingAverage`; the mean return is taken as 0, as
    RiskMetrics does (J. P. Morgan, RiskMetrics Technical Document, 1996, section 5.2).

    Examples
    --------
    >>> volatility = Volatility(2)
    >>> [round(volatility.update(x), 6) for x in (100.0, 101.0, 100.0)]
    [nan, nan, 0.00995]

    """

    __slots__ = ("close", "squares")

    def __init__(self, window: int) -> None:
        self.squares = ExponentialMovingAverage(window)
        self.close = nan

    def update(self, close: float, volume: float = 0.0) -> float:
        """Take a close."""
        before, self.close = self.close, close
        if isnan(before):
            return nan
        return sqrt(self.squares.update(log(close / before) ** 2))


_KINDS: dict[str, Callable[[int], Average]] = {
    "sma": SimpleMovingAverage,
    "ema": ExponentialMovingAverage,
    "wilder": WilderMovingAverage,
    "wma": WeightedMovingAverage,
    "vwma": VolumeWeightedMovingAverage,
    "volatility": Volatility,
}


class MovingAverages:
    """Put the averages behind each candle, once the longest window is full.

    Parameters
    ----------
    windows
        For each kind (`sma`, `ema`, `wilder`, `wma`, `vwma`, `volatility`) its windows, in
        candles. An average is called after both, such as `sma20`.
    of
        The kind of candles to take, such as `1m`; all, if `None`.

    Examples
    --------
    >>> from operators.candles import ThresholdCandles
    >>> from schemas import Trades
    >>> trades = Trades.of("m", [1, 2, 3], [7.0, 9.0, 8.0], [1.0, 1.0, 1.0])
    >>> candles = [out for out in ThresholdCandles("count", 1)(trades) if type(out) is Candle]
    >>> machine = MovingAverages({"sma": (1, 2)})
    >>> [out.values for each in candles for out in machine(each) if type(out) is Averages]
    [{'sma1': 9.0, 'sma2': 8.0}, {'sma1': 8.0, 'sma2': 8.5}]

    Notes
    -----
    State: some 40 bytes a candle of each window; exponential averages have no window to keep.

    """

    reads: frozenset[type[Event]] = frozenset({Candle})

    def __init__(self, windows: dict[str, tuple[int, ...]], of: str | None = None) -> None:
        for kind, lengths in windows.items():
            if not isinstance(lengths, Sequence) or any(  # type: ignore[redundant-expr] # few flows are type-checked
                type(window) is not int or window < 1 for window in lengths
            ):
                msg = (
                    f"{kind} windows must be whole numbers of candles above 0, such as (5, 20), "
                    f"not {lengths}"
                )
                raise ValueError(msg)
        self.of = of
        self.state: dict[str, Average] = {
            f"{kind}{window}": _KINDS[kind](window)
            for kind, lengths in windows.items()
            for window in lengths
        }
        self._warm = False
        if not self.state:
            msg = f"name at least one window: {', '.join(f'{kind}=(20,)' for kind in _KINDS)}"
            raise ValueError(msg)

    @property
    def shape(self) -> object:
        """The windows that a state holds."""
        return ("averages", 2, tuple(self.state), self.of)

    def __call__(self, event: Event) -> Iterable[Event]:
        """Return the candle, and its averages behind it."""
        assert isinstance(event, Candle)  # noqa: S101 - the only kind it reads
        if self.of is not None and event.kind != self.of:
            return (event,)
        close, volume = event.close, event.volume
        values = {name: average.update(close, volume) for name, average in self.state.items()}
        if self._warm or not any(map(isnan, values.values())):
            self._warm = True  # once full, a window stays so: a hint, no state
            return (event, Averages(event.market, event.ts, values))
        return (event,)


@operator
def averages(
    step_id: str,
    tape: Tape,
    sma: tuple[int, ...] = (),
    ema: tuple[int, ...] = (),
    wilder: tuple[int, ...] = (),
    wma: tuple[int, ...] = (),
    vwma: tuple[int, ...] = (),
    volatility: tuple[int, ...] = (),
    of: str | None = None,
) -> Tape:
    """Add moving averages of the close behind each candle, once the longest window is full.

    Parameters
    ----------
    sma, ema, wilder, wma, vwma
        Windows, in candles: simple, exponential, Wilder's, linearly weighted, volume-weighted.
    volatility
        Windows of the exponential volatility of log returns a candle.
    of
        The kind of candles to take, such as `1m`, where a flow makes several; all, if `None`.

    """
    windows = {
        "sma": sma,
        "ema": ema,
        "wilder": wilder,
        "wma": wma,
        "vwma": vwma,
        "volatility": volatility,
    }
    return run("averages", tape, lambda: MovingAverages(windows, of))
