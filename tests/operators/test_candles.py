from __future__ import annotations

import pickle
from collections.abc import Callable, Container, Iterable, Iterator
from datetime import timedelta
from functools import partial
from math import inf, nan
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.candles import ThresholdCandles, TimeCandles, candles
from operators.tape import Machine
from schemas import DAY, MINUTE, SECOND, Book, Candle, Event, Gap, Heartbeat, Time, Trades
from tests.operators.helpers import in_a_flow, wired
from tests.tapes import (
    MARKET,
    SIZES,
    START,
    Trade,
    canonical,
    chop,
    cuts,
    play,
    rows,
    sliced,
    tapes,
    trades_of,
    witnessed,
)

Measure = Literal["count", "volume", "quote_volume"]

EVERY: dict[Time, str] = {MINUTE: "1m", 7 * MINUTE: "7m", 60 * MINUTE: "1h", DAY: "1d"}
THRESHOLDS: list[tuple[Measure, float, str]] = [
    ("count", 1, "1 trades"),
    ("count", 7, "7 trades"),
    ("count", 100, "100 trades"),
    ("volume", 0.3, "0.3 base"),
    ("volume", 20_000.0, "20000 base"),
    ("quote_volume", 50.0, "50 quote"),
    ("quote_volume", 1e6, "1000000 quote"),
]


# The reference: DESIGN 5, a row at a time ---------------------------------------------------------


def candle(
    ts: Time, kind: str, start: Time, end: Time, trades: list[Trade], last: Trade, complete: bool
) -> Candle:
    """Return the candle of some trades, or the flat one behind the trade `last`."""
    prices = [trade.price for trade in trades] or [last.price]
    volume = quote = bought = sold = 0.0
    for trade in trades:
        volume += trade.size
        quote += trade.price * trade.size
        bought += trade.size if trade.side == 1 else 0.0
        sold += trade.size if trade.side == -1 else 0.0
    first, last = (trades[0], trades[-1]) if trades else (last, last)
    sides = [trade.side for trade in trades]
    return Candle(
        MARKET, ts, kind, start, end,
        prices[0], max(prices), min(prices), prices[-1],
        volume, quote / volume if trades else last.price,
        len(trades), bought, sold, sides.count(1), sides.count(-1), quote,
        "" if first.id is None else str(first.id), "" if last.id is None else str(last.id),
        first.ts, last.ts, complete,
    )  # fmt: skip


def by_time(tape: list[Event], every: Time, kind: str) -> Iterator[Trade | Event]:
    """Put behind each row the candles it closes."""
    inside: list[Trade] = []
    last: Trade | None = None
    start: Time | None = None
    time = -1
    complete = broken = False
    for row in rows(tape):
        yield row
        if isinstance(row, Gap):
            complete, broken = False, True
        if not isinstance(row, (Trade, Book, Heartbeat)):
            continue
        silent, time = 0 <= time < row.ts - DAY, row.ts
        begins = time // every * every
        if last is not None and start is not None and time >= start + every:
            yield candle(time, kind, start, start + every, inside, last, complete)
            for flat in range(begins if silent else start + every, begins, every):
                yield candle(time, kind, flat, flat + every, [], last, not broken)
            inside, start, complete = [], begins, not broken
        if start is not None or isinstance(row, Trade):
            broken = False
        if isinstance(row, Trade):
            inside.append(row)
            last, start = row, begins


def by_amount(
    tape: list[Event], measure: Measure, threshold: float, kind: str
) -> Iterator[Trade | Event]:
    """Put a candle behind each trade with which the sum reaches the threshold."""
    inside: list[Trade] = []
    amount, complete = 0.0, False
    for row in rows(tape):
        yield row
        if isinstance(row, Gap):
            complete = False
        if not isinstance(row, Trade):
            continue
        inside.append(row)
        amount += {"count": 1, "volume": row.size, "quote_volume": row.price * row.size}[measure]
        if amount >= threshold:
            yield candle(row.ts, kind, inside[0].ts, row.ts, inside, row, complete)
            inside, amount, complete = [], 0.0, True


def written(reference: Iterator[Trade | Event]) -> list[str]:
    return [repr(row) for row in reference]


# Laws ---------------------------------------------------------------------------------------------

MACHINES: list[Callable[[], Machine]] = [
    *(partial(TimeCandles, every) for every in EVERY),
    *(partial(ThresholdCandles, measure, threshold) for measure, threshold, _ in THRESHOLDS),
]


@settings(max_examples=200)
@given(tapes(), st.sampled_from([*EVERY]))
def test_time_candles_are_those_of_a_plain_loop(tape: list[Event], every: Time) -> None:
    out = play(partial(TimeCandles, every), tape)
    assert canonical(out) == written(by_time(tape, every, EVERY[every]))


@settings(max_examples=150)
@given(tapes(), st.sampled_from(THRESHOLDS))
def test_threshold_candles_are_those_of_a_plain_loop(
    tape: list[Event], setting: tuple[Measure, float, str]
) -> None:
    out = play(partial(ThresholdCandles, *setting[:2]), tape)
    assert canonical(out) == written(by_amount(tape, *setting))


@settings(max_examples=150)
@given(tapes(), st.sampled_from(MACHINES), cuts(), cuts())
def test_no_cut_and_no_restart_changes_a_candle(
    tape: list[Event],
    machine: Callable[[], Machine],
    cut: Container[int],
    restarts: Container[int],
) -> None:
    whole = witnessed(machine, chop(tape))
    assert witnessed(machine, chop(tape, cut), restarts) == whole


@given(tapes(), st.sampled_from(MACHINES))
def test_trades_pass_through_whole_and_in_order(
    tape: list[Event], machine: Callable[[], Machine]
) -> None:
    assert trades_of(play(machine, tape)) == trades_of(tape)


@pytest.mark.parametrize("step", [0, SECOND, 20 * SECOND])
@given(st.integers(0, 9_999), st.sampled_from(MACHINES), cuts(3000))
@settings(max_examples=10)
def test_long_slices_add_from_left_to_right(
    step: Time, seed: int, machine: Callable[[], Machine], cut: Container[int]
) -> None:
    random, many = np.random.default_rng(seed), 3_000
    ts = START + np.cumsum(random.choice([0, 0, 1, step], many))
    price, size = random.uniform(1, 1e5, many), random.choice(SIZES, many) * random.random(many)
    side = random.integers(-1, 2, many).astype(np.int8)
    tape: list[Event] = [Trades.of(MARKET, ts, price, size, side)]
    out = canonical(play(machine, chop(tape, cut)))
    made = machine()
    if isinstance(made, TimeCandles):
        assert out == written(by_time(tape, made.every, made.kind))
    else:
        assert isinstance(made, ThresholdCandles)
        assert out == written(by_amount(tape, made.measure, made.threshold, made.kind))  # type: ignore[arg-type]


@given(tapes(), st.sampled_from(MACHINES))
def test_a_slice_that_nothing_cuts_is_passed_on_as_it_is(
    tape: list[Event], machine: Callable[[], Machine]
) -> None:
    made = machine()
    for event in tape:
        out = list(made(event)) if type(event) in made.reads else [event]
        if len(out) == 1:
            assert out[0] is event


# Cases --------------------------------------------------------------------------------------------


def trade(second: float, price: float = 1.0, size: float = 1.0) -> Trades:
    ts = START + round(second * SECOND)
    return sliced([Trade(MARKET, ts, price, size, 1, None, ts, None)])


def beat(second: float) -> Heartbeat:
    return Heartbeat(MARKET, START + round(second * SECOND))


def gap(second: float, why: str = "disconnect", end: float = 0) -> Gap:
    ts = START + round(second * SECOND)
    return Gap(MARKET, ts, why, ts, START + round(end * SECOND))


def minutes(tape: Iterable[Event]) -> list[Candle]:
    return [event for event in play(lambda: TimeCandles(MINUTE), tape) if isinstance(event, Candle)]


def hundreds(tape: Iterable[Event]) -> list[Candle]:
    out = play(lambda: ThresholdCandles("volume", 100.0), tape)
    return [event for event in out if isinstance(event, Candle)]


def test_a_trade_on_the_boundary_closes_the_candle_and_belongs_to_the_next() -> None:
    out = play(lambda: TimeCandles(MINUTE), [trade(59.9, 7.0), trade(60, 9.0), trade(120)])
    assert [type(event).__name__ for event in out] == [
        "Trades", "Trades", "Candle", "Trades", "Candle",
    ]  # fmt: skip
    first, second = (event for event in out if isinstance(event, Candle))
    assert (first.close, first.ts, first.end) == (7.0, START + MINUTE, START + MINUTE)
    assert (second.open, second.start) == (9.0, START + MINUTE)


@pytest.mark.parametrize(
    "sign", [beat(60), Book(MARKET, START + MINUTE, [], [])], ids=["heartbeat", "book"]
)
def test_a_book_and_a_heartbeat_close_a_candle(sign: Event) -> None:
    out = play(lambda: TimeCandles(MINUTE), [trade(1), beat(59.9), sign])
    assert [type(event) for event in out[2:]] == [type(sign), Candle]


def test_signs_of_life_alone_make_no_candle() -> None:
    assert not minutes([beat(1), beat(61), beat(1000)])


def test_the_end_of_the_tape_closes_nothing() -> None:
    assert not minutes([trade(1), beat(59.9)])


def test_a_quiet_minute_is_a_flat_candle_at_the_last_close() -> None:
    _, flat, _ = minutes([trade(1, 7.0), trade(2, 8.0, 3.0), beat(185)])
    last = START + 2 * SECOND
    assert flat == Candle(
        MARKET, START + 185 * SECOND, "1m", START + MINUTE, START + 2 * MINUTE,
        8.0, 8.0, 8.0, 8.0, 0.0, 8.0, 0, 0.0, 0.0, 0, 0, 0.0, "", "", last, last, True,
    )  # fmt: skip


def test_only_whole_minutes_without_a_gap_are_complete() -> None:
    tape: list[Event] = [
        trade(1), trade(61), trade(121), gap(122), trade(123), trade(181),
        gap(239), trade(241), trade(301), gap(350), beat(421), beat(481), beat(541),
    ]  # fmt: skip
    assert [c.complete for c in minutes(tape)] == [
        False,  # the first
        True,
        False,  # a gap in it
        False,  # a gap at its end
        False,  # and in front of this one
        False,  # a gap, and quiet ever since:
        False,
        False,  # the next sign of life lies in this one
        True,
    ]


@pytest.mark.parametrize(("after", "flats"), [(86_400, 1439), (86_400 + 1e-9, 0), (10**6, 0)])
def test_a_silence_of_more_than_a_day_makes_no_flat_candles(after: float, flats: int) -> None:
    ts = START + 30 * SECOND + round(after * 10**9)
    silence = [Gap(MARKET, START, "silence", START, ts)] if not flats else []
    made = minutes([trade(30), *silence, Heartbeat(MARKET, ts)])
    assert [c.count for c in made] == [1, *[0] * flats]


def test_a_day_that_follows_a_silence_starts_anew() -> None:
    day = 86_400
    tape: list[Event] = [
        trade(30),
        gap(30, "silence", 30 + day + 1),
        trade(30 + day + 1),
        trade(30 + day + 61),
    ]
    first, second = minutes(tape)
    assert (first.complete, second.complete, second.count) == (False, False, 1)


def test_a_trade_is_never_split() -> None:
    made = hundreds([trade(1, size=99.0), trade(2, size=250.0), trade(3, size=100.0)])
    assert [c.volume for c in made] == [349.0, 100.0]


def test_reaching_the_threshold_exactly_is_enough() -> None:
    assert [c.count for c in hundreds([trade(1, size=60.0), trade(2, size=40.0)])] == [2]


def test_a_gap_spoils_the_candle_it_lies_in_and_no_other() -> None:
    tape: list[Event] = [
        trade(1, size=100.0),
        trade(2, size=50.0),
        gap(2),
        *[trade(3, size=50.0)] * 3,
    ]
    assert [c.complete for c in hundreds(tape)] == [False, False, True]
    tape = [trade(1, size=100.0), gap(2), trade(3, size=100.0), trade(4, size=100.0)]
    assert [c.complete for c in hundreds(tape)] == [False, False, True]


def test_side_0_counts_in_volume_and_in_neither_side() -> None:
    ts = [START + 1, START + 2, START + 3, START + MINUTE]
    tape = Trades.of(MARKET, ts, [1.0] * 4, [1.0, 2.0, 4.0, 9.0], [1, 0, -1, 1])
    (made,) = minutes([tape])
    assert (made.volume, made.buy_volume, made.sell_volume) == (7.0, 1.0, 4.0)
    assert (made.count, made.buy_count, made.sell_count) == (3, 1, 1)


@pytest.mark.parametrize(
    ("every", "kind"),
    [(SECOND, "1s"), (90 * SECOND, "90s"), (MINUTE, "1m"), (1_500_000, "1500000ns"), (DAY, "1d")],
)
def test_time_candles_are_named_by_their_length(every: Time, kind: str) -> None:
    assert TimeCandles(every).kind == kind


@pytest.mark.parametrize(
    ("threshold", "name"),
    [(1e6, "1000000"), (1234567.0, "1234567"), (0.1, "0.1"), (1e-8, "0.00000001"), (5, "5")],
)
def test_threshold_candles_are_named_by_all_digits(threshold: float, name: str) -> None:
    assert ThresholdCandles("quote_volume", threshold).kind == f"{name} quote"


@given(st.floats(1e-9, 1e12), st.floats(1e-9, 1e12))
def test_different_thresholds_have_different_shapes(one: float, other: float) -> None:
    shapes = [ThresholdCandles("volume", threshold).shape for threshold in (one, other)]
    assert (shapes[0] == shapes[1]) == (one == other)


@pytest.mark.parametrize("every", [0, -1])
def test_an_interval_that_is_none_is_refused(every: int) -> None:
    with pytest.raises(ValueError, match=f"every must be above 0, not {every} ns"):
        TimeCandles(every)


@pytest.mark.parametrize("threshold", [0, -1.0, inf, nan])
def test_a_threshold_that_is_none_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match=f"above 0, not {threshold}"):
        ThresholdCandles("volume", threshold)


def test_a_measure_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="count, volume, quote_volume, not 'mood'"):
        ThresholdCandles("mood", 1)


# In the engine ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"every": timedelta(minutes=1)}, "1m"),
        ({"every": timedelta(milliseconds=250)}, "250000000ns"),
        ({"ticks": 2}, "2 trades"),
        ({"volume": 1.5}, "1.5 base"),
        ({"dollars": 1.5}, "1.5 quote"),
    ],
)
def test_the_operator_makes_the_candles_asked_for(given: dict[str, object], kind: str) -> None:
    tape = [trade(1), trade(2), trade(61), beat(185)]
    out = in_a_flow(tape, lambda t: candles("candles", t, **given))  # type: ignore[arg-type]
    made = [event for event in out if isinstance(event, Candle)]
    assert made
    assert {c.kind for c in made} == {kind}


@pytest.mark.parametrize(
    "given",
    [{}, {"ticks": 5, "volume": 1.0}, {"every": timedelta(0)}, {"ticks": 0}, {"dollars": -1.0}],
)
def test_bad_settings_are_told_where_the_flow_is_built(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not "):
        wired([], lambda t: candles("candles", t, **given))  # type: ignore[arg-type]


def test_a_bare_number_is_no_interval() -> None:
    with pytest.raises(TypeError, match=r"such as timedelta\(minutes=1\), not 60"):
        wired([], lambda t: candles("candles", t, every=60))  # type: ignore[arg-type]


@pytest.mark.parametrize("machine", [TimeCandles(DAY), ThresholdCandles("count", 1e9)])
def test_the_state_of_a_long_candle_is_small(machine: Machine) -> None:
    list(machine(Trades.of(MARKET, [START] * 10**5, [1.0] * 10**5, [1.0] * 10**5)))
    assert len(pickle.dumps(machine.state)) < 1_000
