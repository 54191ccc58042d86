"""Ids of one market: which were seen, and whether they go up one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.feed.ids import TRUSTED, SeenIds, Steps, whole
from operators.ids import SeenIds as EntryIds
from schemas import as_ids

IDS = st.integers(0, 5_000).map(str) | st.sampled_from(["x", "007", "a7", "²", "9" * 30])


@given(st.lists(IDS, max_size=60))
def test_an_id_that_was_added_is_seen_and_no_other_is(ids: list[str]) -> None:
    seen = SeenIds()
    for id_ in ids:
        seen.add(id_)
        seen.add(id_)
    assert all(id_ in seen for id_ in ids)
    assert not any(id_ in seen for id_ in {"1", "8", "1024", "y"} - {*ids})


@given(st.lists(IDS, min_size=1, max_size=200, unique=True), st.integers(1, 50))
def test_at_least_the_last_ids_are_remembered_and_not_many_more_pages(
    ids: list[str], limit: int
) -> None:
    seen = SeenIds(limit)
    for id_ in ids:
        seen.add(id_)
    assert ids[-1] in seen
    distinct = [f"t{place}" for place in range(3 * limit)]
    for id_ in distinct:
        seen.add(id_)
    assert all(id_ in seen for id_ in distinct[-limit:])
    assert not any(id_ in seen for id_ in distinct[:limit])


@given(IDS)
def test_an_id_is_whole_where_every_store_gives_it_back_as_a_number(id_: str) -> None:
    number = as_ids([id_]).item(0)
    assert whole(id_) == (number if isinstance(number, int) else None)


@given(st.lists(st.sampled_from([1, 1, 1, 1, 1, 1, 1, 1, 2, 9, 0, -3]), max_size=120))
def test_the_rule_for_consecutive_ids_is_that_of_the_tape_entry(steps: list[int]) -> None:
    ours, entry = Steps(), EntryIds()
    id_ = 1_000
    for step in [0, *[1] * TRUSTED, *steps]:
        id_ += step
        if entry.repeated(id_):
            continue
        hole = ours.top is not None and id_ > ours.top + 1 and ours.trusted
        assert hole == (entry.hole(id_) is not None)
        entry.add_all(as_ids([id_]))
        ours.take(id_)


def test_a_known_hole_says_nothing_against_the_ids() -> None:
    steps = Steps()
    for id_ in range(TRUSTED + 1):
        steps.take(id_)
    steps.skip(99)
    steps.take(100)
    assert steps.trusted
    steps.take(200)
    assert not steps.trusted


def test_a_trade_that_is_a_sum_steps_over_all_its_ids() -> None:
    steps = Steps()
    for count in range(TRUSTED + 1):
        steps.take(3 * count, parts=3)
    assert steps.trusted
