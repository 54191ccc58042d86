"""Ahead: the same items, a little earlier, and nothing left behind."""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.recordings.ahead import Ahead


def counting(count: int, closed: threading.Event) -> Generator[int, None, None]:
    try:
        yield from range(count)
    finally:
        closed.set()


@given(st.integers(0, 20), st.integers(1, 4))
def test_items_come_in_order_and_then_it_ends_for_good(count: int, depth: int) -> None:
    closed = threading.Event()
    ahead = Ahead(counting(count, closed), depth)
    assert list(ahead) == list(range(count))
    assert closed.is_set()
    assert list(ahead) == []


def test_what_goes_wrong_is_raised_in_its_place_and_again() -> None:
    def broken() -> Generator[int, None, None]:
        yield 1
        msg = "row 7"
        raise ValueError(msg)

    ahead = Ahead(broken())
    assert next(ahead) == 1
    for _ in range(2):
        with pytest.raises(ValueError, match="row 7"):
            next(ahead)


@given(st.integers(0, 3))
def test_closing_ends_the_thread_and_the_iterator(taken: int) -> None:
    closed = threading.Event()
    before = threading.active_count()
    ahead = Ahead(counting(10**9, closed))
    assert [next(ahead) for _ in range(taken)] == list(range(taken))
    ahead.close()
    assert closed.is_set()
    assert threading.active_count() == before


def test_forgetting_it_ends_the_thread_too() -> None:
    closed = threading.Event()
    ahead = Ahead(counting(10**9, closed))
    assert next(ahead) == 0
    del ahead
    gc.collect()
    assert closed.is_set()
