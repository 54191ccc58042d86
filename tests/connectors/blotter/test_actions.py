"""What is to be done: each action says in which market."""

from __future__ import annotations

from decimal import Decimal

from connectors.account.orders import Place
from connectors.blotter.actions import Cancel, FetchDeals, LookUp, Reconcile, Send


def test_each_action_tells_its_market() -> None:
    place = Place("a", "okx:A/B", "buy", "market", Decimal(1))
    actions = (
        Send(place), Cancel("a", "okx:A/B"), LookUp("a", "okx:A/B"),
        FetchDeals("okx:A/B", "a", "17"), Reconcile("okx:A/B"),
    )  # fmt: skip
    assert {action.market for action in actions} == {"okx:A/B"}
