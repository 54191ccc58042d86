from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.window import ALL, Window
from schemas import Heartbeat, Trades

STAMPS = st.lists(st.integers(0, 9), min_size=1, max_size=9)


def trades(stamps: list[int]) -> Trades:
    return Trades.of("m", stamps, [1.0] * len(stamps), [1.0] * len(stamps))


@given(STAMPS, st.none() | st.integers(0, 9), st.none() | st.integers(0, 9))
def test_rows_are_let_through_each_by_its_own_stamp_in_order(
    stamps: list[int], since: int | None, until: int | None
) -> None:
    parts = list(Window(since, until).of(trades(stamps)))
    assert [ts for part in parts for ts in part.ts.tolist()] == [  # type: ignore[union-attr]
        ts for ts in stamps if (since is None or ts >= since) and (until is None or ts < until)
    ]


def test_what_is_let_through_whole_is_the_same_object() -> None:
    for event in (trades([1, 2]), Heartbeat("m", 1)):
        assert [*ALL.of(event), *Window(1, 3, ("m",)).of(event)] == [event, event]
        assert not [*Window(markets=("n",)).of(event)]
