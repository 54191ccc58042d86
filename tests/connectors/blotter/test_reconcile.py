"""Reconciling: what was missed is taken up, and what nobody can explain ends the entries there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.blotter.actions import Cancel, FetchDeals, LookUp
from tests.connectors.blotter_rig import PERPETUAL, Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with closing(Rig()) as rig:
        rig.exchange.share = Decimal(1)
        yield rig.ready()


@pytest.fixture
def perpetual() -> Iterator[Rig]:
    with closing(Rig(PERPETUAL)) as rig:
        rig.exchange.share = Decimal(1)
        yield rig.ready()


def mode(rig: Rig) -> str:
    return rig.blotter._pages.modes.of("demo", rig.market).mode


def test_fills_that_were_missed_are_taken_and_told(rig: Rig) -> None:
    rig.ask("enter", "buy", stop=0.1)
    rig.act()
    rig.exchange.news.clear()
    rig.todo.clear()
    rig.reconcile()
    assert ("filled", "enter") in rig.told()
    assert ("sent", "stop") in rig.told()
    rig.work()
    assert mode(rig) == "active"


def test_an_order_that_is_not_there_is_looked_up(rig: Rig) -> None:
    rig.ask("enter", "buy", kind="limit", price=Decimal(90))
    rig.work()
    order = rig.exchange.standing()[0]
    order.status = "cancelled"
    assert rig.reconcile() == [LookUp(order.place.id, rig.market)]
    rig.work()
    assert rig.told()[-1] == ("cancelled", "enter")


def test_an_order_that_is_there_though_it_has_ended_is_called_off(rig: Rig) -> None:
    rig.ask("enter", "buy", kind="limit", price=Decimal(90))
    rig.work()
    order = rig.exchange.standing()[0]
    rig.exchange.end(order, "cancelled")
    rig.work()
    order.status = "open"
    assert rig.reconcile() == [
        Cancel(order.place.id, rig.market),
        FetchDeals(rig.market, order.place.id, order.exchange_id),
    ]


def test_an_order_of_somebody_else_is_left_alone(rig: Rig) -> None:
    rig.ask("enter", "buy", kind="limit", price=Decimal(90))
    rig.work()
    order = rig.exchange.standing()[0]
    theirs = replace(order, place=replace(order.place, id=""), exchange_id="theirs")
    rig.exchange.orders.append(theirs)
    assert rig.reconcile() == []


@pytest.mark.parametrize("by", ["1", "-1"])
def test_a_difference_ends_the_entries_at_the_second_look(perpetual: Rig, by: str) -> None:
    rig = perpetual
    rig.ask("enter", "buy")
    rig.work()
    rig.exchange.held += Decimal(by)
    rig.reconcile()
    assert (mode(rig), rig.commands) == ("active", [])
    rig.reconcile()
    rig.reconcile()
    assert mode(rig) == "reducing"
    [command] = rig.commands
    assert (command.action, command.market, command.flow) == ("reduce", rig.market, "")
    assert f"{Decimal(by):+f} of it cannot be explained" in command.who
    rig.crash()
    assert mode(rig) == "reducing"


def test_a_difference_that_changes_is_looked_at_again(perpetual: Rig) -> None:
    rig = perpetual
    for by in (1, 1, 1):
        rig.exchange.held += by
        rig.reconcile()
    assert mode(rig) == "active"


def test_a_person_who_resumes_takes_what_is_there_for_right(perpetual: Rig) -> None:
    rig = perpetual
    rig.exchange.held = Decimal(5)
    rig.reconcile()
    rig.reconcile()
    rig.tell("resume", market=rig.market)
    for _ in range(3):
        rig.reconcile()
    assert mode(rig) == "active"
    rig.crash()
    rig.ready()
    rig.reconcile()
    rig.reconcile()
    assert mode(rig) == "active"


def test_more_of_a_currency_is_no_difference_and_less_is_one(rig: Rig) -> None:
    rig.ask("enter", "buy")
    rig.work()
    rig.exchange.held += 7
    for _ in range(3):
        rig.reconcile()
    assert mode(rig) == "active"
    rig.exchange.held -= 8
    rig.reconcile()
    rig.reconcile()
    assert mode(rig) == "reducing"


def test_nothing_is_compared_while_an_order_is_under_way(perpetual: Rig) -> None:
    rig = perpetual
    rig.ask("enter", "buy")
    rig.exchange.held = Decimal(1)
    for _ in range(3):
        rig.reconcile()
    assert mode(rig) == "active"


def test_what_somebody_else_has_sold_is_over_once_two_exits_got_nothing(perpetual: Rig) -> None:
    rig = perpetual
    rig.ask("enter", "buy")
    rig.work()
    rig.exchange.held = Decimal(0)
    rig.ask("exit")
    rig.work()
    rig.reconcile()
    assert rig.cases()
    rig.tick(1)
    rig.work()
    rig.reconcile()
    assert not rig.cases()
    assert rig.reports[-1].status == "closed"
    assert "the exchange holds nothing of the 1" in rig.reports[-1].reason
