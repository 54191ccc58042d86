"""Trades gathered into slices: nothing changes but where they are cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.exchange.rest_trades import Traded
from connectors.feed.rows import Rows
from tests.connectors.recordings.test_market_ids import wanted

IDS = st.lists(st.sampled_from(["1", "2", "30", "007", "x", ""]), max_size=20)


@given(IDS, st.sets(st.integers(0, 20)))
def test_rows_are_what_was_added_and_their_ids_what_every_store_says(
    ids: list[str], cuts: set[int]
) -> None:
    rows, taken = Rows("m"), []
    for place, id_ in enumerate(ids):
        rows.add(Traded(id_, place + 1, 2.0 + place, 0.5, -1), received=7 * place)
        if place in cuts:
            taken += rows.take()
    taken += rows.take()
    assert not rows.take()
    found: list[int | str | None] = []
    for trades in taken:
        assert len(trades)
        found += [None] * len(trades) if trades.id is None else trades.id.tolist()
    assert found == wanted([id_ or None for id_ in ids], texts=False)
    assert [ts for trades in taken for ts in trades.ts.tolist()] == [*range(1, len(ids) + 1)]
    received = [r for t in taken if t.received is not None for r in t.received.tolist()]
    assert received == [7 * place for place in range(len(ids))]
    assert all({*trades.side.tolist()} == {-1} for trades in taken)
