"""The monitor: barriers found in slices are those found trade by trade."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import accumulate, pairwise
from math import inf, nan
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.monitor import Armed, Barriers, Scaled, Widths, arm, best_exit
from schemas import SECOND, Book, Side, Time, Trades
from tests.desk import trade
from tests.tapes import MARKET, START, Trade, chop, cuts, rows

WIDTH = st.sampled_from([None, 0.0025, 0.005, 0.01])
WIDTHS = st.builds(Widths, WIDTH, WIDTH, WIDTH, st.sampled_from([None, SECOND, 30 * SECOND]))
SIDES = st.sampled_from(["long", "short"])


def walk(seed: int, length: int, step: int) -> Trades:
    """Walk over a coarse grid of prices and times."""
    random = Random(seed)
    steps = [random.choice([-step, 0, step]) for _ in range(length)]
    waits = [random.choice([0, 0, 0, SECOND // 100]) for _ in range(length)]
    prices = [(10_000 + moved) / 100 for moved in accumulate(steps)]
    times = [START + waited for waited in accumulate(waits)]
    return Trades.of(
        MARKET, times, prices, prices, [random.choice([1, 0, -1]) for _ in range(length)]
    )


def first_hit(
    side: Side, widths: Widths, walked: Trades, fresh_until: Time
) -> tuple[int, str] | None:
    """Return where a position entered at 100 ends, and why: the design, word by word."""
    sign, best = (1 if side == "long" else -1), 100.0
    for row, now in enumerate(rows([walked])):
        assert isinstance(now, Trade)
        tells = now.ts > fresh_until or now.side in (0, -sign)
        if tells:
            p = now.price
            best = max(best, p) if side == "long" else min(best, p)
            if side == "long":
                stop = widths.stop is not None and p <= 100.0 * (1 - widths.stop)
                trailing = widths.trailing is not None and p <= best * (1 - widths.trailing)
                take = widths.take is not None and p >= 100.0 * (1 + widths.take)
            else:
                stop = widths.stop is not None and p >= 100.0 * (1 + widths.stop)
                trailing = widths.trailing is not None and p >= best * (1 + widths.trailing)
                take = widths.take is not None and p <= 100.0 * (1 - widths.take)
            if stop or trailing or take:
                return row, "stop" if stop else "trailing" if trailing else "take"
        if widths.timeout is not None and now.ts >= START + widths.timeout:
            return row, "timeout"
    return None


@given(
    st.integers(0, 9_999),
    st.sampled_from([(20, 25), (400, 5), (1_500, 1)]),
    SIDES,
    WIDTHS,
    st.sampled_from([-1, START, START + SECOND // 2, START + 9 * SECOND]),
    cuts(1_500),
)
@settings(max_examples=200)
def test_a_search_finds_what_judging_each_trade_finds(
    seed: int,
    shape: tuple[int, int],
    side: Side,
    widths: Widths,
    fresh_until: Time,
    cut: Container[int],
) -> None:
    walked = walk(seed, *shape)
    armed, before, found = arm(side, widths, 100.0, START), 0, None
    edges = [row for row in range(len(walked)) if row == 0 or row in cut]
    for a, b in pairwise([*edges, len(walked)]):
        piece = walked.cut(a, b)
        hit = armed.search(piece, 0, fresh_until)
        if hit is not None:
            found = (before + hit[0], hit[1])
            break
        before += len(piece)
    assert found == first_hit(side, widths, walked, fresh_until)


def test_a_search_begins_where_it_is_told() -> None:
    armed = arm("long", Widths(0.01, None, None, None), 100.0, START)
    (trades,) = chop([trade(price) for price in (99.0, 100.0, 99.0)])
    assert isinstance(trades, Trades)
    assert armed.search(trades, 0, -1) == (0, "stop")
    assert armed.search(trades, 1, -1) == (2, "stop")


def judged(side: Side, widths: Widths, *prices: float, ts: Time = START) -> list[str | None]:
    armed = arm(side, widths, 100.0, START)
    return [armed.judge(price, ts) for price in prices]


def test_a_price_at_a_level_is_a_hit() -> None:
    widths = Widths(0.01, 0.02, None, None)
    assert judged("long", widths, 99.01, 99.0, 101.99, 102.0) == [None, "stop", None, "take"]
    assert judged("short", widths, 100.99, 101.0, 98.01, 98.0) == [None, "stop", None, "take"]


def test_the_trailing_stop_follows_the_best_price() -> None:
    widths = Widths(None, None, 0.01, None)
    assert judged("long", widths, 200.0, 198.01, 198.0) == [None, None, "trailing"]
    assert judged("short", widths, 50.0, 50.49, 50.5) == [None, None, "trailing"]


@pytest.mark.parametrize(
    ("widths", "price", "why"),
    [
        (Widths(0.01, 0.01, 0.001, 1), 99.0, "stop"),
        (Widths(0.02, 0.01, 0.001, 1), 99.0, "trailing"),
        (Widths(0.02, 0.01, None, 1), 101.0, "take"),
        (Widths(0.02, 0.02, None, 1), 101.0, "timeout"),
        (Widths(0.02, 0.02, None, 2), 101.0, None),
    ],
)
def test_of_several_barriers_the_first_named_counts(
    widths: Widths, price: float, why: str | None
) -> None:
    assert arm("long", widths, 100.0, START).judge(price, START + 1) == why


def test_without_a_price_only_time_can_be_up() -> None:
    armed = arm("long", Widths(0.01, 0.01, 0.01, 10), 100.0, START)
    assert [armed.judge(None, START + after) for after in (9, 10)] == [None, "timeout"]


def test_levels_are_computed_once_from_the_entry() -> None:
    widths = Widths(0.002, 0.003, 0.004, 7)
    low, high = 61_837.63 * (1 - 0.002), 61_837.63 * (1 + 0.003)
    long = Armed(1, low, high, START + 7, 0.004, 61_837.63)
    assert arm("long", widths, 61_837.63, START) == long
    short = replace(long, sign=-1, low=61_837.63 * (1 - 0.003), high=61_837.63 * (1 + 0.002))
    assert arm("short", widths, 61_837.63, START) == short
    assert arm("long", Widths(None, None, None, None), 7.0, START) == Armed(
        1, -inf, inf, None, None, 7.0
    )


def test_one_leaves_a_long_at_the_bid_and_a_short_at_the_ask() -> None:
    book = Book(MARKET, START, [(99.0, 1.0), (98.0, 1.0)], [(101.0, 1.0)])
    empty = Book(MARKET, START, [], [])
    assert [best_exit(b, sign) for b in (book, empty) for sign in (1, -1)] == [
        99.0, 101.0, None, None,
    ]  # fmt: skip


# Widths -------------------------------------------------------------------------------------------


def test_widths_are_resolved_at_the_decision() -> None:
    barriers = Barriers(Scaled("volatility20", 2.0), 0.003, timedelta(minutes=30), 0.004)
    assert barriers.scaled
    assert not Barriers(0.1).scaled
    assert barriers.widths({"volatility20": 0.001}) == Widths(0.002, 0.003, 0.004, 1800 * SECOND)
    for missing in ({}, {"volatility20": 0.0}, {"volatility20": nan}, {"volatility20": 0.5}):
        assert barriers.widths(missing) is None


def test_a_take_profit_may_be_as_wide_as_the_price() -> None:
    assert Barriers(take_profit=Scaled("v", 2.0)).widths({"v": 0.6}) is not None
    assert Barriers(take_profit=1.5).widths({}) == Widths(None, 1.5, None, None)


@pytest.mark.parametrize("name", ["stop_loss", "take_profit", "trailing_stop"])
@pytest.mark.parametrize(
    "width", [0.0, -0.01, nan, inf, Scaled("v", 0.0), Scaled("v", nan), "0.01", Decimal("0.01")]
)
def test_a_width_that_is_none_is_refused_by_name(name: str, width: object) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a finite number above 0, such as 0.002"):
        Barriers(**{name: width})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["stop_loss", "trailing_stop"])
def test_a_stop_below_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"must be below 1, not 1\.0"):
        Barriers(**{name: 1.0})  # type: ignore[arg-type]


def test_a_timeout_of_nothing_is_refused() -> None:
    for timeout in (timedelta(0), timedelta(minutes=-1), 30):
        with pytest.raises(ValueError, match=r"timeout must be a time above 0, such as .*, not "):
            Barriers(timeout=timeout)  # type: ignore[arg-type]


@given(st.lists(st.timedeltas(timedelta(microseconds=1), timedelta(days=9)), min_size=2))
def test_a_timeout_is_kept_to_the_microsecond(times: list[timedelta]) -> None:
    found = [Barriers(timeout=time).widths({}) for time in sorted(times)]
    nanos = [w.timeout for w in found if w is not None and w.timeout is not None]
    assert [n % 1_000 for n in nanos] == [0] * len(times)
    for (a, b), (x, y) in zip(pairwise(sorted(times)), pairwise(nanos), strict=True):
        assert y - x == (b - a) // timedelta(microseconds=1) * 1_000
