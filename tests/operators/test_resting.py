"""A limit entry on paper: what it takes, when it fills, and when its time is over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.costs import Costs
from operators.monitor import Barriers
from operators.resting import LimitEntry
from operators.trade import Trade
from schemas import (
    SECOND,
    Book,
    Closed,
    Command,
    Event,
    Fill,
    Halt,
    Heartbeat,
    Opened,
    Order,
    Refused,
    Signal,
    Time,
)
from tests.desk import BARRIERS, COSTS, Desk, expected, trade, unsaid
from tests.tapes import EVERYWHERE, MARKET, START, canonical, chop, play

D = Decimal
ADDED = (Order, Fill, Opened, Closed, Refused, Halt)
COSTLY = Costs(fees_bps=10, maker_fee_bps=2)
BID = Signal(MARKET, START, "long", 3.0, "base", "", "limit", 99.0)
BOOK = Book(MARKET, START, [(98.0, 9.0)], [(99.0, 1.0), (99.5, 9.0)], stamp=START)


def told(
    tape: Iterable[Event],
    barriers: Barriers = Barriers(),  # noqa: B008 - a constant
    costs: Costs = COSTLY,
) -> list[Event]:
    """Return what is added to a tape, however it is cut."""
    tape = [trade(100.0), *tape]
    out = play(lambda: Trade(barriers, costs), chop(tape))
    again = play(lambda: Trade(barriers, costs), chop(tape, EVERYWHERE), EVERYWHERE)
    assert canonical(again) == canonical(out)
    return [event for event in out if isinstance(event, ADDED)]


def kinds(events: Iterable[Event]) -> list[str]:
    return [e.action if isinstance(e, Order) else type(e).__name__ for e in events]


def parts(events: Iterable[Event]) -> list[tuple[float, float, Decimal]]:
    return [(float(e.price), float(e.amount), e.fee) for e in events if isinstance(e, Fill)]


def at(price: float, ts: Time) -> Event:
    return trade(price, START + ts)


def test_it_fills_whole_and_only_when_it_is_traded_through() -> None:
    out = told([BID, trade(99.0), trade(99.0), trade(98.99, size=0.001)])
    assert parts(out) == [(99.0, 3.0, D("0.0594"))]
    assert [type(e) for e in told([BID, trade(99.0)])] == [Order]
    offer = replace(BID, action="short", limit=101.0)
    assert parts(told([offer, trade(101.0), trade(101.01)])) == [(101.0, 3.0, D("0.0606"))]


def test_a_price_that_no_float_has_is_not_traded_through_by_itself() -> None:
    assert kinds(told([replace(BID, limit=100.1), trade(100.1)])) == ["enter"]
    assert kinds(told([replace(BID, action="short", limit=0.3), trade(0.3)])) == ["enter"]


def test_it_takes_from_a_fresh_book_as_far_as_its_price_and_the_rest_rests() -> None:
    out = told([BOOK, BID, trade(100.0), trade(98.5)])
    assert parts(out) == [(99.0, 1.0, D("0.099")), (99.0, 2.0, D("0.0396"))]
    assert kinds(out) == ["enter", "Fill", "Opened", "Fill", "Opened"]
    assert [float(e.amount) for e in out if isinstance(e, Opened)] == [1.0, 3.0]


def test_one_event_may_be_where_it_arrives_and_where_it_is_traded_through() -> None:
    out = told([BOOK, BID, trade(98.5)])
    assert kinds(out) == ["enter", "Fill", "Fill", "Opened"]


def test_what_it_takes_is_gone_for_the_next() -> None:
    leave = Signal(MARKET, START, "exit", 0.0, "base", "")
    small = replace(BID, amount=1.0)
    out = told([BOOK, small, trade(100.0), leave, trade(100.0), small, trade(100.0)])
    assert [e.action for e in out if isinstance(e, Order)] == ["enter", "exit", "enter"]
    assert len(parts(out)) == 2


def test_it_arrives_at_an_event_that_is_no_trade() -> None:
    out = told([BOOK, BID, Heartbeat(MARKET, START)])
    assert kinds(out) == ["enter", "Fill", "Opened"]


def test_no_book_fills_what_rests() -> None:
    low = replace(BOOK, asks=[(90.0, 9.0)])
    assert kinds(told([BID, trade(100.0), low, Heartbeat(MARKET, START)])) == ["enter"]


def test_it_is_not_there_before_its_latency() -> None:
    slow = Costs(latency_ms=1)
    out = told([BID, at(98.0, 999_999), at(99.5, 1_000_000), at(98.0, 1_000_001)], costs=slow)
    assert [e.ts - START for e in out if isinstance(e, Fill)] == [1_000_001]


@pytest.mark.parametrize(("asks", "filled"), [(99.0, 0), (99.01, 1)])
def test_post_only_takes_nothing(asks: float, filled: int) -> None:
    book = replace(BOOK, asks=[(asks, 9.0)])
    out = told([book, replace(BID, kind="post-only"), trade(98.5)])
    assert len(parts(out)) == filled
    if not filled:
        assert isinstance(out[-1], Refused)
        assert out[-1].why == (
            "nothing filled, 3.0 cancelled: post-only, and it would have taken from the book"
        )


def test_it_is_called_off_at_the_first_event_with_its_time() -> None:
    short = replace(BID, good_for=SECOND)
    assert kinds(told([short, at(98.0, SECOND - 1)])) == ["enter", "Fill", "Opened"]
    out = told([short, at(98.0, SECOND)])
    assert kinds(out) == ["enter", "Refused"]
    assert isinstance(out[-1], Refused)
    assert out[-1].why == "nothing filled, 3.0 cancelled: its time is over"
    assert kinds(told([short, Heartbeat(MARKET, START + SECOND)])) == ["enter", "Refused"]
    assert kinds(told([short, at(99.5, 0), at(99.5, SECOND), at(98.0, SECOND)]))[-1] == "Refused"


def test_when_the_rest_is_called_off_the_position_stays() -> None:
    short = replace(BID, good_for=SECOND)
    out = told([BOOK, short, trade(100.0), at(98.0, SECOND), at(97.0, SECOND)])
    assert kinds(out) == ["enter", "Fill", "Opened", "Refused"]
    assert isinstance(out[-1], Refused)
    assert out[-1].why == "1.0 filled, 2.0 cancelled: its time is over"


def test_a_barrier_calls_off_the_rest_and_sells_what_is_held() -> None:
    out = told([BOOK, BID, trade(100.0), at(101.0, 1), at(101.0, 2)], Barriers(take_profit=0.01))
    assert kinds(out) == ["enter", "Fill", "Opened", "Refused", "exit", "Fill", "Closed"]
    assert isinstance(out[3], Refused)
    assert out[3].why == "1.0 filled, 2.0 cancelled: take"
    assert isinstance(out[-1], Closed)
    assert out[-1].amount == 1


def test_an_event_may_fill_the_rest_and_hit_a_barrier() -> None:
    out = told([BOOK, BID, trade(100.0), trade(90.0), trade(90.0)], Barriers(stop_loss=0.05))
    assert kinds(out) == ["enter", "Fill", "Opened", "Fill", "Opened", "exit", "Fill", "Closed"]


def test_the_levels_are_from_the_average_and_the_deadline_from_the_first_fill() -> None:
    book = replace(BOOK, asks=[(98.0, 1.0)], bids=[(97.0, 1.0)])
    barriers = Barriers(stop_loss=0.01, timeout=timedelta(seconds=9))
    out = told([book, BID, at(99.0, 1), at(98.9, 2)], barriers)
    first, second = (e for e in out if isinstance(e, Opened))
    assert (first.entry, first.stop) == (D(98), 98.0 * 0.99)
    assert second.entry == D("98.666666666666666667")
    assert second.stop == float(second.entry) * 0.99
    assert first.deadline == second.deadline == START + 1 + 9 * SECOND


def test_an_exit_signal_calls_off_the_rest_first() -> None:
    leave = Signal(MARKET, START, "exit", 0.0, "base", "enough")
    assert kinds(told([BOOK, BID, trade(100.0), leave, trade(98.0)])) == [
        "enter", "Fill", "Opened", "Refused", "exit", "Fill", "Closed",
    ]  # fmt: skip
    assert kinds(told([BID, leave, trade(98.0)])) == ["enter", "Refused"]


def test_a_reverse_keeps_its_limit_for_the_second_half() -> None:
    turn = replace(BID, action="reverse", limit=101.0, good_for=SECOND)
    enter = replace(BID, kind="market", limit=None)
    out = told([enter, trade(100.0), turn, at(100.0, 5), at(101.5, 6)])
    order = [e for e in out if isinstance(e, Order)][-1]
    assert (order.side, order.kind, order.price) == ("sell", "limit", D(101))
    assert order.expires == START + 5 + SECOND
    assert parts(out)[-1][0] == 101.0


@pytest.mark.parametrize("action", ["halt", "reduce", "flatten"])
def test_who_halts_a_market_calls_its_resting_entry_off(action: str) -> None:
    command = Command(MARKET, START, action, who="me")
    assert kinds(told([BID, command, trade(98.0)])) == ["enter", "Halt", "Refused"]
    held = told([BOOK, BID, trade(100.0), command, trade(98.0)])
    assert kinds(held)[:5] == ["enter", "Fill", "Opened", "Halt", "Refused"]


@given(st.integers(0, 9_999), BARRIERS, COSTS, st.booleans())
@settings(max_examples=40)
def test_it_is_found_far_down_a_long_slice(
    seed: int, barriers: Barriers, costs: Costs, booked: bool
) -> None:
    random, price, ts, tape = Random(seed), 10_000, START, list[Event]()
    for row in range(3_000):
        if row % 300 == 50:
            if booked:
                sides = [[((price + sign * 3) / 100, 1.0)] for sign in (-1, 1)]
                tape.append(Book(MARKET, ts, sides[0], sides[1], stamp=ts))
            action, good_for = random.choice(["long", "short"]), random.choice([0, SECOND])
            limit = (price + random.choice([-9, -2, 0, 4])) / 100
            tape.append(replace(BID, ts=ts, action=action, limit=limit, good_for=good_for))
        price += random.choice([-1, 0, 1])
        ts += random.choice([0, 0, 10_000_000])
        tape.append(trade(price / 100, ts, random.choice([1, 0, -1])))
    out = play(lambda: Trade(barriers, costs), chop(tape))
    assert unsaid(out) == expected(Desk(barriers, costs), tape)


def test_an_entry_tells_what_went_through_it() -> None:
    entry = LimitEntry(1, D("100.1"), START, D(1), START + 5, post_only=False)
    assert [entry.through(price) for price in (100.1, 100.09)] == [False, True]
    assert [entry.over(ts) for ts in (START + 4, START + 5)] == [False, True]
    assert not replace(entry, expires=None).over(START + 5)
