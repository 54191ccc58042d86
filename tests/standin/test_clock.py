"""The clock of who trades: requests in time, too late, and too early."""

from __future__ import annotations

import pytest

from tests.standin.clock import PrivateClock

RECORDED = 1_723_161_600_000
WINDOW = 5_000


@pytest.mark.parametrize(
    ("off", "judged"),
    [(0, None), (-4_000, None), (500, None), (-9_000, "late"), (3_000, "early")],
)
def test_a_stamp_is_judged_by_the_real_time(off: int, judged: str | None) -> None:
    clock = PrivateClock(lambda: RECORDED)
    assert clock.judge(clock.now() + off, WINDOW) == judged


def test_who_asks_for_the_time_is_told_the_recorded_one_and_may_go_by_that() -> None:
    clock = PrivateClock(lambda: RECORDED)
    assert clock.judge(RECORDED, WINDOW) == "late"
    assert clock.tell() == RECORDED
    assert clock.judge(RECORDED, WINDOW) is None
    assert clock.judge(clock.now(), WINDOW) is None


def test_the_recorded_time_may_be_one_that_was_told_long_ago() -> None:
    recorded = iter([RECORDED, RECORDED + 60_000])
    clock = PrivateClock(lambda: next(recorded))
    assert clock.tell() < clock.tell()
    assert clock.judge(RECORDED, WINDOW) is None
    assert clock.judge(RECORDED + 60_000, WINDOW) is None
    assert clock.judge(RECORDED - 9_000, WINDOW) == "late"


def test_a_skewed_clock_is_the_only_one() -> None:
    clock = PrivateClock(lambda: RECORDED)
    clock.tell()
    right = clock.now()
    clock.skew = 60_000
    assert clock.judge(RECORDED, WINDOW) == clock.judge(right, WINDOW) == "late"
    assert abs(clock.tell() - right - 60_000) < WINDOW
    assert clock.judge(right + 60_000, WINDOW) is None
