"""Where trades may be missing: what belongs there, and when nothing is missing any more."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from connectors.exchange.rest_trades import Traded
from connectors.feed.hole import Hole, jumps
from connectors.feed.ids import SeenIds


def trade(id_: int | str, parts: int = 1) -> Traded:
    return Traded(str(id_), 1, 2.0, 3.0, 1, parts)


def hole(until: Traded | None, numbered: bool = True) -> Hole:
    return Hole("ids", trade(10), 0, numbered, until)


def names(trades: list[Traded]) -> list[str]:
    return [found.id for found in trades]


def test_ids_tell_when_nothing_is_missing_whatever_rest_says() -> None:
    found = hole(trade(14))
    assert not found.add(found.ask(), [trade(12), trade(11)], all_there=False)
    assert found.take(trade(13))
    assert found.full()
    assert names(found.missed(SeenIds())) == ["11", "12", "13"]


def test_what_is_not_between_does_not_belong_there() -> None:
    found = hole(trade(14))
    assert not any(found.take(trade(id_)) for id_ in (9, 10, 14, 15, "x"))
    assert not found.take(trade(13, parts=3)), "a sum is not cut"
    found.add(found.ask(), [trade(9), trade(12), trade(14), trade(15)], all_there=False)
    assert names(found.missed(SeenIds())) == ["12"]


def test_without_such_ids_only_rest_knows() -> None:
    found = hole(trade("z"), numbered=False)
    assert not found.add(found.ask(), [trade("b")], all_there=False)
    assert found.add(found.ask(), [trade("a"), trade("b")], all_there=True)
    assert names(found.missed(SeenIds())) == ["a", "b"]


def test_an_answer_to_the_newest_ends_a_hole_only_if_it_reaches_its_end() -> None:
    found = hole(None, numbered=False)
    ask = found.ask()
    found.until = trade("z")
    assert not found.add(ask, [trade("a")], all_there=True)
    assert found.add(ask, [trade("a"), trade("z"), trade("zz")], all_there=True)
    assert names(found.missed(SeenIds())) == ["a"]


@given(st.sets(st.integers(12, 20)), st.integers(12, 20))
def test_rest_s_pages_are_in_order_whenever_the_stream_brings_what_is_behind(
    cuts: set[int], until: int
) -> None:
    found = hole(None)
    ask = found.ask()
    for begin, end in pairwise([11, *sorted(cuts), 21]):
        assert not found.add(ask, [trade(id_) for id_ in range(begin, end)], False)
    found.until = trade(until)
    assert found.full()
    assert names(found.missed(SeenIds())) == [str(id_) for id_ in range(11, until)]


def test_what_came_already_is_not_missing() -> None:
    seen = SeenIds()
    seen.add("a")
    found = hole(None, numbered=False)
    found.add(found.ask(), [trade("a"), trade("b")], all_there=True)
    assert names(found.missed(seen)) == ["b"]


def test_too_late_is_only_what_a_gap_stands_for() -> None:
    found = hole(None, numbered=False)
    early, late = (Traded(id_, ts, 2.0, 3.0, 1) for id_, ts in (("a", 5), ("b", 7)))
    assert not found.too_late([early, late])
    found.lacking = 6
    assert found.too_late([early, late]) == [early]


def test_a_sum_follows_on_what_is_in_front_of_all_its_parts() -> None:
    assert not jumps(trade(10), trade(13, parts=3))
    assert jumps(trade(10), trade(13, parts=2))
    assert jumps(trade("a"), trade("b"))
