"""The events that tell of a position."""

from __future__ import annotations

from decimal import Decimal

from operators.gate import Plan
from operators.life import Life, Result
from operators.monitor import Widths, arm
from operators.paper import Taken, View
from operators.slippage import Promise
from operators.standing import Standing
from operators.telling import aggressor, closed, entry_order, exit_order, not_done, opened
from schemas import SECOND, Book, Closed, Opened, Order, Refused, Side, Signal
from tests.tapes import MARKET, START

D = Decimal
WIDTHS = Widths(0.02, 0.03, None, SECOND)
PROMISE = Promise(D(2), D(101), D(102), 100.0, D(5))
BOOK = Book(MARKET, START, [(99.0, 1.0), (98.0, 4.0)], [(101.0, 1.0)], stamp=START)


def life(side: Side = "long") -> Life:
    return Life(side, WIDTHS, None, Taken(), "open", opened=START, why="take")


def test_a_buyer_is_above_zero() -> None:
    assert [aggressor(1), aggressor(-1)] == ["buy", "sell"]


def test_an_entry_is_counted_and_tells_what_the_book_promised() -> None:
    standing = Standing(orders=4, positions=2)
    bid = Signal(MARKET, START - 1, "long", 2.0, "base", "cross", "post-only", 99.0, SECOND)
    order = entry_order(standing, bid, START, Plan("long", D(2), D(99), WIDTHS, PROMISE, ""))
    assert order == Order(
        MARKET, START, 5, 3, "enter", "buy", D(2), "cross", "post-only", D(99), START + SECOND,
        0.02, D(101), D(102), 100.0, D(5),
    )  # fmt: skip
    assert (standing.orders, standing.positions) == (5, 3)


def test_an_entry_at_any_price_has_no_time_and_its_stop_may_trail() -> None:
    signal = Signal(MARKET, START, "short", 2.0, "base", "", good_for=SECOND)
    trailing = Widths(None, None, 0.01, None)
    order = entry_order(Standing(), signal, START, Plan("short", D(2), None, trailing, None, ""))
    assert (order.side, order.kind, order.expires, order.stop) == ("sell", "market", None, 0.01)
    assert (order.expected, order.slippage_bps, order.depth_left) == (None, None, None)


def test_an_exit_tells_what_a_fresh_book_promises() -> None:
    standing = Standing(life(), view=View(100.0, BOOK), orders=1, positions=1)
    standing.taken.sides[-1] = D("0.5")
    order = exit_order(standing, MARKET, START, D(1), "take", SECOND)
    assert order == Order(
        MARKET, START, 2, 1, "exit", "sell", D(1), "take",
        expected=D("98.5"), worst=D(98), slippage_bps=150.0, depth_left=D("3.5"),
    )  # fmt: skip
    late = exit_order(standing, MARKET, START + SECOND + 1, D(1), "take", SECOND)
    assert (late.order, late.expected) == (3, None)


def test_what_is_not_done_is_told_with_what_is() -> None:
    assert not_done(MARKET, START, "long", D(0), D(3), "no") == Refused(
        MARKET, START, "long", "nothing filled, 3 cancelled: no"
    )
    assert not_done(MARKET, START, "short", D(1), D("1E+1"), "no").why == (
        "1 filled, 10 cancelled: no"
    )


def test_an_open_position_tells_its_levels_and_a_short_has_its_stop_above() -> None:
    for side, stop, take in (("long", 98.0, 103.0), ("short", 102.0, 97.0)):
        position = life(side)  # type: ignore[arg-type]
        position.armed = arm(position.side, WIDTHS, 100.0, START)
        told = opened(Standing(positions=1), position, MARKET, START, D(2), D(100))
        assert told == Opened(
            MARKET, START, 1, position.side, D(2), D(100), stop, take, None, START + SECOND
        )


def test_a_width_that_is_none_has_no_level() -> None:
    position = life()
    position.widths = Widths(None, None, None, None)
    position.armed = arm("long", position.widths, 100.0, START)
    told = opened(Standing(), position, MARKET, START, D(2), D(100))
    assert (told.stop, told.take, told.deadline) == (None, None, None)


def test_a_closed_position_tells_what_it_made() -> None:
    made = Result(D(100), D(103), D(1), D(5), 0.03, 0.025)
    assert closed(Standing(positions=4), life(), MARKET, START + 9, D(2), made) == Closed(
        MARKET, START + 9, 4, "long", D(2), D(100), D(103), START, "take", D(1), D(5), 0.03, 0.025
    )
