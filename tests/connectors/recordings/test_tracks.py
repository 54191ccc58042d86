from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.recordings.tracks import Counts, Tracks
from schemas import Event, Heartbeat, Reject, Trades
from tests.connectors.outside import MARKETS
from tests.tapes import canonical

A, B, _ = MARKETS


def trades(count: int) -> Trades:
    return Trades.of(A, range(1, 1 + count), [1.0] * count, [1.0] * count)


STRIPS: dict[str, list[Event]] = {
    A: [trades(3), Heartbeat(A, 1), trades(4), Reject(A, 1, "", "")],
    B: [Heartbeat(B, 1)],
}


@given(st.integers(1, 9), st.integers(0, 9))
def test_handing_out_can_be_stopped_anywhere(batch: int, stop: int) -> None:
    counts, given_out = Counts(), list[Event]()
    tracks = Tracks(STRIPS, {})
    while tracks.left:
        if stop == 0:
            tracks = Tracks(STRIPS, tracks.done)
        stop -= 1
        given_out += [event for market, strip in tracks.items(batch, counts) for event in strip
                      if market == A]  # fmt: skip
    assert canonical(given_out) == canonical(STRIPS[A])
    assert (counts.trades, counts.rejects) == (7, 1)
    assert tracks.done == {A: 9, B: 1}


def test_a_market_of_which_nothing_is_let_through_is_done() -> None:
    assert not Tracks({A: []}, {}).left


def test_more_may_have_been_handed_out_than_there_is() -> None:
    tracks = Tracks({A: [trades(3)]}, {A: 5, B: 1})
    assert not tracks.left
    assert tracks.owed == {A: 2, B: 1}
    assert tracks.done == {A: 5, B: 1}
    tracks = Tracks({A: [trades(3)]}, tracks.owed)
    assert [len(strip[0]) for _, strip in tracks.items(9, Counts())] == [1]  # type: ignore[arg-type]
    assert tracks.done == {A: 3, B: 1}
