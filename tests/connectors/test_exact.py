"""Money is exact: sums, products and steps, whatever the digits."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from connectors.exact import add, less, part, stepped, times

MONEY = st.decimals(-(10**9), 10**9, places=12)
POSITIVE = st.decimals("0.000001", 10**6, places=8)


@given(MONEY, MONEY, MONEY)
def test_sums_and_products_lose_nothing(one: Decimal, two: Decimal, three: Decimal) -> None:
    a, b, c = map(Fraction, (one, two, three))
    assert Fraction(add(one, two, three)) == a + b + c
    assert Fraction(less(one, two, three)) == a - b - c
    assert Fraction(times(one, two, three)) == a * b * c


@given(POSITIVE, POSITIVE, st.booleans())
def test_a_value_is_stepped_to_the_nearest_step_on_its_side(
    value: Decimal, step: Decimal, up: bool
) -> None:
    found = Fraction(stepped(value, step, up))
    exact = Fraction(value) / Fraction(step)
    assert found % Fraction(step) == 0
    assert found == (-(-exact // 1) if up else exact // 1) * Fraction(step)


def test_without_a_step_a_value_stays() -> None:
    assert stepped(Decimal("1.23"), None) == Decimal("1.23")


def test_a_part_is_rounded_to_18_places() -> None:
    assert part(Decimal(1), Decimal(3)) == Decimal("0.333333333333333333")
