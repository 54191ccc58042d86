from __future__ import annotations

from dataclasses import FrozenInstanceError
from decimal import Decimal
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.costs import Costs
from schemas import SECOND

NAMES = ("fees_bps", "slippage_bps", "latency_ms", "max_book_age_ms")


@given(st.decimals(0, 10_000, places=6))
def test_basis_points_become_exact_decimals(bps: Decimal) -> None:
    costs = Costs(fees_bps=float(bps), slippage_bps=float(bps))
    assert costs.fee == costs.slippage == bps / 10_000


@given(st.integers(0, 10**9))
def test_milliseconds_become_nanoseconds(milliseconds: int) -> None:
    costs = Costs(latency_ms=milliseconds, max_book_age_ms=milliseconds)
    assert costs.latency == costs.max_book_age == milliseconds * 10**6
    assert type(costs.latency) is type(costs.max_book_age) is int


def test_a_part_of_a_millisecond_counts() -> None:
    costs = Costs(latency_ms=0.25, max_book_age_ms=0.25)
    assert (costs.latency, costs.max_book_age) == (250_000, 250_000)


def test_nothing_costs_anything_unless_said_and_a_book_is_fresh_for_a_second() -> None:
    costs = Costs()
    assert not any((costs.fee, costs.slippage, costs.latency))
    assert costs.max_book_age == SECOND


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [-1.0, -1e-9, nan, inf, -inf])
def test_a_cost_that_is_none_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a finite number .*, not {value}"):
        Costs(**{name: value})


@pytest.mark.parametrize(("bps", "part"), [(2.0, "0.0002"), (-0.5, "-0.00005"), (None, "0.00075")])
def test_who_rests_pays_the_makers_fee_and_without_one_the_takers(
    bps: float | None, part: str
) -> None:
    assert Costs(fees_bps=7.5, maker_fee_bps=bps).maker_fee == Decimal(part)


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_a_makers_fee_may_be_below_zero_but_must_be_a_number(value: float) -> None:
    with pytest.raises(ValueError, match=f"maker_fee_bps must be a finite .*, not {value}"):
        Costs(maker_fee_bps=value)


def test_costs_are_never_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Costs().fees_bps = 1.0  # type: ignore[misc]
