"""Reports: each says whose it is, and what is left of a position that is over."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.account.orders import Deal
from connectors.blotter import reports as blotter_reports
from connectors.blotter.order import Slip
from connectors.blotter.position import Holding

MARKET = "okx:A/B"


def slip(filled: int) -> Slip:
    return Slip(
        "a", MARKET, "buy", "market", Decimal(3), flow="demo", run="1f", position=4,
        purpose="enter", filled=Decimal(filled),
    )  # fmt: skip


@pytest.mark.parametrize(("filled", "status"), [(2, "partially filled"), (3, "filled")])
def test_a_fill_is_told_with_its_figures_and_its_position(filled: int, status: str) -> None:
    deal = Deal("t", MARKET, "", "17", "buy", Decimal(9), Decimal(1), Decimal("0.1"), "B", 5)
    told = blotter_reports.of_deal("main", slip(filled), deal, 7)
    figures = [told.price, told.amount, told.fee]
    assert (told.status, figures) == (status, [Decimal(9), Decimal(1), Decimal("0.1")])
    assert (told.fee_currency, told.trade_id, told.order, told.ts) == ("B", "t", "a", 7)
    assert (told.account, told.flow, told.run, told.position) == ("main", "demo", "1f", 4)
    assert told.purpose == "enter"


@pytest.mark.parametrize(
    ("exited", "gone", "reason"),
    [
        ("3", False, "take"),
        ("2.9", False, "take; 0.1 is left, too little to sell"),
        ("3.1", False, "take; 0.1 more was gone than was held"),
        ("1", True, "take; the exchange holds nothing of the 2 that should be there"),
    ],
)
def test_the_last_report_tells_what_is_left(exited: str, gone: bool, reason: str) -> None:
    holding = Holding("demo", "1f", MARKET, 4, "long", why="take")
    holding.entered, holding.exited = Decimal(3), Decimal(exited)
    told = blotter_reports.closed("main", holding, 7, gone)
    assert (told.status, told.reason, told.position) == ("closed", reason, 4)
