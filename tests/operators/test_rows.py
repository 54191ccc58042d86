"""Places in a slice of trades."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from operators.rows import first_at
from schemas import Trades
from tests.desk import trade
from tests.tapes import START, chop


@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(-1, 60), st.integers(0, 31)
)
def test_the_first_row_of_a_time_is_the_first_from_the_row_on(
    steps: list[int], time: int, row: int
) -> None:
    times = [START + sum(steps[: n + 1]) for n in range(len(steps))]
    (trades,) = chop([trade(100.0, ts) for ts in times])
    assert isinstance(trades, Trades)
    found = next((n for n in range(row, len(times)) if times[n] >= START + time), None)
    assert first_at(trades, START + time, row) == found
    assert type(first_at(trades, START)) is int
