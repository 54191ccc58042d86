"""Trade: the whole life of positions, against trading by pencil and paper."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.costs import Costs
from operators.monitor import Barriers
from operators.slippage import CostLimit
from operators.tape import _Logic
from operators.trade import Trade
from schemas import (
    SECOND,
    Book,
    Closed,
    Command,
    Event,
    Fault,
    Fill,
    Halt,
    Heartbeat,
    Instrument,
    Opened,
    Order,
    Refused,
    Signal,
)
from tests.desk import (
    BARRIERS,
    COSTS,
    MAX_COST,
    MAX_SLIPPAGE,
    RESTED,
    TIMED,
    TOLD,
    WANTED,
    Desk,
    exact,
    expected,
    sessions,
    trade,
    unsaid,
)
from tests.tapes import MARKET, START, chop, cuts, play, witnessed

FREE = Costs()
OPEN_ENDED = Barriers()
ADDED = (Order, Fill, Opened, Closed, Refused, Halt)
ENTERED: list[Event] = [trade(100.0), Signal(MARKET, START, "long", 3.0, "base", ""), trade(100.0)]
"""A long position of 3 at 100."""


def signal(action: str, amount: float = 3.0, ts: int = START) -> Signal:
    return Signal(MARKET, ts, action, amount, "base", "")


def traded(tape: list[Event], barriers: Barriers = OPEN_ENDED, costs: Costs = FREE) -> list[Event]:
    """Return what a new machine adds to a tape."""
    return [out for out in play(lambda: Trade(barriers, costs), tape) if isinstance(out, ADDED)]


# The whole life cycle -----------------------------------------------------------------------------


@given(sessions(), BARRIERS, COSTS, MAX_SLIPPAGE, cuts(100), cuts(100))
@settings(max_examples=500)
def test_positions_live_as_they_do_by_pencil_and_paper(
    tape: list[Event],
    barriers: Barriers,
    costs: Costs,
    slippage: float | None,
    cut: Container[int],
    restarts: Container[int],
) -> None:
    out = play(lambda: Trade(barriers, costs, slippage), chop(tape, cut), restarts)
    assert unsaid(out) == expected(Desk(barriers, costs, slippage), tape)


@given(sessions(), BARRIERS, COSTS, MAX_SLIPPAGE, cuts(100), cuts(100))
def test_no_cut_and_no_restart_changes_a_bit(
    tape: list[Event],
    barriers: Barriers,
    costs: Costs,
    slippage: float | None,
    cut: Container[int],
    restarts: Container[int],
) -> None:
    uncut = witnessed(lambda: Trade(barriers, costs, slippage), tape)
    cut_up = chop(tape, cut)
    assert witnessed(lambda: Trade(barriers, costs, slippage), cut_up, restarts) == uncut


RESTING = sessions((*TIMED, *WANTED, *TOLD, *RESTED), always=("trade", "burst", "book", "bid"))


@given(RESTING, BARRIERS, COSTS, MAX_SLIPPAGE, MAX_COST, cuts(100), cuts(100))
@settings(max_examples=500)
def test_entries_with_a_limit_or_a_greatest_cost_live_as_they_do_by_pencil_and_paper(
    tape: list[Event],
    barriers: Barriers,
    costs: Costs,
    slippage: float | None,
    most: CostLimit | None,
    cut: Container[int],
    restarts: Container[int],
) -> None:
    def machine() -> Trade:
        return Trade(barriers, costs, slippage, most)

    out = play(machine, chop(tape))
    assert unsaid(out) == expected(Desk(barriers, costs, slippage, most), tape)
    cut_up = chop(tape, cut)
    assert witnessed(machine, cut_up, restarts) == witnessed(machine, chop(tape))


@given(st.integers(0, 9_999), BARRIERS, COSTS)
@settings(max_examples=20)
def test_a_barrier_is_found_far_down_a_long_slice(
    seed: int, barriers: Barriers, costs: Costs
) -> None:
    random, price, ts, tape = Random(seed), 10_000, START, list[Event]()
    for row in range(3_000):
        if row % 700 == 50:
            tape.append(signal(random.choice(["long", "short", "reverse"]), ts=ts))
        price += random.choice([-1, 0, 1])
        ts += random.choice([0, 0, 10_000_000])
        tape.append(trade(price / 100, ts, random.choice([1, 0, -1])))
    out = play(lambda: Trade(barriers, costs), chop(tape))
    assert unsaid(out) == expected(Desk(barriers, costs), tape)


def test_heartbeats_fill_nothing_without_a_book() -> None:
    beats = [Heartbeat(MARKET, START + n * SECOND) for n in range(99)]
    assert [type(out) for out in traded([trade(100.0), signal("long"), *beats])] == [Order]


# Money --------------------------------------------------------------------------------------------


@given(sessions(), BARRIERS, COSTS, MAX_SLIPPAGE)
@settings(max_examples=200)
def test_what_is_closed_is_the_exact_sum_of_its_fills(
    tape: list[Event], barriers: Barriers, costs: Costs, slippage: float | None
) -> None:
    contract = Decimal("0.1")
    head = Instrument(MARKET, START, Decimal("0.01"), Decimal("0.5"), Decimal(5), contract)
    tape = [head, *(event for event in tape if not isinstance(event, Instrument))]
    out = play(lambda: Trade(barriers, costs, slippage), tape)
    for closed in out:
        if not isinstance(closed, Closed):
            continue
        fills = [e for e in out if isinstance(e, Fill) and e.position == closed.position]
        money = {"buy": Decimal(0), "sell": Decimal(0)}
        filled = {"buy": Decimal(0), "sell": Decimal(0)}
        for fill in fills:
            money[fill.side] += fill.price * fill.amount * contract
            filled[fill.side] += fill.amount
        assert closed.fees == sum(fill.fee for fill in fills)
        assert closed.pnl == money["sell"] - money["buy"] - closed.fees
        assert filled["buy"] == filled["sell"] == closed.amount
        opened = [e for e in out if isinstance(e, Opened) and e.position == closed.position]
        assert [e.amount for e in opened] == [closed.amount]


@given(sessions(), BARRIERS, COSTS, MAX_SLIPPAGE)
def test_money_is_decimal_and_amounts_are_whole_lots(
    tape: list[Event], barriers: Barriers, costs: Costs, slippage: float | None
) -> None:
    lot = Decimal("1e-8")
    tape = [event for event in tape if not isinstance(event, Instrument)]
    for out in play(lambda: Trade(barriers, costs, slippage), tape):
        if isinstance(out, (Order, Fill, Opened, Closed)):
            assert out.amount % lot == 0
            assert out.amount > 0
            for name in ("amount", "price", "fee", "fees", "entry", "exit", "pnl", "funding"):
                money = getattr(out, name, lot)
                assert type(money) is Decimal or (type(out) is Order and money is None)


def test_an_order_of_a_quote_amount_is_rounded_toward_zero_to_the_lot() -> None:
    head = Instrument(MARKET, START, None, Decimal("0.001"), Decimal(0), Decimal("0.01"))
    wanted = replace(signal("long", 1_000), unit="quote")
    order = next(o for o in traded([head, trade(61_837.63), wanted]) if isinstance(o, Order))
    assert order.amount == Decimal("1.617")
    assert exact(1_000) / exact(61_837.63) / exact(0.01) < Decimal("1.618")


# What is refused, and why -------------------------------------------------------------------------

TICK = Instrument(MARKET, START, Decimal("0.01"), Decimal("0.001"), Decimal(500), Decimal(1))


@pytest.mark.parametrize(
    ("tape", "why"),
    [
        ([signal("long")], "no price yet"),
        ([trade(100.0), signal("exit")], "there is no position"),
        ([trade(100.0), signal("reverse")], "there is no position"),
        ([trade(100.0), signal("long"), signal("long")], "already entering a long"),
        ([trade(100.0), signal("short"), trade(100.0), signal("long")], "already short"),
        (
            [trade(100.0), signal("long"), trade(100.0), signal("exit"), signal("exit")],
            "already leaving a long",
        ),
        ([trade(100.0), signal("long", 1e-9)], "1e-09 base is less than one lot of 1E-8"),
        ([trade(100.0), signal("long", float("nan"))], "an amount of nan is not above 0"),
        (
            [TICK, trade(100.0), signal("long")],
            "an order worth 300.00 is below the minimum of 500",
        ),
        (
            [trade(100.0), Command(MARKET, START, "halt", who="me"), signal("long")],
            "the market is halted",
        ),
        (
            [trade(100.0), Command(MARKET, START, "pause", who="me")],
            "no such command; there are halt, reduce, resume, flatten and close",
        ),
        (
            [trade(100.0), Fault(MARKET, START, "rule", "no", ""), signal("long")],
            "the market is reducing",
        ),
        (
            [trade(100.0), signal("long"), signal("exit")],
            "called off before it filled: exit",
        ),
        (
            [
                trade(100.0),
                Book(MARKET, START, [], [(100.0, 1.0)], stamp=START),
                signal("long"),
                trade(100.0),
            ],
            "1.0 filled, 2.0 cancelled: no more in the book as allowed",
        ),
    ],
)
def test_a_refusal_says_why(tape: list[Event], why: str) -> None:
    assert [out.why for out in traded(tape) if isinstance(out, Refused)] == [why]


def test_the_second_half_of_a_reverse_is_refused_when_the_market_is_reduced() -> None:
    reduced: list[Event] = [
        signal("reverse"),
        Command(MARKET, START, "reduce", who="me"),
        trade(100.0),
    ]
    kinds = [type(out) for out in traded([*ENTERED, *reduced])]
    assert kinds[-4:] == [Halt, Refused, Fill, Closed]


def test_a_fault_lets_exits_go_on() -> None:
    fault = Fault(MARKET, START, "rule", "no", "")
    out = traded([*ENTERED, fault, trade(99.0), trade(98.0)], Barriers(stop_loss=0.005))
    assert [type(o) for o in out][-4:] == [Halt, Order, Fill, Closed]


# Single facts that are easily got wrong -----------------------------------------------------------


def test_an_order_is_not_filled_by_the_event_that_caused_it() -> None:
    out = traded([trade(100.0), signal("long"), trade(101.0)])
    assert [o.price for o in out if isinstance(o, Fill)] == [Decimal("101.0")]


def test_entry_and_exit_find_room_in_one_slice() -> None:
    tape: list[Event] = [*ENTERED, *map(trade, (99.5, 90.0, 91.0))]
    out = play(lambda: Trade(Barriers(stop_loss=0.005), FREE), chop(tape))
    closed = out[-2]
    assert isinstance(closed, Closed)
    assert (closed.why, closed.entry, closed.exit) == ("stop", Decimal(100), Decimal(90))


def test_the_second_half_of_a_reverse_is_sized_by_the_book_it_stands_behind() -> None:
    wanted = Signal(MARKET, START, "reverse", 1_000, "quote", "")
    early = Book(MARKET, START, [(100.0, 9.0)], [(101.0, 9.0)], stamp=START)
    late = replace(early, bids=[(50.0, 9.0)])
    orders = [o for o in traded([*ENTERED, early, wanted, late]) if isinstance(o, Order)]
    assert [order.amount for order in orders] == [3, 3, 20]


def test_an_order_worth_the_least_amount_is_allowed() -> None:
    enough, more = (replace(TICK, min_notional=Decimal(least)) for least in ("300", "300.01"))
    assert traded([enough, trade(100.0), signal("long")])[-1].__class__ is Order
    assert traded([more, trade(100.0), signal("long")])[-1].__class__ is Refused


def test_a_timeout_fires_on_a_heartbeat() -> None:
    late = Heartbeat(MARKET, START + SECOND, START + SECOND)
    out = traded([*ENTERED, late], Barriers(timeout=timedelta(seconds=1)))
    assert isinstance(out[-1], Order)
    assert (out[-1].ts, out[-1].why) == (START + SECOND, "timeout")


def test_a_book_that_comes_too_old_stops_nobody_out() -> None:
    old = Book(MARKET, START, [(90.0, 1.0)], [], stamp=START - SECOND - 1)
    fresh = replace(old, stamp=START - SECOND)
    stop = Barriers(stop_loss=0.005)
    assert isinstance(traded([*ENTERED, old], stop)[-1], Opened)
    assert isinstance(traded([*ENTERED, fresh], stop)[-1], Order)


def test_an_open_position_keeps_its_barriers_when_the_flow_gets_others() -> None:
    wide, tight = Trade(Barriers(stop_loss=0.05), FREE), Trade(Barriers(stop_loss=0.01), FREE)
    for event in ENTERED:
        list(wide(event))
    tight.state = wide.state
    assert not [out for out in tight(trade(98.0)) if isinstance(out, Order)]


def test_an_edited_stop_is_for_the_next_position_and_an_open_one_keeps_its_own() -> None:
    first = _Logic("step", Trade(Barriers(stop_loss=0.05), FREE), None)
    first.on_batch([ENTERED])
    edited = _Logic("step", Trade(Barriers(stop_loss=0.005), FREE), first.snapshot())
    tape: list[Event] = [
        *map(trade, (99.0, 96.0, 94.0, 100.0)),
        *ENTERED,
        *map(trade, (99.0, 98.0)),
    ]
    [strip], _ = edited.on_batch([tape])
    closed = [event for event in strip if isinstance(event, Closed)]
    assert [(c.why, c.exit) for c in closed] == [("stop", Decimal(100)), ("stop", Decimal(98))]


@pytest.mark.parametrize("slippage", [-0.1, 1.0, float("nan")])
def test_a_slippage_that_is_no_part_of_a_price_is_refused(slippage: float) -> None:
    with pytest.raises(ValueError, match=str(slippage)):
        Trade(OPEN_ENDED, FREE, slippage)
