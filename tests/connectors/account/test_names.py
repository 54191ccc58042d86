"""An order keeps the name that we gave it, whatever the exchange calls it."""

from __future__ import annotations

import pytest

from connectors.account.names import Names
from connectors.account.orders import DoubtfulError

MARKET = "okx:BTC/USDT"
FILL = {"id": "1", "order": "7", "side": "buy", "price": "100", "amount": "1"}


def test_a_name_that_was_told_once_is_kept() -> None:
    names = Names()
    names.known({"id": "7", "status": "open", "clientOrderId": "a1"}, MARKET)
    assert names.known({"id": "7", "status": "open", "clientOrderId": "x-7"}, MARKET).id == "a1"
    assert [told.id for told in names.deals([FILL], MARKET)] == ["a1"]
    assert names.known({"id": "7", "status": "open"}, "okx:ETH/USDT").id == ""


def test_what_a_stop_has_become_has_the_name_of_the_stop() -> None:
    names = Names()
    names.note(MARKET, "8", "s1")
    assert names.known({"id": "8", "status": "open", "clientOrderId": "other"}, MARKET).id == "s1"


def test_what_cannot_be_understood_is_in_doubt() -> None:
    with pytest.raises(DoubtfulError, match="status is 'odd'"):
        Names().known({"id": "7", "status": "odd"}, MARKET)
    with pytest.raises(DoubtfulError, match="a fill cannot be understood: 'x' is no number"):
        Names().deals([{**FILL, "price": "x"}], MARKET)
    with pytest.raises(DoubtfulError, match="a fill cannot be understood: 'side'"):
        Names().deals([{"id": "1", "order": "7"}], MARKET)
