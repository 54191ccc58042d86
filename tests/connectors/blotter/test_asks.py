"""What flows ask for is taken once, and two things said of one order halt the flow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.connectors.blotter_rig import FLOW, Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with closing(Rig()) as rig:
        rig.exchange.share = Decimal(1)
        yield rig.ready()


def test_an_order_handed_over_again_is_the_same_order(rig: Rig) -> None:
    rig.ask("enter", "buy")
    rig.ask("exit")
    for ask in rig.asks * 2:
        rig.hand_over(ask)
        rig.crash()
        rig.hand_over(ask)
    rig.rest()
    assert [order.place.purpose for order in rig.exchange.orders].count("enter") <= 1
    assert not rig.exchange.wrong
    assert not rig.cases()


def test_an_id_that_says_something_else_halts_the_entries_of_the_flow(rig: Rig) -> None:
    rig.ask("enter", "buy", kind="limit", price=Decimal(90))
    rig.work()
    first = rig.asks[0]
    rig.hand_over(first._replace(order=replace(first.order, amount=Decimal(2))))
    rig.work()
    told = [(report.status, report.position, report.reason) for report in rig.reports[-2:]]
    why = "enter 1 of okx:BTC/USDT was another order before"
    assert told == [("rejected", 0, why), ("cancelled", 1, why)]
    rig.ask("enter", "buy")
    assert rig.reports[-1].reason == f"halted: {why}"
    assert rig.blotter._pages.modes.of("other", rig.market).mode == "active"


def test_another_order_for_a_position_that_there_was_is_a_fault(rig: Rig) -> None:
    rig.ask("enter", "buy")
    rig.tell("flatten")
    rig.tell("resume")
    rig.rest()
    rig.positions -= 1
    rig.ask("enter", "buy")
    assert (rig.reports[-1].status, rig.reports[-1].position) == ("rejected", 1)
    assert rig.blotter._pages.modes.of(FLOW, rig.market).mode == "halted"


def test_an_exit_of_a_position_that_nobody_knows_is_answered(rig: Rig) -> None:
    rig.positions = 5
    rig.ask("exit")
    told = rig.reports[-1]
    assert (told.status, told.position, told.purpose) == ("closed", 5, "exit")
    assert told.reason == "the executor knows of no such position"


def test_a_cancel_calls_off_what_is_left_of_the_entry_alone(rig: Rig) -> None:
    rig.ask("enter", "buy", kind="limit", price=Decimal(100), stop=0.1)
    rig.work()
    rig.exchange.fill(rig.exchange.standing()[0], Decimal("0.4"))
    rig.work()
    rig.ask("cancel")
    rig.work()
    assert rig.told()[-2:] == [("cancelled", "enter"), ("acknowledged", "stop")] or (
        "cancelled", "enter",
    ) in rig.told()  # fmt: skip
    assert [case.holding.held for case in rig.cases()] == [Decimal("0.4")]
    assert [order.place.purpose for order in rig.exchange.standing()] == ["stop"]


def test_a_stop_stands_where_the_flow_said_last_by_the_tapes_time(rig: Rig) -> None:
    rig.ask("enter", "buy", stop=0.1)
    rig.work()
    rig.ask("protect", price=Decimal(95))
    old = rig.asks[-1]
    rig.now += 1
    rig.ask("protect", price=Decimal(96))
    rig.hand_over(old)
    rig.tick(6)
    rig.work()
    assert [order.place.stop_price for order in rig.exchange.standing()] == [Decimal(96)]


def test_an_action_that_there_is_not_is_told(rig: Rig) -> None:
    rig.ask("dance")
    assert rig.reports[-1].reason == "there is no action 'dance'"
    assert rig.reports[-1].position == 0
