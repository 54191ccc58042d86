"""The money at the stand-in: what an order needs, what a fill costs, and none comes or goes."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.standin.account import Account
from tests.standin.floor import RICH, Floor
from tests.standin.orders import RefusedError, Wanted
from tests.standin.rules import Fees

SPOT, USDM = "spot:BTCUSDT", "usdm:BTCUSDT"


@pytest.fixture
def floor() -> Floor:
    floor = Floor()
    floor.play(21)
    return floor


@pytest.mark.parametrize(
    ("amount", "price", "why"),
    [
        ("0.005", "100", "lot"),
        ("0", "100", "lot"),
        ("1", "100.001", "tick"),
        ("0.01", "100", "notional"),
        ("101", "100", "balance"),
    ],
)
def test_what_does_not_fit_is_refused_and_noted(
    floor: Floor, amount: str, price: str, why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        floor.order(1, amount, price=price)
    assert [refused[1] for refused in floor.account.refused] == [why]
    assert floor.account.orders == []


def test_an_id_is_taken_twice_once_the_first_order_has_ended(floor: Floor) -> None:
    wanted = Wanted(SPOT, 1, "limit", Decimal(1), "same", Decimal(90))
    first = floor.trading.place(floor.account, wanted)
    with pytest.raises(RefusedError, match="duplicate"):
        floor.trading.place(floor.account, wanted)
    floor.trading.cancel(first)
    floor.trading.place(floor.account, wanted)
    assert floor.account.ids == ["same", "same"]


def test_what_rests_is_set_aside_and_given_back(floor: Floor) -> None:
    floor.order(-1, "30", price="150.00")
    stop = floor.order(-1, "20", stop="50.00")
    with pytest.raises(RefusedError, match="balance"):
        floor.order(-1, "1")
    floor.trading.cancel(stop)
    assert floor.order(-1, "1").status == "filled"


def test_fees_are_taken_in_what_is_received_or_quote_or_a_third_currency_while_there_is_some() -> (
    None
):
    def fees(fees: Fees, **money: str) -> list[tuple[Decimal, str]]:
        have = RICH | {name: Decimal(text) for name, text in money.items()}
        floor = Floor(account=Account(spot=have, fees=fees))
        floor.play(21)
        orders = floor.order(1, "1"), floor.order(-1, "1")
        return [(order.deals[0].fee, order.deals[0].fee_currency) for order in orders]

    rate = Decimal("0.001")
    received, quote = fees(Fees(rate, rate)), fees(Fees(rate, rate, "quote"))
    third = fees(Fees(rate, rate, "BNB", Decimal(500)), BNB="0.00021")
    assert [currency for _, currency in received] == ["BTC", "USDT"]
    assert received[0][0] == rate
    assert [currency for _, currency in quote] == ["USDT", "USDT"]
    assert quote[1] == received[1]
    assert [currency for _, currency in third] == ["BNB", "USDT"], "there was BNB for one"
    assert abs(third[0][0] * 500 - quote[0][0]) < Decimal("1e-5")


def test_a_reduce_only_order_closes_and_never_opens() -> None:
    floor = Floor("usdm", Account())
    floor.play(21)
    with pytest.raises(RefusedError, match="reduce only"):
        floor.order(-1, "1", reduce_only=True)
    floor.order(1, "2")
    with pytest.raises(RefusedError, match="reduce only"):
        floor.order(1, "1", reduce_only=True)
    stop = floor.order(-1, "2", stop="90.00", reduce_only=True)
    order = floor.order(-1, "3", reduce_only=True)
    assert order.filled == 2
    assert order.status == "expired"
    floor.trade("89.00", "1")
    assert stop.filled == 0
    assert stop.status == "expired"
    assert floor.account.position(USDM) == 0


def test_a_wallet_vouches_for_what_its_leverage_allows() -> None:
    floor = Floor("usdm", Account(futures={"USDT": Decimal(100)}, leverage=10))
    floor.play(21)
    with pytest.raises(RefusedError, match="margin"):
        floor.order(1, "10.00", price="101.00")
    floor.order(1, "6.00", price="99.00")
    with pytest.raises(RefusedError, match="margin"):
        floor.order(1, "6.00", price="99.00")
    assert floor.order(-1, "6.00", price="110.00").open, "one of both sides fills at most"


def test_who_holds_a_perpetual_pays_its_funding() -> None:
    floor = Floor("usdm", Account())
    floor.play(21)
    floor.order(1, "2")
    before = floor.account.futures.totals["USDT"]
    floor.trading.fund(USDM, Decimal("0.0001"))
    (income,) = floor.account.futures.incomes
    assert income.amount == -2 * floor.engine.last * Decimal("0.0001")
    assert floor.account.futures.totals["USDT"] - before == income.amount


def step(draw: st.DataObject, floor: Floor) -> None:
    match draw.draw(st.sampled_from(["play", "order", "order", "trade", "cancel"])):
        case "play":
            floor.play(draw.draw(st.integers(1, 20)))
        case "trade":
            price = Decimal(draw.draw(st.integers(9_500, 10_800))) / 100
            floor.trade(f"{price}", "1.5", draw.draw(st.booleans()))
        case "cancel":
            for order in floor.account.open_orders()[:1]:
                floor.trading.cancel(order)
        case _:
            level = f"{Decimal(draw.draw(st.integers(9_500, 10_800))) / 100}"
            limit, stop = draw.draw(st.sampled_from([(None, None), (level, None), (None, level)]))
            amount = f"{Decimal(draw.draw(st.integers(6, 400))) / 100}"
            sign = draw.draw(st.sampled_from([1, -1]))
            with suppress(RefusedError):
                floor.order(sign, amount, limit, stop, reduce_only=draw.draw(st.booleans()))


def traded(account: Account) -> tuple[Decimal, Decimal]:
    """Return what fills brought of the base and the quote currency, before fees."""
    signed = [(o.wanted.sign * d.amount, d.price) for o, d in account.fills]
    return sum((a for a, _ in signed), Decimal(0)), sum((-a * p for a, p in signed), Decimal(0))


def paid(account: Account, currency: str) -> Decimal:
    fees = (d.fee for _, d in account.fills if d.fee_currency == currency)
    return sum(fees, Decimal(0))


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(["received", "quote", "BNB"]))
def test_no_money_comes_or_goes_in_a_spot_market(draw: st.DataObject, currency: str) -> None:
    money = RICH | {"BNB": Decimal("0.01")}
    fees = Fees(Decimal("0.0002"), Decimal("0.0005"), currency)
    floor = Floor(account=Account(spot=money, fees=fees))
    floor.play(21)
    for _ in range(draw.draw(st.integers(1, 25))):
        step(draw, floor)
    account = floor.account
    base, quote = traded(account)
    moved = {"BTC": base, "USDT": quote, "BNB": Decimal(0)}
    for name, was in money.items():
        assert account.balance(name) == was + moved[name] - paid(account, name)
        assert account.balance(name) >= 0
        assert account.spot.free(name) >= 0
    assert all(order.filled <= order.wanted.amount for order in account.orders)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_money_comes_or_goes_in_a_perpetual(draw: st.DataObject) -> None:
    floor = Floor("usdm", Account(futures={"USDT": Decimal(1_000)}))
    floor.play(21)
    for _ in range(draw.draw(st.integers(1, 25))):
        step(draw, floor)
    account = floor.account
    base, quote = traded(account)
    position = account.futures.positions[USDM]
    assert account.position(USDM) == base
    kept = account.futures.totals["USDT"] - 1_000 + paid(account, "USDT")
    assert kept == quote + position.cost
    assert (position.cost == 0) == (base == 0)
    reducing = [order for order in account.orders if order.wanted.reduce_only]
    assert all(order.filled <= order.wanted.amount for order in reducing)
