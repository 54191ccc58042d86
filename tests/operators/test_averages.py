from __future__ import annotations

import pickle
from collections.abc import Callable, Container, Iterator
from fractions import Fraction
from functools import partial
from itertools import pairwise
from math import isclose, isnan, log, nan, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.averages import (
    Average,
    ExponentialMovingAverage,
    MovingAverages,
    SimpleMovingAverage,
    Volatility,
    VolumeWeightedMovingAverage,
    WeightedMovingAverage,
    WilderMovingAverage,
    averages,
)
from operators.candles import TimeCandles
from operators.tape import Tape
from schemas import MINUTE, Averages, Candle, Event, Heartbeat
from tests.operators.helpers import in_a_flow, wired
from tests.tapes import MARKET, canonical, chop, cuts, play, tapes, witnessed

CLOSE = st.floats(1, 1e6, width=32)
VOLUME = st.sampled_from([0.0, 0.0, 0.1, 0.3, 1.0, 1e7 / 3])
CANDLES = st.lists(st.tuples(CLOSE, VOLUME), max_size=16)
WINDOW = st.integers(1, 8)
KINDS: dict[str, Callable[[int], Average]] = {
    "sma": SimpleMovingAverage,
    "ema": ExponentialMovingAverage,
    "wilder": WilderMovingAverage,
    "wma": WeightedMovingAverage,
    "vwma": VolumeWeightedMovingAverage,
    "volatility": Volatility,
}


def read(average: Average, candles: list[tuple[float, float]]) -> list[float]:
    return [average.update(close, volume) for close, volume in candles]


def same(ours: list[float], plain: list[float], tolerance: float = 1e-12) -> bool:
    """Tell whether numbers agree, beside the greatest of them, and miss at the same places."""
    scale = max((abs(x) for x in plain if not isnan(x)), default=0.0)
    return len(ours) == len(plain) and all(
        (isnan(a) and isnan(b)) or isclose(a, b, rel_tol=0, abs_tol=tolerance * scale)
        for a, b in zip(ours, plain, strict=True)
    )


# Each against its definition, in exact fractions --------------------------------------------------


def windows(candles: list[tuple[float, float]], window: int) -> Iterator[list[list[Fraction]]]:
    for end in range(1, len(candles) + 1):
        part = candles[max(end - window, 0) : end]
        yield [[Fraction(x) for x in column] for column in zip(*part, strict=True)]


@given(CANDLES, WINDOW)
def test_a_simple_average_is_the_exactly_rounded_sum_over_its_length(
    candles: list[tuple[float, float]], window: int
) -> None:
    plain = [
        float(sum(closes)) / window if len(closes) == window else nan
        for closes, _ in windows(candles, window)
    ]
    assert same(read(SimpleMovingAverage(window), candles), plain, tolerance=0)


@given(CANDLES, WINDOW)
def test_a_weighted_average_weighs_the_newest_most(
    candles: list[tuple[float, float]], window: int
) -> None:
    plain = [
        float(sum(i * x for i, x in enumerate(closes, 1)) / sum(range(1, window + 1)))
        if len(closes) == window
        else nan
        for closes, _ in windows(candles, window)
    ]
    assert same(read(WeightedMovingAverage(window), candles), plain)


@given(CANDLES, WINDOW)
def test_a_volume_weighted_average_weighs_by_volume_and_else_all_alike(
    candles: list[tuple[float, float]], window: int
) -> None:
    plain = []
    for closes, volumes in windows(candles, window):
        total = sum(volumes)
        weighted = sum(x * y for x, y in zip(closes, volumes, strict=True))
        mean = weighted / total if total else sum(closes) / Fraction(window)
        plain.append(float(mean) if len(closes) == window else nan)
    assert same(read(VolumeWeightedMovingAverage(window), candles), plain)


def smoothed(values: list[Fraction], weight: Fraction) -> list[Fraction]:
    means = values[:1]
    for value in values[1:]:
        means.append(weight * value + (1 - weight) * means[-1])
    return means


@given(CANDLES, WINDOW)
def test_an_exponential_average_starts_at_the_first_value(
    candles: list[tuple[float, float]], window: int
) -> None:
    means = smoothed([Fraction(close) for close, _ in candles], Fraction(2, window + 1))
    plain = [nan if i < window - 1 else float(mean) for i, mean in enumerate(means)]
    assert same(read(ExponentialMovingAverage(window), candles), plain)


@given(CANDLES, WINDOW)
def test_wilders_average_starts_at_the_mean_of_its_first_values(
    candles: list[tuple[float, float]], window: int
) -> None:
    closes = [Fraction(close) for close, _ in candles]
    first = [sum(closes[:window], Fraction(0)) / window] if len(closes) >= window else []
    means = smoothed([*first, *closes[window:]], Fraction(1, window))
    plain = [nan] * min(window - 1, len(closes)) + [float(mean) for mean in means]
    assert same(read(WilderMovingAverage(window), candles), plain)


@given(CANDLES, WINDOW)
def test_volatility_is_the_root_of_the_mean_squared_log_return(
    candles: list[tuple[float, float]], window: int
) -> None:
    closes = [close for close, _ in candles]
    returns = [log(b / a) for a, b in pairwise(closes)]
    squares = smoothed([Fraction(x) ** 2 for x in returns], Fraction(2, window + 1))
    plain = [nan] * bool(closes) + [
        nan if i < window - 1 else sqrt(square) for i, square in enumerate(squares)
    ]
    assert same(read(Volatility(window), candles), plain, tolerance=1e-7)


# Laws ---------------------------------------------------------------------------------------------


@given(
    st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.7, 1e-8, 1e9]), min_size=6, max_size=6), st.data()
)
def test_a_tie_of_two_averages_is_a_tie(closes: list[float], data: st.DataObject) -> None:
    turned = data.draw(st.permutations(closes))
    means = [read(SimpleMovingAverage(6), [(x, 0.0) for x in order]) for order in (closes, turned)]
    assert means[0][-1] == means[1][-1]
    double = read(SimpleMovingAverage(12), [(x, 0.0) for x in [*closes, *turned]])
    assert double[-1] == means[0][-1]


@pytest.mark.parametrize("kind", ["sma", "wma", "vwma"])
def test_a_window_does_not_drift(kind: str) -> None:
    long, fresh = KINDS[kind](20), KINDS[kind](20)
    closes = [(1e9 if i % 97 == 0 else 0.1) + i % 13 / 7 for i in range(20_000)]
    assert (
        read(long, [(x, x) for x in closes])[-1] == read(fresh, [(x, x) for x in closes[-20:]])[-1]
    )


@pytest.mark.parametrize("kind", KINDS)
@given(CANDLES, WINDOW, st.integers(0, 30))
def test_an_average_pickles_between_any_two_candles(
    kind: str, candles: list[tuple[float, float]], window: int, cut: int
) -> None:
    average = KINDS[kind](window)
    head = read(average, candles[:cut])
    tail = read(pickle.loads(pickle.dumps(average)), candles[cut:])
    assert repr(head + tail) == repr(read(KINDS[kind](window), candles))


ALL = partial(
    MovingAverages,
    {"sma": (1, 3), "ema": (2,), "wilder": (3,), "wma": (2,), "vwma": (4,), "volatility": (2,)},
)


@settings(max_examples=50)
@given(tapes(kinds=("trade", "burst", "heartbeat", "gap")), cuts(), cuts())
def test_no_cut_and_no_restart_changes_an_average(
    tape: list[Event], cut: Container[int], restarts: Container[int]
) -> None:
    tape = play(lambda: TimeCandles(30 * MINUTE), tape)
    assert witnessed(ALL, chop(tape, cut), restarts) == witnessed(ALL, tape)


@settings(max_examples=50)
@given(tapes(kinds=("trade", "burst", "heartbeat", "gap")))
def test_averages_stand_right_behind_each_candle_from_the_longest_window_on(
    tape: list[Event],
) -> None:
    tape = play(lambda: TimeCandles(30 * MINUTE), tape)
    plain, closes = list[Event](), list[float]()
    for event in tape:
        plain.append(event)
        if isinstance(event, Candle):
            closes.append(event.close)
            if len(closes) >= 3:
                means = {f"sma{n}": float(sum(map(Fraction, closes[-n:]))) / n for n in (1, 3)}
                plain.append(Averages(MARKET, event.ts, means))
    assert canonical(play(lambda: MovingAverages({"sma": (1, 3)}), tape)) == canonical(plain)


# Cases --------------------------------------------------------------------------------------------


def candle(close: float, kind: str = "1m", count: int = 1) -> Candle:
    return Candle(
        MARKET, 7, kind, 0, 6, close, close, close, close, 1.0, close,
        count, 0.0, 0.0, 0, 0, close, "", "", 1, 1, complete=False,
    )  # fmt: skip


def means(machine: MovingAverages, tape: list[Event]) -> list[Averages]:
    return [event for event in play(lambda: machine, tape) if isinstance(event, Averages)]


def test_incomplete_and_flat_candles_count() -> None:
    out = means(MovingAverages({"sma": (2,)}), [candle(1.0), candle(2.0, count=0)])
    assert out == [Averages(MARKET, 7, {"sma2": 1.5})]


def test_only_candles_of_the_kind_asked_for_count() -> None:
    tape: list[Event] = [candle(1.0), candle(9.0, "5m"), candle(2.0), Heartbeat(MARKET, 8)]
    assert [m.sma1 for m in means(MovingAverages({"sma": (1,)}, "1m"), tape)] == [1.0, 2.0]


def test_averages_hold_plain_numbers() -> None:
    (out,) = means(ALL(), [candle(float(x)) for x in range(1, 5)])
    assert {type(value) for value in out.values.values()} == {float}


@pytest.mark.parametrize(
    "windows", [{"sma": (0,)}, {"ema": (5, -1)}, {"wma": (2.0,)}, {"vwma": (True,)}, {"sma": 5}]
)
def test_bad_windows_are_refused_and_shown(windows: dict[str, tuple[int, ...]]) -> None:
    ((kind, lengths),) = windows.items()
    with pytest.raises(ValueError, match=f"{kind} windows must be whole numbers") as refused:
        MovingAverages(windows)
    assert str(lengths) in str(refused.value)


def test_no_windows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"name at least one window: sma=\(20,\)"):
        MovingAverages({"sma": ()})


def test_other_windows_are_another_shape() -> None:
    shapes = [
        MovingAverages({"sma": w}, of).shape for w, of in [((5,), None), ((6,), None), ((5,), "1m")]
    ]
    assert len(set(map(str, shapes))) == 3


def test_the_operator_adds_all_kinds() -> None:
    def step(tape: Tape) -> Tape:
        return averages("a", tape, (1,), (1,), (1,), (1,), (1,), (1,))

    out = in_a_flow([candle(2.0), candle(2.0)], step)
    (last,) = (event for event in out[2:] if isinstance(event, Averages))
    assert last.values == {
        "sma1": 2.0, "ema1": 2.0, "wilder1": 2.0, "wma1": 2.0, "vwma1": 2.0, "volatility1": 0.0,
    }  # fmt: skip


def test_bad_settings_are_told_where_the_flow_is_built() -> None:
    with pytest.raises(ValueError, match=r"above 0, such as \(5, 20\), not \(0,\)"):
        wired([], lambda tape: averages("a", tape, sma=(0,)))
