from __future__ import annotations

import copy
import pickle
from statistics import median_low

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.stamps import Stamps, agree
from schemas import DAY, MINUTE, SECOND, Time

MOVES = st.sampled_from([
    0, 0, 0, 1, -1, SECOND, -SECOND, MINUTE, MINUTE + 1, -MINUTE, 2 * MINUTE, 3600 * SECOND,
    DAY, DAY + 1, -DAY, -3 * DAY, 3 * DAY,
])  # fmt: skip
STEPS = st.lists(st.tuples(MOVES, st.integers(0, 10**9), st.integers(1, 30)), max_size=12)
DELAYS = st.sampled_from([None, 5_000_000, 1_270_000_000, -3 * DAY])


def stamped(steps: list[tuple[Time, int, int]]) -> list[tuple[Time, Time]]:
    """Return stamps, and a clock that mostly goes with them."""
    now, out = 10**18, []
    for move, jitter, count in steps:
        for i in range(count):
            out.append((now + move, now + jitter * i % 10**8))
            now += 10**7
        now += max(move, 0) // 2
    return out


class Reference:
    """Remember everything, and look at it again each time."""

    def __init__(self) -> None:
        self.stamps: list[Time] = []
        self.distances: list[Time] = []

    def plausible(self, stamp: Time, received: Time | None) -> bool:
        if received is not None and len(self.distances) >= 20:
            return stamp - received - median_low(self.distances[-101:]) <= MINUTE
        first = stamp if received is None else received
        return stamp - max(self.stamps, default=first) <= DAY

    def believe(self, stamp: Time, received: Time | None) -> None:
        self.stamps.append(stamp)
        if received is not None:
            self.distances.append(stamp - received)


@given(STEPS, DELAYS)
def test_stamps_are_judged_as_by_one_who_remembers_them_all(
    steps: list[tuple[Time, int, int]], delay: Time | None
) -> None:
    stamps, reference = Stamps(), Reference()
    for stamp, clock in stamped(steps):
        received = None if delay is None else clock + delay
        plausible = reference.plausible(stamp, received)
        assert stamps.plausible(stamp, received) == plausible
        if plausible:
            stamps.believe(stamp, received)
            reference.believe(stamp, received)
        stamps = pickle.loads(pickle.dumps(stamps))


@given(STEPS, STEPS, DELAYS)
def test_a_calm_slice_holds_plausible_stamps_only_and_is_believed_like_each_of_them(
    before: list[tuple[Time, int, int]], after: list[tuple[Time, int, int]], delay: Time | None
) -> None:
    both = [(s, None if delay is None else r + delay) for s, r in stamped([*before, *after])]
    cut = sum(count for _, _, count in before)
    one = Stamps()
    for stamp, received in both[:cut]:
        if one.plausible(stamp, received):
            one.believe(stamp, received)
    if cut == len(both):
        return
    ts = np.array([stamp for stamp, _ in both[cut:]])
    arrived = None if delay is None else np.array([received for _, received in both[cut:]])
    calm, many = one.calm(ts, arrived), copy.deepcopy(one)
    for stamp, received in both[cut:]:
        plausible = one.plausible(stamp, received)
        assert plausible or not calm
        one.believe(stamp, received)
    many.believe_all(ts, arrived)
    assert pickle.dumps(many) == pickle.dumps(one)


@pytest.mark.parametrize(
    ("stamps", "calm"),
    [([0, DAY], True), ([0, DAY, 2 * DAY], True), ([0, DAY + 1], False), ([DAY, 0, 2 * DAY], True)],
)
def test_a_slice_without_our_clock_is_calm_until_it_jumps_over_a_day(
    stamps: list[Time], calm: bool
) -> None:
    assert Stamps().calm(np.array(stamps), None) == calm


def test_a_feed_that_is_always_late_is_its_own_measure() -> None:
    stamps = Stamps()
    for i in range(20):
        stamps.believe(i * SECOND, i * SECOND + 1_270_000_000)
    usual = 100 * SECOND - 1_270_000_000
    assert stamps.plausible(usual + MINUTE, 100 * SECOND)
    assert not stamps.plausible(usual + MINUTE + 1, 100 * SECOND)


def test_nothing_is_judged_by_our_clock_before_twenty_stamps() -> None:
    stamps = Stamps()
    for i in range(19):
        stamps.believe(i, i)
    assert stamps.plausible(2 * MINUTE, 20)
    stamps.believe(19, 19)
    assert not stamps.plausible(2 * MINUTE, 20)


def test_one_bad_stamp_that_was_believed_does_not_move_the_median() -> None:
    stamps = Stamps()
    for i in range(50):
        stamps.believe(i + (MINUTE if i == 30 else 0), i)
    assert not stamps.plausible(2 * MINUTE, 60)


def test_a_step_forgets_what_was_usual() -> None:
    stamps = Stamps()
    for i in range(30):
        stamps.believe(i, i)
    assert not stamps.plausible(60 * MINUTE, 31)
    stamps.step()
    assert stamps.plausible(60 * MINUTE, 31)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((DAY, None), (0, None), True),
        ((DAY + 1, None), (0, None), False),
        ((0, None), (DAY + 1, None), False),
        ((9 * DAY, 8 * DAY), (DAY + MINUTE, 0), True),
        ((9 * DAY, 8 * DAY), (DAY + MINUTE + 1, 0), False),
        ((DAY, 5), (0, None), True),
    ],
)
def test_stamps_agree_when_they_speak_of_the_same_clock(
    one: tuple[Time, Time | None], other: tuple[Time, Time | None], same: bool
) -> None:
    assert agree(*one, *other) == same
