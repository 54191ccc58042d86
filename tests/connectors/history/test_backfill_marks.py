"""How far backfills have come."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.history.backfill_marks import Mark, resumed


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=6), st.integers(0, 30))
def test_spans_are_followed_as_far_as_they_touch(spans: list[tuple[int, int]], start: int) -> None:
    marks = [Mark(a, a, b, "x", b) for a, b in spans]
    covered = {t for a, b in spans for t in range(a, b)}
    end = start
    while end in covered:
        end += 1
    found = resumed(marks, start)
    assert (found.reached if found else start) == end
