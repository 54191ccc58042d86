"""One order: what the exchange says of it counts once, in whatever order it comes."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from connectors.account.orders import Known
from connectors.blotter.order import Slip

PARTS = st.lists(st.integers(1, 5), min_size=1, max_size=5)


def slip() -> Slip:
    made = Slip("a", "okx:A/B", "buy", "market", Decimal(20), flow="demo", order=3)
    made.send(now=1)
    return made


def known(status: str, filled: int) -> Known:
    return Known("a", "17", "okx:A/B", status, Decimal(filled), 0)  # type: ignore[arg-type]


@given(PARTS, st.data())
def test_it_settles_when_its_end_and_all_of_its_fills_came_whatever_came_first(
    parts: list[int], data: st.DataObject
) -> None:
    order = slip()
    end = known("cancelled", sum(parts))
    fills = list(map(Decimal, parts))
    all_news: list[Known | Decimal] = [end, known("open", 0), *fills]
    news = data.draw(st.permutations(all_news))
    for number, told in enumerate(news):
        if isinstance(told, Known):
            order.learn(told, number)
        else:
            order.fill(told, number)
        left = news[number + 1 :]
        whole = end not in left and not any(isinstance(later, Decimal) for later in left)
        assert order.settled == whole or order.filled >= order.amount
    assert order.filled == sum(parts)


def test_what_has_ended_does_not_live_again() -> None:
    order = slip()
    order.learn(known("cancelled", 0), 2)
    order.learn(known("open", 0), 3)
    assert order.status == "cancelled"


def test_a_later_word_of_more_fills_is_waited_for() -> None:
    order = slip()
    order.learn(known("cancelled", 0), 2)
    assert order.settled
    order.learn(known("cancelled", 2), 3)
    assert not order.settled


def test_the_fills_alone_tell_that_it_is_filled() -> None:
    order = slip()
    order.fill(Decimal(20), 2)
    assert (order.status, order.settled) == ("filled", True)


def test_what_is_sent_says_whose_it_is() -> None:
    place = slip().place
    assert (place.flow, place.order, place.id, place.reduce_only) == ("demo", 3, "a", False)
