"""The blotter: each input is kept before anything is done, and a person is obeyed at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from connectors.blotter.actions import Cancel, LookUp, Reconcile, Send
from schemas import Position, Reject
from tests.connectors.blotter_rig import SPOT, Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with closing(Rig()) as rig:
        rig.exchange.share = Decimal(1)
        yield rig.ready()


def test_an_intent_is_kept_before_it_is_done(rig: Rig) -> None:
    [send] = rig.ask("enter", "buy")
    assert isinstance(send, Send)
    kept = rig.outbox.slip(send.place.id)
    assert kept is not None
    assert (kept.status, kept.place) == ("sent", send.place)


def test_what_was_sent_and_not_answered_is_asked_about_first_after_a_restart(rig: Rig) -> None:
    [send] = rig.ask("enter", "buy")
    assert isinstance(send, Send)
    rig.crash()
    assert rig.todo == [LookUp(send.place.id, rig.market), Reconcile(rig.market)]
    assert rig.told()[-1] == ("unknown", "enter")


def test_no_entry_goes_before_the_market_was_compared_and_exits_do(rig: Rig) -> None:
    rig.ask("enter", "buy")
    rig.work()
    rig.crash()
    rig.todo.clear()
    [send] = rig.ask("exit")
    assert isinstance(send, Send)
    with closing(Rig()) as fresh:
        assert fresh.ask("enter", "buy") == [Reconcile(SPOT)]
    rig.work()
    rig.crash()
    rig.todo.clear()
    assert rig.ask("enter", "buy") == [Reconcile(SPOT)]


def test_a_flow_that_is_alive_has_its_markets_compared_once(rig: Rig) -> None:
    assert rig.blotter.markets() == {SPOT}
    assert rig.live() == []


@pytest.mark.parametrize("command", ["flatten", "close"])
def test_a_person_can_have_all_sold(rig: Rig, command: str) -> None:
    rig.ask("enter", "buy", stop=0.1)
    rig.work()
    rig.tell(command, market=SPOT)
    rig.work()
    assert rig.exchange.held == 0
    assert not rig.cases()
    assert rig.reports[-1].reason == f"{command} by me"
    rig.ask("enter", "buy")
    assert rig.told()[-1][0] == ("rejected" if command == "flatten" else "sent")


def test_a_halt_calls_entries_off_and_lets_stops_rest_and_exits_go(rig: Rig) -> None:
    rig.ask("enter", "buy", kind="limit", price=Decimal(100), stop=0.1)
    rig.work()
    rig.exchange.fill(rig.exchange.standing()[0], Decimal("0.5"))
    rig.work()
    assert [type(action) for action in rig.tell("halt", flow="demo")] == [Cancel]
    rig.work()
    assert [order.place.purpose for order in rig.exchange.standing()] == ["stop"]
    rig.ask("exit")
    rig.work()
    assert rig.exchange.held == 0


def test_what_a_person_tells_of_others_changes_nothing_here(rig: Rig) -> None:
    rig.ask("enter", "buy")
    rig.work()
    rig.tell("flatten", flow="other")
    rig.tell("flatten", market="okx:X/Y")
    assert rig.cases()[0].holding.stage == "open"


def test_a_mode_lasts_over_a_restart(rig: Rig) -> None:
    rig.tell("halt")
    rig.crash()
    rig.ask("enter", "buy")
    assert rig.reports[-1].reason == "halted: halt by me"


def test_whoever_stops_calls_open_entries_off_and_leaves_stops(rig: Rig) -> None:
    rig.ask("enter", "buy", kind="limit", price=Decimal(100), stop=0.1)
    rig.work()
    rig.exchange.fill(rig.exchange.standing()[0], Decimal("0.5"))
    rig.work()
    actions = rig.take(rig.blotter.leave(rig.now))
    assert [type(action) for action in actions] == [Cancel]
    rig.work()
    assert [order.place.purpose for order in rig.exchange.standing()] == ["stop"]


def test_a_fill_counts_once_whoever_tells_it_and_one_of_others_not_at_all(rig: Rig) -> None:
    rig.ask("enter", "buy")
    rig.work()
    for deal in rig.exchange.deals * 2:
        rig.take(rig.blotter.dealt(deal, rig.now))
        theirs = deal._replace(trade_id="other", exchange_id="theirs")
        rig.take(rig.blotter.dealt(theirs, rig.now))
    assert rig.told().count(("filled", "enter")) == 1
    assert rig.cases()[0].holding.held == 1


def test_a_message_that_nobody_can_read_is_passed(rig: Rig) -> None:
    rig.blotter.unread(Reject("unknown", 0, "why", "{", Position("queue/0", 77)), rig.now)
    assert rig.outbox.offsets() == {"queue/0": 78}
