"""Positions: a stop rests for what is held; and what leaves is sold once, to the last lot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from connectors.account.client_ids import client_id
from connectors.account.orders import Place
from connectors.blotter.actions import Action, Cancel, Send
from connectors.blotter.rules import Rules
from tests.connectors.blotter_rig import FLOW, PERPETUAL, RUN, Rig
from tests.connectors.model_exchange import Standing


@pytest.fixture
def rig() -> Iterator[Rig]:
    with closing(Rig()) as rig:
        yield rig.ready()


@pytest.fixture
def perpetual() -> Iterator[Rig]:
    with closing(Rig(PERPETUAL)) as rig:
        yield rig.ready()


def hold(rig: Rig, amount: str = "1", stop: float | None = 0.1) -> None:
    """Enter, and let the whole of it be filled."""
    rig.exchange.share = Decimal(1)
    rig.ask("enter", "buy", amount=Decimal(amount), stop=stop)
    rig.work()


def places(actions: list[Action]) -> list[Place]:
    return [action.place for action in actions if isinstance(action, Send)]


def resting(rig: Rig) -> list[Standing]:
    return [order for order in rig.exchange.standing() if order.place.purpose == "stop"]


def test_a_stop_rests_from_the_first_fill_on(rig: Rig) -> None:
    rig.ask("enter", "buy", kind="limit", price=Decimal(100), stop=0.1)
    rig.work()
    rig.exchange.fill(rig.exchange.standing()[0], Decimal("0.4"))
    rig.work()
    [stop] = resting(rig)
    assert (stop.place.amount, stop.place.stop_price) == (Decimal("0.4"), Decimal(90))
    assert (stop.place.side, stop.place.reduce_only, stop.place.kind) == ("sell", True, "market")


def test_a_stop_follows_what_is_held_but_not_too_often_and_is_never_two(rig: Rig) -> None:
    rig.ask("enter", "buy", kind="limit", price=Decimal(100), stop=0.1)
    rig.work()
    entry = rig.exchange.standing()[0]
    for _ in range(3):
        rig.exchange.fill(entry, Decimal("0.2"))
        rig.work()
    assert [stop.place.amount for stop in resting(rig)] == [Decimal("0.2")]
    actions = rig.tick(5)
    assert [type(action) for action in actions] == [Cancel]
    rig.work()
    assert [stop.place.amount for stop in resting(rig)] == [Decimal("0.6")]
    assert not rig.exchange.wrong


def test_a_stop_that_somebody_took_away_is_placed_again_but_not_at_once(rig: Rig) -> None:
    hold(rig)
    rig.exchange.end(resting(rig)[0], "cancelled")
    rig.work()
    assert not resting(rig)
    rig.tick(5)
    rig.work()
    assert len(resting(rig)) == 1


def test_a_stop_that_is_refused_leaves_at_once(rig: Rig) -> None:
    rig.exchange.share = Decimal(1)
    rig.ask("enter", "buy", stop=0.1)
    rig.act()
    rig.exchange.news, news = [], rig.exchange.news
    rig.exchange.price = Decimal(80)
    rig.exchange.news = news
    rig.work()
    assert ("rejected", "stop") in rig.told()
    assert ("filled", "exit") in rig.told()
    assert rig.reports[-1].reason == "its stop was refused: would trigger immediately"
    assert rig.exchange.held == 0


def test_an_exit_waits_until_the_stop_is_gone_and_sells_what_it_left(rig: Rig) -> None:
    hold(rig)
    stop = resting(rig)[0]
    assert [type(action) for action in rig.ask("exit")] == [Cancel]
    rig.todo.clear()
    rig.exchange.price = Decimal(89)
    rig.exchange.fill(stop, Decimal("0.3"))
    rig.exchange.end(stop, "cancelled")
    rig.exchange.news.reverse()
    rig.work()
    exits = [order for order in rig.exchange.orders if order.place.purpose == "exit"]
    assert [order.place.amount for order in exits] == [Decimal("0.7")]
    assert rig.exchange.held == 0
    assert not rig.exchange.wrong


def test_a_stop_that_fills_ends_the_position(rig: Rig) -> None:
    hold(rig)
    rig.exchange.price = Decimal(89)
    rig.exchange.fill(resting(rig)[0], Decimal(1))
    rig.work()
    assert rig.told()[-2:] == [("filled", "stop"), ("closed", "")]
    assert rig.reports[-1].reason == "stop"


def test_an_exit_calls_off_what_is_left_of_the_entry_first(rig: Rig) -> None:
    rig.ask("enter", "buy", kind="limit", price=Decimal(100))
    rig.work()
    entry = rig.exchange.standing()[0]
    rig.exchange.fill(entry, Decimal("0.4"))
    rig.ask("exit")
    rig.exchange.fill(entry, Decimal("0.2"))
    rig.exchange.share = Decimal(1)
    rig.work()
    exits = [order for order in rig.exchange.orders if order.place.purpose == "exit"]
    assert [order.place.amount for order in exits] == [Decimal("0.6")]
    assert entry.status == "cancelled"
    assert rig.exchange.held == 0


def test_what_an_exit_leaves_is_sold_by_another_order(perpetual: Rig) -> None:
    rig = perpetual
    hold(rig)
    rig.exchange.share = Decimal("0.6")
    rig.ask("exit")
    rig.work()
    rig.exchange.end(rig.exchange.standing()[0], "expired")
    rig.exchange.share = Decimal(1)
    rig.rest()
    exits = [order.place for order in rig.exchange.orders if order.place.purpose == "exit"]
    assert [place.amount for place in exits] == [Decimal(1), Decimal("0.4")]
    names = [client_id(FLOW, RUN, PERPETUAL, what) for what in ("2", "2.2")]
    assert [place.id for place in exits] == names
    assert rig.exchange.held == 0


def test_an_exit_that_is_refused_is_tried_again_ever_more_seldom(perpetual: Rig) -> None:
    rig = perpetual
    hold(rig, stop=None)
    sent = places(rig.ask("exit"))
    waits, now = [], rig.now
    while len(sent) < 5:
        rig.blotter.refused(sent[-1].id, "not now", rig.now)
        while not (found := places(rig.tick(0.25))):
            rig.live()
        waits.append((rig.now - now) / 1e9)
        now = rig.now
        sent += found
    assert waits == [0.5, 1, 2, 4]
    assert len({place.id for place in sent}) == 5


def test_what_is_too_little_to_sell_is_told_at_the_end() -> None:
    with closing(Rig(fees="got")) as rig:
        rig.ready()
        hold(rig, "0.5")
        rig.ask("exit")
        rig.work()
        assert rig.reports[-1].reason == "as asked; 0.0095 is left, too little to sell"
        assert rig.exchange.held == Decimal("0.0095")


def test_a_fill_that_nobody_expected_is_told_and_sold(rig: Rig) -> None:
    rig.ask("enter", "buy", kind="limit", price=Decimal(100))
    rig.work()
    entry = rig.exchange.standing()[0]
    rig.exchange.end(entry, "cancelled")
    rig.work()
    assert not rig.cases()
    rig.exchange.share = Decimal(1)
    rig.exchange.fill(entry, Decimal("0.5"))
    rig.work()
    assert ("partially filled", "enter") in rig.told()
    assert rig.told()[-1] == ("closed", "")
    assert rig.reports[-1].reason == "filled late"
    assert rig.exchange.held == 0


def test_an_exit_goes_beside_a_stop_that_cannot_be_called_off(perpetual: Rig) -> None:
    rig = perpetual
    hold(rig)
    stop = resting(rig)[0]
    rig.ask("exit")
    rig.todo.clear()
    for _ in range(5):
        rig.take(rig.blotter.doubtful(stop.place.id, rig.now))
        rig.todo.clear()
        rig.take(rig.blotter.found(stop.known(), rig.now))
    assert [place.purpose for place in places(rig.todo)] == ["exit"]
    rig.exchange.stuck = True
    rig.todo = [action for action in rig.todo if isinstance(action, Send)]
    rig.act()
    while rig.exchange.news:
        rig.hear()
    assert rig.exchange.held == 0
    assert ("closed", "") not in rig.told()
    rig.exchange.end(stop, "expired")
    rig.work()
    assert rig.told()[-1] == ("closed", "")


def test_where_no_stop_can_rest_none_does() -> None:
    with closing(Rig(rules=Rules(stops=False))) as rig:
        rig.ready()
        hold(rig)
        assert not resting(rig)
        assert rig.cases()[0].holding.held == 1
