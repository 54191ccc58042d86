from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from connectors.window import ALL, Window
from schemas import Heartbeat, Instrument, Trades, Value

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


def test_of_what_was_before_only_instruments_are_let_through_and_only_to_who_wants_them() -> None:
    one = Instrument("m", 1, None, Decimal(1), Decimal(0), Decimal(1))
    for event in (one, Heartbeat("m", 1), Value("m", 1, "funding", 1.0)):
        assert [*Window(since=2, heads=True).of(event)] == ([one] if event is one else [])
        assert not [*Window(since=2).of(event)]
    assert not [*Window(since=2, markets=("n",), heads=True).of(one)]


def test_what_is_let_through_whole_is_the_same_object() -> None:
    for event in (trades([1, 2]), Heartbeat("m", 1)):
        assert [*ALL.of(event), *Window(1, 3, ("m",)).of(event)] == [event, event]
        assert not [*Window(markets=("n",)).of(event)]
