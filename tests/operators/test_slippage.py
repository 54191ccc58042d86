"""Slippage: what a book promises, counted lot by lot, and how much of it may be had."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.paper import walk
from operators.slippage import CostLimit, edge, fitting, mid, promise
from schemas import Book, Levels
from tests.desk import exact, rounded
from tests.tapes import MARKET, START

D = Decimal
LOT = D("0.25")
SHAPES = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=5)
SIGNS = st.sampled_from([1, -1])


def levels(shape: list[tuple[int, int]], sign: int) -> Levels:
    """Return a side of a book in quarters; a hundredth on top is no whole lot."""
    price, found = 100.0 + sign, []
    for size, step in shape:
        found.append((price, size / 4 + 0.01))
        price += sign * (step + 1)
    return found


def book(shape: list[tuple[int, int]], sign: int) -> Book:
    ours, others = levels(shape, sign), [(100.0 - sign, 9.0)]
    bids, asks = (others, ours) if sign > 0 else (ours, others)
    return Book(MARKET, START, bids, asks, stamp=START)


@given(SHAPES, st.integers(0, 9), st.integers(0, 20), SIGNS, st.none() | st.integers(0, 6))
def test_a_promise_is_what_one_gets_lot_by_lot(
    shape: list[tuple[int, int]], taken: int, amount: int, sign: int, far: int | None
) -> None:
    worst = None if far is None else 100.0 + sign * far
    there = [at for at, size in levels(shape, sign) for _ in range(int(size * 4))][taken:]
    got = [at for at in there if worst is None or (at - worst) * sign <= 0][:amount]
    found = promise(book(shape, sign), taken * LOT, amount * LOT, sign, LOT, worst)
    assert found.amount == len(got) * LOT
    assert found.depth_left == (len(there) - len(got)) * LOT
    if not got:
        assert (found.average, found.worst, found.slippage_bps) == (None, None, None)
        return
    average = rounded(sum((exact(at) for at in got), Fraction(0)) / len(got))
    assert found.average is not None
    assert Fraction(found.average) == average
    assert found.worst == exact(got[-1])
    assert found.slippage_bps == float((average - 100) * sign * 100)


@given(SHAPES, st.integers(0, 9), st.integers(0, 20), SIGNS, st.integers(0, 4_000))
def test_what_fits_is_the_most_lots_that_cost_no_more_on_average(
    shape: list[tuple[int, int]], taken: int, amount: int, sign: int, tenths: int
) -> None:
    bps = D(tenths) / 10
    price = edge(D(100), sign, bps)
    assert Fraction(price) == 100 + sign * Fraction(bps) / 100
    there = [at for at, size in levels(shape, sign) for _ in range(int(size * 4))]
    got = there[taken:][:amount]
    most = max(
        n
        for n in range(len(got) + 1)
        if sum(((exact(at) - Fraction(price)) * sign for at in got[:n]), Fraction(0)) <= 0
    )
    walked = walk(levels(shape, sign), taken * LOT, amount * LOT, sign, None, LOT)
    assert fitting(walked, sign, price, LOT) == most * LOT


def test_without_both_sides_there_is_no_middle_and_no_slippage() -> None:
    one = Book(MARKET, START, [], [(101.0, 1.0)], stamp=START)
    assert mid(one) is None
    found = promise(one, D(0), D(1), 1, LOT)
    assert (found.average, found.slippage_bps) == (D(101), None)


@pytest.mark.parametrize("bps", [-1.0, nan, inf])
def test_a_limit_that_is_none_is_refused(bps: float) -> None:
    with pytest.raises(ValueError, match=f"bps must be a finite number of 0 or more, not {bps}"):
        CostLimit(bps)


def test_what_else_may_become_of_an_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="otherwise is 'shrink' or 'refuse', not 'wait'"):
        CostLimit(10, otherwise="wait")  # type: ignore[arg-type]
