"""What an exchange says, exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.account.words import (
    UnclearError,
    balance_of,
    became,
    deal,
    known,
    number,
    position_of,
)
from connectors.venue.venue import Json

ORDER: Json = {"id": "7", "clientOrderId": "a1", "status": "open", "filled": "0.1", "timestamp": 5}
TRADE: Json = {
    "id": "3", "order": "7", "side": "sell", "price": "64000.10", "amount": "0.00100",
    "timestamp": 5, "fee": {"cost": "-0.0000001", "currency": "BNB"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "status"),
    [("open", "open"), ("closed", "filled"), ("canceled", "cancelled"), ("canceling", "open"),
     ("expired", "expired"), ("rejected", "rejected"), (None, "open")],
)  # fmt: skip
def test_the_status_of_an_order_is_told_in_our_words(said: str | None, status: str) -> None:
    assert known({**ORDER, "status": said}, "m").status == status


def test_a_stop_that_has_triggered_and_got_nothing_yet_is_not_over() -> None:
    assert known({**ORDER, "status": "closed", "filled": None}, "m").status == "open"


def test_an_order_is_as_old_as_its_last_change() -> None:
    assert known({**ORDER, "lastUpdateTimestamp": 9}, "m").ts == 9_000_000


@pytest.mark.parametrize(
    "info", [{"c": "a1"}, {"clientAlgoId": "a1"}, {"algoClOrdId": "a1"}, {"clOrdId": "a1"}]
)
def test_an_order_has_its_client_id_wherever_the_exchange_says_it(info: Json) -> None:
    assert known({**ORDER, "clientOrderId": None, "info": info}, "m").id == "a1"


def test_an_order_of_somebody_else_has_no_client_id() -> None:
    assert known({**ORDER, "clientOrderId": None, "info": {}}, "m").id == ""


@pytest.mark.parametrize(
    "order", [{**ORDER, "status": "strange"}, {**ORDER, "filled": "x"}, {**ORDER, "filled": "NaN"}]
)
def test_an_order_that_is_not_clear_is_told_to_be_so(order: Json) -> None:
    with pytest.raises(UnclearError):
        known(order, "m")


def test_a_fill_is_exact_and_a_fee_that_is_paid_to_us_is_below_0() -> None:
    found = deal(TRADE, "m", "a1")
    assert (found.price, found.amount) == (Decimal("64000.10"), Decimal("0.00100"))
    assert (found.fee, found.fee_currency) == (Decimal("-1E-7"), "BNB")
    assert (found.id, found.exchange_id, found.side, found.ts) == ("a1", "7", "sell", 5_000_000)


def test_a_fill_without_a_fee_costs_nothing() -> None:
    found = deal({**TRADE, "fee": {"cost": None, "currency": None}}, "m")
    assert (found.fee, found.fee_currency, found.id) == (Decimal(0), "", "")


def test_a_stop_that_has_become_an_order_says_which() -> None:
    assert became({"id": "1", "info": {"actualOrderId": "12"}}) == "12"
    assert became({"id": "1", "info": {"ai": ""}}) == ""
    assert became({"id": "1", "info": {"ordId": "1"}}) == ""


def test_what_is_held_is_told_with_its_side() -> None:
    positions = [
        {"symbol": "A/B:B", "contracts": "1.5", "side": "long"},
        {"symbol": "C/B:B", "contracts": "9", "side": "long"},
    ]
    assert position_of(positions, "A/B:B") == Decimal("1.5")
    assert position_of([{**positions[0], "side": "short"}], "A/B:B") == Decimal("-1.5")
    assert position_of([], "A/B:B") == 0
    assert balance_of({"total": {"A": "0.10"}}, "A") == Decimal("0.10")


@pytest.mark.parametrize("text", ["", "x", "Infinity", None, "nan"])
def test_what_is_no_number_is_none(text: object) -> None:
    with pytest.raises(UnclearError, match="is no number"):
        number(text)
