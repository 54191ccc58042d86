"""Looking after an order: what is in doubt is asked about before anything else is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from connectors.account.orders import Known
from connectors.blotter.actions import Action, Cancel, FetchDeals, LookUp, Send
from connectors.blotter.rules import LONGEST
from schemas import SECOND
from tests.connectors.blotter_rig import Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with closing(Rig()) as rig:
        rig.exchange.share = Decimal(1)
        yield rig.ready()


def entered(rig: Rig, **more: object) -> str:
    """Ask for an entry, and return its id; nothing is done yet."""
    rig.ask("enter", "buy", **more)  # type: ignore[arg-type]
    [action] = rig.todo
    rig.todo.clear()
    assert isinstance(action, Send)
    return action.place.id


def kinds(actions: list[Action]) -> list[type[Action]]:
    return [type(action) for action in actions]


def known(id_: str, status: str, filled: int = 0, exchange_id: str = "x1") -> Known:
    return Known(id_, exchange_id, "okx:BTC/USDT", status, Decimal(filled), 0)  # type: ignore[arg-type]


def test_what_is_in_doubt_is_looked_up_at_once_and_told(rig: Rig) -> None:
    id_ = entered(rig)
    assert rig.blotter.doubtful(id_, rig.now) == [LookUp(id_, rig.market)]
    rig.take([])
    assert rig.told()[-1] == ("unknown", "enter")
    assert rig.blotter.found(known(id_, "open"), rig.now) == []
    rig.take([])
    assert rig.told()[-1] == ("acknowledged", "enter")


def test_a_look_up_that_fails_is_tried_again(rig: Rig) -> None:
    id_ = entered(rig)
    rig.blotter.doubtful(id_, rig.now)
    assert rig.tick(0.5) == []
    for _ in range(3):
        assert rig.tick(1) == [LookUp(id_, rig.market)]


def test_that_there_is_none_is_believed_at_a_second_look_behind_the_exchanges_delay(
    rig: Rig,
) -> None:
    rig.ask("enter", "buy")
    rig.work()
    rig.ask("exit")
    [send] = rig.todo
    rig.todo.clear()
    assert isinstance(send, Send)
    id_ = send.place.id
    rig.blotter.doubtful(id_, rig.now)
    assert rig.blotter.missing(id_, rig.now) == []
    assert rig.tick(1) == []
    assert rig.tick(1) == [LookUp(id_, rig.market)]
    assert rig.blotter.missing(id_, rig.now) == [send]


def test_a_second_look_in_front_of_the_delay_proves_nothing(rig: Rig) -> None:
    id_ = entered(rig)
    rig.blotter.doubtful(id_, rig.now)
    for _ in range(5):
        assert rig.blotter.missing(id_, rig.now) == []
    rig.take([])
    assert rig.told()[-1] == ("unknown", "enter")


def test_an_entry_that_is_not_there_expires_when_its_cause_is_too_old(rig: Rig) -> None:
    id_ = entered(rig)
    rig.blotter.doubtful(id_, rig.now)
    rig.blotter.missing(id_, rig.now)
    rig.tick(3)
    assert rig.take(rig.blotter.missing(id_, rig.now)) == []
    assert rig.told()[-1] == ("expired", "enter")


def test_a_refusal_ends_it(rig: Rig) -> None:
    id_ = entered(rig)
    assert rig.take(rig.blotter.refused(id_, "no money", rig.now)) == []
    assert (rig.told()[-1], rig.reports[-1].reason) == (("rejected", "enter"), "no money")
    assert not rig.cases()


def test_a_refusal_of_a_later_try_proves_nothing_of_the_earlier_one(rig: Rig) -> None:
    rig.ask("enter", "buy")
    rig.work()
    rig.ask("exit")
    send = rig.todo.pop()
    assert isinstance(send, Send)
    id_ = send.place.id
    rig.blotter.doubtful(id_, rig.now)
    rig.blotter.missing(id_, rig.now)
    rig.tick(2)
    assert rig.blotter.missing(id_, rig.now) == [send]
    assert rig.blotter.refused(id_, "duplicate", rig.now) == [LookUp(id_, rig.market)]
    rig.blotter.found(known(id_, "filled", 1, "x9"), rig.now)
    rig.take([])
    assert ("rejected", "exit") not in rig.told()


def test_a_busy_exchange_is_asked_again_when_it_said(rig: Rig) -> None:
    id_ = entered(rig)
    assert rig.blotter.busy(id_, 1.5, rig.now) == []
    assert rig.tick(1) == []
    assert kinds(rig.tick(0.5)) == [Send]
    assert rig.take(rig.blotter.refused(id_, "no", rig.now)) == []
    assert rig.told()[-1] == ("rejected", "enter")


def test_what_is_never_answered_is_in_doubt_some_day(rig: Rig) -> None:
    id_ = entered(rig)
    for _ in range(29):
        rig.live()
        assert rig.tick(1) == []
    assert rig.tick(1) == [LookUp(id_, rig.market)]


def test_how_it_ended_is_told_behind_its_fills(rig: Rig) -> None:
    id_ = entered(rig)
    actions = rig.take(rig.blotter.acknowledged(known(id_, "cancelled", 1), rig.now))
    assert actions == [FetchDeals(rig.market, id_, "x1")]
    assert rig.told()[-1] == ("sent", "enter")
    assert rig.tick(1) == actions


def test_fills_are_asked_for_when_they_do_not_come_by_themselves(rig: Rig) -> None:
    id_ = entered(rig)
    assert rig.take(rig.blotter.acknowledged(known(id_, "filled", 1), rig.now)) == []
    assert rig.tick(0.2) == []
    assert rig.tick(0.1) == [FetchDeals(rig.market, id_, "x1")]


def test_an_order_that_is_done_at_once_and_of_which_nothing_is_heard_is_looked_up(
    rig: Rig,
) -> None:
    id_ = entered(rig)
    rig.blotter.acknowledged(known(id_, "open"), rig.now)
    assert rig.tick(1) == []
    assert rig.tick(1) == [LookUp(id_, rig.market)]


def test_what_is_called_off_in_doubt_is_looked_up_and_called_off_again(rig: Rig) -> None:
    id_ = entered(rig, kind="limit", price=Decimal(90))
    rig.blotter.acknowledged(known(id_, "open"), rig.now)
    assert rig.ask("cancel") == [Cancel(id_, rig.market)]
    assert rig.blotter.doubtful(id_, rig.now) == [LookUp(id_, rig.market)]
    rig.blotter.found(known(id_, "open"), rig.now)
    assert rig.tick(2) == [Cancel(id_, rig.market)]
    assert rig.blotter.called_off(id_, rig.now) == [LookUp(id_, rig.market)]
    rig.take(rig.blotter.found(known(id_, "cancelled"), rig.now))
    assert rig.told()[-1] == ("cancelled", "enter")


def test_what_the_exchange_knows_no_more_ends_behind_a_question_for_its_fills(rig: Rig) -> None:
    id_ = entered(rig, kind="limit", price=Decimal(90))
    rig.blotter.acknowledged(known(id_, "open"), rig.now)
    assert rig.blotter.missing(id_, rig.now) == [FetchDeals(rig.market, id_, "x1")]
    rig.now += 3 * SECOND
    rig.take(rig.blotter.missing(id_, rig.now))
    assert rig.reports[-1].reason == "the exchange knows it no more"


def test_nothing_is_sent_before_the_market_was_compared() -> None:
    with closing(Rig()) as rig:
        rig.ask("enter", "buy")
        assert Send not in kinds(rig.todo)
        rig.act()
        assert Send in kinds(rig.todo)


@pytest.mark.parametrize("back", [3_600, 700])
def test_a_clock_that_is_set_back_holds_nothing_up(rig: Rig, back: int) -> None:
    id_ = entered(rig)  # and no answer comes
    assert rig.tick(-back) == [LookUp(id_, rig.market)]
    rig.rest()
    assert rig.told()[-1] == ("filled", "enter")
    cause = rig.asks[-1].order.ts
    rig.ask("exit", "sell", ts=cause + SECOND)
    rig.rest()
    assert rig.cases() == []
    assert rig.told()[-1] == ("closed", "")
    assert rig.now < cause
    assert all(report.ts >= cause for report in rig.reports)


def test_no_wait_is_longer_than_one_that_a_clock_set_back_would_make(rig: Rig) -> None:
    entered(rig)
    [slip] = rig.cases()[0].slips.values()
    rig.take(rig.blotter.busy(slip.id, 86_400, rig.now))
    assert slip.due == rig.now + LONGEST
    assert rig.tick(1) == []
