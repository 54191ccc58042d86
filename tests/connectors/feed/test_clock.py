"""An exchange's time, estimated: rather too early than too late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.feed.clock import SAMPLES, VenueClock
from schemas import SECOND, Time

LATENCIES = st.lists(st.integers(0, SECOND), min_size=1, max_size=3 * SAMPLES)


@given(st.integers(-5 * SECOND, 5 * SECOND), LATENCIES)
def test_it_does_not_run_ahead_of_an_exchange_whatever_the_clocks_differ(
    ahead: Time, latencies: list[Time]
) -> None:
    clock = VenueClock()
    for latency in latencies:
        clock.learn(stamp=1_000 * SECOND, received=1_000 * SECOND + latency - ahead)
    now = 2_000 * SECOND
    slowest = sorted(latencies[-SAMPLES:])[-1 - min(len(latencies), SAMPLES) // 10]
    assert clock.at(now) == now + ahead - slowest


def test_one_event_that_was_very_late_changes_nothing() -> None:
    clock = VenueClock()
    for _ in range(50):
        clock.learn(stamp=100, received=110)
    clock.learn(stamp=100, received=90 * SECOND)
    assert clock.at(1_000) == 990


def test_before_any_event_the_exchange_s_own_answer_counts() -> None:
    clock = VenueClock()
    assert not clock.known
    clock.begin(-300)
    assert clock.known
    assert clock.at(1_000) == 700
    clock.learn(stamp=100, received=110)
    assert clock.at(1_000) == 990
