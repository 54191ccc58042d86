"""When a disk is full."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infra.disk.forecast import Part, days_until_full

SIZES = st.integers(0, 10**6)
PARTS = st.lists(
    st.builds(
        Part, name=st.just("part"), bytes=SIZES, daily=st.none() | SIZES, most=st.none() | SIZES
    ),
    max_size=6,
)


@given(PARTS, st.integers(1, 10**7))
def test_on_the_day_that_is_told_what_is_free_is_taken(parts: list[Part], free: int) -> None:
    days = days_until_full(parts, free)
    if days is None:
        assert sum(part.grown(1e12) for part in parts) < free * (1 + 1e-9)
    else:
        assert abs(sum(part.grown(days) for part in parts) - free) <= 1e-6 * free


def test_a_full_disk_is_full_today() -> None:
    assert days_until_full([Part("log", 5, daily=1)], 0) == 0
