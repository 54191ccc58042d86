"""What the market offers an entry, and what is said of what costs too much."""

from __future__ import annotations

from decimal import Decimal

import pytest

from operators.costs import Costs
from operators.offer import Offer, left_out, offered
from operators.paper import View
from operators.slippage import CostLimit
from operators.standing import Standing
from schemas import SECOND, Book, Levels, OrderKind
from tests.tapes import MARKET, START

D = Decimal
ASKS = [(100.5, 2.0), (101.5, 8.0)]
COSTS = Costs(fees_bps=10, slippage_bps=5, maker_fee_bps=2)


def offer(
    kind: OrderKind = "market", asks: Levels | None = ASKS, worst: float | None = None
) -> Offer:
    book = None if asks is None else Book(MARKET, START, [(99.5, 9.0)], asks, stamp=START)
    return Offer(book, D(0), 1, kind, worst, D("0.1"), COSTS)


@pytest.mark.parametrize(
    ("given", "bps", "fits", "why"),
    [
        (offer(), 60.0, D(2), "it would cost 110.00 bps, 100.00 of them slippage, and 60 are"),
        (offer(), 110.0, D(4), ""),
        (offer(), 109.9, D("3.9"), "it would cost 110.00 bps"),
        (offer(), 59.0, D(0), "it would cost 110.00 bps"),
        (offer(asks=[(100.5, 3.0)]), 60.0, D(3), "the book holds 3.0 of 4"),
        (offer(asks=[]), 1e6, D(0), "the book holds nothing"),
        (offer(asks=None), 15.0, D(4), ""),
        (offer(asks=None), 14.0, D(0), "it would cost 15.00 bps, 5.00 of them slippage"),
        (offer("limit", worst=100.5), 60.0, D(4), ""),
        (offer("limit", worst=100.5), 59.0, D(0), "it would cost 60.00 bps"),
        (offer("limit", worst=101.5), 60.0, D(2), "it would cost 110.00 bps"),
        (offer("limit", worst=99.0), 2.0, D(4), ""),
        (offer("limit", worst=99.0), 1.9, D(0), "it would cost 2.00 bps, 0.00 of them slippage"),
        (offer("limit", asks=None, worst=101.5), 2.0, D(4), ""),
        (offer("post-only", worst=99.0), 2.0, D(4), ""),
        (offer("post-only", worst=99.0), 1.0, D(0), "it would cost 2.00 bps"),
    ],
)
def test_as_much_is_afforded_as_costs_no_more_than_it_may(
    given: Offer, bps: float, fits: Decimal, why: str
) -> None:
    amount, said = given.afforded(D(4), CostLimit(bps))
    assert (amount, said[: len(why) or None]) == (fits, why)
    refused, again = given.afforded(D(4), CostLimit(bps, otherwise="refuse"))
    assert (refused, again) == (fits if fits == D(4) else D(0), said)


def test_the_rest_of_a_limit_entry_is_afforded_if_the_makers_fee_is() -> None:
    costs = Costs(fees_bps=0, maker_fee_bps=70)
    dear = offer("limit", worst=100.5)._replace(costs=costs)
    assert dear.afforded(D(4), CostLimit(60)) == (D(2), "the book holds 2.0 of 4")
    assert dear.afforded(D(4), CostLimit(70)) == (D(4), "")


def test_of_a_book_with_one_side_nobody_knows_what_it_costs() -> None:
    one = offer()._replace(book=Book(MARKET, START, [], ASKS, stamp=START))
    amount, why = one.afforded(D(4), CostLimit(1e6))
    assert (amount, why) == (D(0), "the book has one side only: what it would cost is not known")


def test_what_is_within_the_worst_price_is_counted() -> None:
    assert offer(worst=101.0).within(D(4)) == (D("2.0"), "no more in the book as allowed")
    assert offer(worst=101.5).within(D(4)) == (D(4), "")
    assert offer().within(D(40)) == (D(40), "")
    assert offer(asks=None, worst=1.0).within(D(4)) == (D(4), "")


def test_a_post_only_entry_is_promised_nothing() -> None:
    found = offer("post-only", worst=102.0).promise(D(4))
    assert found is not None
    assert (found.average, found.depth_left) == (None, D(10))
    assert offer(asks=None).promise(D(4)) is None


def test_an_old_book_offers_nothing_and_a_fresh_one_what_is_left_of_it() -> None:
    standing = Standing(view=View(100.0, Book(MARKET, START, [], ASKS, stamp=START)))
    standing.taken.sides[1] = D(1)
    late, limit = START + SECOND + 1, D("99.5")
    assert offered(standing, late, 1, "market", None, 0.01, COSTS).book is None
    fresh = offered(standing, START, 1, "market", None, 0.01, COSTS)
    assert (fresh.taken, fresh.worst) == (D(1), 100.5 * 1.01)
    assert offered(standing, START, 1, "limit", limit, 0.01, COSTS).worst == 99.5


def test_what_is_left_out_is_told_with_its_figures() -> None:
    assert left_out(D("1.5"), D(4), "no") == "2.5 of 4 left out: no"
