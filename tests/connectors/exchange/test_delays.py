"""Delays between tries: they grow, they end, they begin anew behind a success."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.exchange.delays import FIRST, HEALTHY, LONGEST, Delays


def test_they_double_up_to_the_longest() -> None:
    delays, now = Delays(), 0.0
    for longest in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, LONGEST, LONGEST):
        delay = delays.next(now)
        assert longest / 2 <= delay <= longest
        now += delay


@given(st.lists(st.floats(0, 100), max_size=30))
def test_they_stay_between_half_the_first_and_the_longest(successes: list[float]) -> None:
    delays, now = Delays(), 0.0
    for success in successes:
        delay = delays.next(now)
        assert FIRST / 2 <= delay <= LONGEST
        now += delay + success


def test_a_healthy_minute_lets_them_begin_anew() -> None:
    delays, now = Delays(), 0.0
    for _ in range(12):
        now += delays.next(now)
    assert delays.next(now + HEALTHY + LONGEST) <= FIRST


def test_two_do_not_wait_alike() -> None:
    assert len({Delays().next(0.0) for _ in range(20)}) > 1
