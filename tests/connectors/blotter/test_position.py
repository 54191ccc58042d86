"""One position: held is what was filled, less what fees took of it; its stop fits the market."""

from __future__ import annotations

from decimal import Decimal

import pytest

from connectors.account.orders import Deal
from connectors.blotter.position import Holding, Key, currencies, spot
from schemas import Instrument, Side

SPOT, PERPETUAL = "okx:A/B", "okx:A/B:B"
TENTH = Decimal("0.1")


def holding(market: str = SPOT, side: Side = "long", stop: float | None = 0.1) -> Holding:
    return Holding("demo", "1f", market, 1, side, stop=stop)


def deal(price: str, amount: str, fee: str = "0", currency: str = "B", market: str = SPOT) -> Deal:
    return Deal(
        "t", market, "a", "", "buy", Decimal(price), Decimal(amount), Decimal(fee), currency, 0
    )


def instrument(least: str, market: str = SPOT) -> Instrument:
    return Instrument(market, 0, TENTH, TENTH, Decimal(least), Decimal(1))


def test_a_fee_in_the_base_currency_lessens_what_is_held() -> None:
    held = holding()
    held.enter(deal("10", "2", "0.002", "A"))
    assert [held.held, held.fees] == [Decimal("1.998"), Decimal(0)]
    held.exit(deal("11", "1", "0.011", "B"))
    assert (held.held, held.fees) == (Decimal("0.998"), Decimal("0.011"))


def test_a_contract_is_not_lessened_by_a_fee_in_its_base_currency() -> None:
    held = holding(PERPETUAL)
    held.enter(deal("10", "2", "0.002", "A", PERPETUAL))
    assert held.held == 2


def test_a_fee_in_another_currency_lessens_neither() -> None:
    held = holding()
    held.enter(deal("10", "2", "0.002", "BNB"))
    assert [held.held, held.fees] == [Decimal(2), Decimal(0)]


@pytest.mark.parametrize(("side", "level"), [("long", Decimal("9.4")), ("short", Decimal("11.6"))])
def test_a_stop_is_rounded_away_from_the_market(side: Side, level: Decimal) -> None:
    held = holding(PERPETUAL, side)
    held.enter(deal("10", "1", market=PERPETUAL))
    held.enter(deal("11", "1", market=PERPETUAL))  # 10.5 on average: 9.45 and 11.55
    assert held.level_of(TENTH) == level


def test_a_stop_stands_where_the_flow_moved_it() -> None:
    held = holding()
    held.enter(deal("10", "1"))
    held.level = Decimal("9.77")
    assert held.level_of(TENTH) == Decimal("9.7")


def test_no_stop_is_wanted_without_a_width_or_in_front_of_the_first_fill() -> None:
    assert holding().level_of(TENTH) is None
    bare = holding(stop=None)
    bare.enter(deal("10", "1"))
    assert bare.level_of(TENTH) is None


def test_an_exit_tells_what_it_made_by_the_side() -> None:
    for side, made in (("long", 4), ("short", -4)):
        held = holding(PERPETUAL, side)  # type: ignore[arg-type]
        held.enter(deal("10", "2", market=PERPETUAL))
        assert held.exit(deal("12", "2", market=PERPETUAL)) == made


def test_too_little_is_less_than_a_lot_or_than_the_least_worth_where_the_exchange_sees_to_it() -> (
    None
):
    held = holding()
    held.enter(deal("10", "0.55"))
    assert held.too_little(instrument("6"))
    assert not held.too_little(instrument("5"))
    contracts = holding(PERPETUAL)
    contracts.enter(deal("10", "0.55", market=PERPETUAL))
    assert not contracts.too_little(instrument("6", PERPETUAL))
    contracts.exit(deal("10", "0.5", market=PERPETUAL))
    assert contracts.too_little(instrument("0", PERPETUAL))


def test_the_first_reason_to_leave_counts() -> None:
    held = holding()
    held.leave("take", 5, 7)
    held.leave("flatten", 6)
    assert (held.why, held.cause, held.exit_order) == ("take", 5, 7)


def test_a_market_tells_its_currencies_and_whether_it_is_spot() -> None:
    assert (currencies(PERPETUAL), spot(PERPETUAL), spot(SPOT)) == (("A", "B"), False, True)
    assert holding().key == Key("demo", "1f", SPOT, 1)
