"""Which states of an order book are written: the newest, not too often, none that is wrong."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.feed.books import PACE, Books, sound
from schemas import Book, Levels, Time

STEPS = st.lists(st.tuples(st.integers(0, PACE), st.integers(0, 3)), max_size=40)


def book(size: int, ts: Time = 0) -> Book:
    return Book("m", ts, [(7.0, 1.0 + size)], [(8.0, 1.0)])


@given(STEPS)
def test_never_two_too_soon_and_the_last_state_is_the_last_written(
    steps: list[tuple[int, int]],
) -> None:
    books, now = Books(), 0
    written: list[tuple[Time, Book]] = []
    last = None
    for step, size in [*steps, (PACE, -1)]:
        now += step
        if size >= 0:
            last = book(size)
            books.offer(last, now)
        if found := books.due(now, heard=now, until=0):
            written.append((now, found))
    times = [time for time, _ in written]
    assert all(later - time >= PACE for time, later in pairwise(times))
    states = [found.bids for _, found in written]
    assert all(state != after for state, after in pairwise(states))
    assert (states[-1] if states else None) == (last.bids if last else None)


def test_a_book_waits_until_the_trades_in_front_of_it_must_be_here() -> None:
    books = Books()
    books.offer(book(1, ts=100), now=5)
    assert books.due(now=6, heard=5, until=99) is None
    assert books.due(now=7, heard=6, until=99) is not None
    books.offer(book(2, ts=100), now=PACE + 9)
    assert books.due(now=PACE + 9, heard=0, until=100) is not None


def test_a_state_of_a_lost_connection_is_forgotten() -> None:
    books = Books()
    books.offer(book(1), now=0)
    books.drop()
    assert books.due(now=PACE, heard=PACE, until=0) is None
    books.offer(book(1), now=PACE)
    assert books.due(now=PACE, heard=PACE, until=0) is not None
    books.drop()
    books.offer(book(1), now=2 * PACE)
    assert books.due(now=2 * PACE, heard=0, until=0) is not None, "though it is what was written"


def test_our_clock_may_step_back() -> None:
    books = Books()
    books.offer(book(1), now=100 * PACE)
    assert books.due(now=100 * PACE, heard=0, until=0) is not None
    books.offer(book(2), now=PACE)
    assert books.due(now=PACE, heard=0, until=0) is not None


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ([], []),
        ([(7.0, 1.0)], []),
        ([], [(8.0, 1.0)]),
        ([(8.0, 1.0)], [(8.0, 1.0)]),
        ([(9.0, 1.0)], [(8.0, 1.0)]),
        ([(6.0, 1.0), (7.0, 1.0)], [(8.0, 1.0)]),
        ([(7.0, 1.0), (7.0, 2.0)], [(8.0, 1.0)]),
        ([(7.0, 1.0)], [(9.0, 1.0), (8.0, 1.0)]),
        ([(7.0, 0.0)], [(8.0, 1.0)]),
        ([(7.0, 1.0)], [(8.0, math.nan)]),
        ([(7.0, 1.0), (0.0, 1.0)], [(8.0, 1.0)]),
        ([(7.0, 1.0)], [(math.inf, 1.0)]),
    ],
)
def test_a_book_that_is_crossed_one_sided_or_no_order_of_prices_is_not_sound(
    bids: Levels, asks: Levels
) -> None:
    assert not sound(Book("m", 1, bids, asks))
