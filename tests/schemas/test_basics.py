from __future__ import annotations

from schemas import DAY, MINUTE, SECOND, Position


def test_units_of_time_are_nanoseconds() -> None:
    assert (SECOND, MINUTE, DAY) == (10**9, 60 * 10**9, 24 * 60 * 60 * 10**9)


def test_positions_sort_by_offset_then_row_within_a_partition() -> None:
    log = [Position("p", 10), Position("p", 2), Position("p", 1, 2), Position("p", 1)]
    assert sorted(log) == log[::-1]
