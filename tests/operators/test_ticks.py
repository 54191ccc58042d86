"""Prices in whole ticks."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from hypothesis import given
from hypothesis import strategies as st

from operators.ticks import to_tick
from tests.desk import exact

D = Decimal


@given(st.floats(1e-8, 1e7), st.sampled_from(["0.01", "0.05", "1e-8", "5", "0.003"]))
def test_a_price_goes_to_the_nearest_tick_below_or_above(price: float, tick: str) -> None:
    steps = exact(price) / Fraction(tick)
    assert Fraction(to_tick(price, D(tick), 1)) == floor(steps) * Fraction(tick)
    assert Fraction(to_tick(price, D(tick), -1)) == ceil(steps) * Fraction(tick)


def test_a_price_that_is_whole_ticks_stays_whatever_a_float_makes_of_it() -> None:
    assert [to_tick(100.1, D("0.1"), sign) for sign in (1, -1)] == [D("100.1")] * 2
    assert [to_tick(0.3, D("0.1"), sign) for sign in (1, -1)] == [D("0.3")] * 2


def test_without_a_tick_a_price_stays() -> None:
    assert [to_tick(100.123, tick, 1) for tick in (None, D(0))] == [D("100.123")] * 2
