"""Exchanges differ, and a fill is the same however it was told."""

from __future__ import annotations

import pytest

from connectors.account.dialects import dialect


@pytest.mark.parametrize(
    ("exchange", "apart"), [("binance", [False, True]), ("okx", [True, True]), ("x", [False] * 2)]
)
def test_it_is_known_where_stops_are_apart(exchange: str, apart: list[bool]) -> None:
    assert [dialect(exchange).are_apart(contract) for contract in (False, True)] == apart


def test_a_stop_of_a_contract_may_be_secured_as_the_account_is() -> None:
    assert dialect("okx").named("a1", contract=True) == {"algoClOrdId": "a1"}


@pytest.mark.parametrize(("told", "paid"), [("-0.001", "0.001"), ("0.001", "-0.001")])
def test_what_okx_takes_is_paid_and_what_it_gives_is_not(told: str, paid: str) -> None:
    trade = {"id": "7", "fee": {"cost": told, "currency": "BTC"}}
    assert dialect("okx").pushed(trade) == {"id": "7", "fee": {"cost": paid, "currency": "BTC"}}
    assert dialect("binance").pushed(trade) == trade


def test_a_fill_without_a_fee_stays_so() -> None:
    assert dialect("okx").pushed({"fee": {"cost": None}}) == {"fee": {"cost": None}}


def test_a_fill_is_of_the_order_that_a_stop_became() -> None:
    trade = {"order": "stop", "info": {"algoId": "stop", "ordId": "7"}}
    assert dialect("okx").pushed(trade)["order"] == "7"
