"""Matching at the stand-in: by the book, and by the trades."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.standin.account import Account
from tests.standin.capture import Capture, Line, RawTrade
from tests.standin.floor import Floor
from tests.standin.orders import Order, RefusedError


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.play(21)
    return floor


def fills(order: Order) -> list[tuple[Decimal, Decimal]]:
    return [(deal.price, deal.amount) for deal in order.deals]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_market_order_walks_the_book_and_a_second_one_goes_on_where_it_ended(
    floor: Floor, sign: int
) -> None:
    (first, size), (second, more), _ = floor.best(sign)
    order = floor.order(sign, f"{size + 1}")
    assert fills(order) == [(first, size), (second, Decimal(1))]
    assert (order.status, order.deals[0].maker) == ("filled", False)
    assert fills(floor.order(sign, f"{more - 1}")) == [(second, more - 1)]


def test_what_was_taken_is_back_once_the_level_shows_another_size(floor: Floor) -> None:
    (price, size), _, _ = floor.best(1)
    floor.order(1, f"{size}")
    assert fills(floor.order(1, "0.05", price=f"{price}", rests=False)) == []
    update = b'{"u":%d,"b":[],"a":[["%s","9.5"]]}' % (1 << 40, f"{price}".encode())
    floor.line(Line(0, "depth", update))
    assert fills(floor.order(1, "9.50", price=f"{price}", rests=False)) == [(price, Decimal("9.5"))]


def test_what_was_taken_is_back_when_the_level_went_and_came_again(floor: Floor) -> None:
    (price, size), _, _ = floor.best(1)
    floor.order(1, f"{size}")
    for n, shown in enumerate(("0", f"{size}")):
        update = b'{"u":%d,"b":[],"a":[["%s","%s"]]}'
        raw = update % ((1 << 40) + n, f"{price}".encode(), shown.encode())
        floor.line(Line(0, "depth", raw))
    assert fills(floor.order(1, f"{size}", price=f"{price}", rests=False)) == [(price, size)]


def test_a_market_order_gets_what_there_is_and_the_rest_expires() -> None:
    floor = Floor(account=Account(spot={"BTC": Decimal(1_000)}))
    floor.play(21)
    order = floor.order(-1, "500")
    assert order.status == "expired"
    assert order.filled == sum(Decimal(size) for _, size in floor.market.bids.walk()) < 500


def test_a_limit_order_takes_as_far_as_its_price_and_rests_there(floor: Floor) -> None:
    (first, size), (second, _), _ = floor.best(1)
    order = floor.order(1, f"{size + 2}", price=f"{first}")
    assert fills(order) == [(first, size)]
    assert order.status == "partly"
    assert order.left == 2
    assert floor.account.open_orders() == [order]
    assert second > first


def test_an_ioc_order_does_not_rest(floor: Floor) -> None:
    order = floor.order(1, "1", price="50", rests=False)
    assert order.status == "expired"
    assert order.filled == 0


def test_a_resting_order_waits_for_those_in_front_of_it(floor: Floor) -> None:
    bid, size = floor.best(-1)[0]
    order, behind = (floor.order(1, "2", price=f"{bid}") for _ in range(2))
    floor.trade(f"{bid}", f"{size - 1}")
    assert order.filled == 0
    floor.trade(f"{bid}", "5", maker=False)
    assert order.filled == 0, "buyers do not trade with a buyer"
    floor.trade(f"{bid}", "2")
    assert order.filled == 1
    assert behind.filled == 0
    floor.trade(f"{bid}", "2")
    assert order.filled == 2
    assert behind.filled == 1
    assert [deal.maker for deal in order.deals] == [True, True]


def test_who_cancels_lets_those_behind_move_up_and_so_does_a_level_that_shrinks(
    floor: Floor,
) -> None:
    bid, size = floor.best(-1)[0]
    order, behind = (floor.order(1, "2", price=f"{bid}") for _ in range(2))
    floor.trading.cancel(order)
    assert order.status == "cancelled"
    assert behind.ahead == size
    update = b'{"u":%d,"a":[],"b":[["%s","0.5"]]}' % (1 << 40, f"{bid}".encode())
    floor.line(Line(0, "depth", update))
    floor.trade(f"{bid}", "1.5")
    assert behind.filled == 1
    with pytest.raises(RefusedError, match="unknown"):
        floor.trading.cancel(order)


def test_a_trade_beyond_its_price_fills_a_resting_order_whole(floor: Floor) -> None:
    order = floor.order(1, "7", price="99.00")
    floor.trade("98.99", "0.01", maker=False)
    assert fills(order) == [(Decimal(99), Decimal(7))]


def test_without_a_queue_only_a_trade_beyond_its_price_fills(floor: Floor) -> None:
    floor.engine.queue = False
    order = floor.order(1, "7", price="99.00")
    floor.trade("99.00", "1000")
    assert order.filled == 0
    floor.trade("98.99", "0.01")
    assert order.status == "filled"


def test_a_post_only_order_rests_or_is_refused(floor: Floor) -> None:
    ask, bid = floor.best(1)[0][0], floor.best(-1)[0][0]
    assert floor.order(1, "1", price=f"{bid}", post_only=True).open
    with pytest.raises(RefusedError, match="matches"):
        floor.order(1, "1", price=f"{ask}", post_only=True)


def test_a_stop_sleeps_until_a_trade_at_its_price(floor: Floor) -> None:
    stop = floor.order(-1, "1", stop="90.00")
    floor.trade("90.01", "1")
    assert stop.waits
    floor.trade("90.00", "0.01", maker=False)
    assert stop.status == "filled"
    assert stop.deals[0].price == floor.best(-1)[0][0]


@pytest.mark.parametrize(("sign", "price"), [(-1, "120.00"), (1, "80.00")])
def test_a_stop_that_would_trigger_at_once_is_refused(floor: Floor, sign: int, price: str) -> None:
    with pytest.raises(RefusedError, match="triggers"):
        floor.order(sign, "1", stop=price)


def test_an_order_filled_in_part_gets_nothing_more_until_it_may(floor: Floor) -> None:
    floor.engine.share = 0.5
    order = floor.order(1, "1")
    floor.trade("50.00", "10")
    assert (order.status, order.filled) == ("partly", Decimal("0.5"))
    floor.engine.release()
    assert order.status == "filled"


def test_a_capture_knows_its_steps() -> None:
    capture = Capture.of([RawTrade(1, "5.10", "0.125", 1, False), RawTrade(2, "5", "2", 1, True)])
    assert (capture.tick, capture.lot) == (Decimal("0.1"), Decimal("0.001"))
