"""The ledger of a position: its fills once each, and money to the last unit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.ledger import Fee, Ledger, fee_of
from operators.paper import View
from schemas import Instrument, Report
from tests.desk import exact, rounded
from tests.tapes import START

D = Decimal
SPOT, PERPETUAL = "test:BTC/USDT", "test:BTC/USDT:USDT"


def fill(
    amount: str = "1",
    price: str = "100",
    fee: str | None = "0",
    currency: str = "USDT",
    deal: str = "",
    market: str = SPOT,
) -> Report:
    return Report(
        market, START, "main", "demo", "x", "filled", D(price), D(amount),
        None if fee is None else D(fee), currency, deal,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("market", "currency", "held", "quote", "other"),
    [
        (SPOT, "USDT", "1", "0.5", ""),
        (SPOT, "", "1", "0.5", ""),
        (SPOT, "BTC", "0.5", "0", ""),
        (SPOT, "BNB", "1", "0", "0.5 BNB"),
        (PERPETUAL, "USDT", "1", "0.5", ""),
        (PERPETUAL, "BTC", "1", "0", "0.5 BTC"),
    ],
)
def test_a_fee_counts_where_it_was_taken(
    market: str, currency: str, held: str, quote: str, other: str
) -> None:
    ledger = Ledger()
    assert ledger.take(fill(fee="0.5", currency=currency, market=market), entering=True)
    assert (ledger.held, ledger.other_fees) == (D(held), other)
    assert ledger.entries[0].fee == D(quote)


def test_fees_of_a_currency_are_summed_and_written_in_order() -> None:
    ledger = Ledger()
    for currency, fee in (("OKB", "1"), ("BNB", "0.25"), ("OKB", "0.5"), ("XRP", "0")):
        ledger.take(fill(fee=fee, currency=currency), entering=True)
    assert ledger.other_fees == "0.25 BNB, 1.5 OKB"


def test_a_deal_counts_once() -> None:
    ledger = Ledger()
    told = [fill(deal="7"), fill(deal="7"), fill(deal="8"), fill(), fill()]
    assert [ledger.take(report, entering=True) for report in told] == [
        True,
        False,
        True,
        True,
        True,
    ]
    assert ledger.entered == 4


def test_no_fee_is_none() -> None:
    assert fee_of(fill(fee=None)) == Fee(D(0), "")
    assert fee_of(fill(fee="1", currency="BNB")) == Fee(D(1), "BNB")


FILLS = st.lists(
    st.tuples(
        st.decimals("0.01", "9", places=2), st.decimals("90", "110", places=1),
        st.decimals("-0.1", "1", places=6), st.sampled_from(["USDT", "BTC", "BNB"]),
    ),
    min_size=1, max_size=5,
)  # fmt: skip


@given(
    FILLS, st.lists(st.decimals("90", "110", places=1), max_size=3), st.decimals(-5, 5, places=6)
)
def test_the_pnl_is_what_came_back_and_what_is_left_less_what_went_in_and_the_fees(
    entries: list[tuple[Decimal, Decimal, Decimal, str]], exits: list[Decimal], funding: Decimal
) -> None:
    contract = D("0.1")
    ledger, view = (
        Ledger(funding=funding),
        View(None, None, Instrument(SPOT, START, None, D("0.01"), D(0), contract)),
    )
    for amount, price, fee, currency in entries:
        ledger.take(fill(str(amount), str(price), str(fee), currency), entering=True)
    sold = ledger.held / (len(exits) + 1) if exits else D(0)
    sold = max(sold.quantize(D("0.01")), D("0.01"))
    for price in exits:
        ledger.take(fill(str(sold), str(price), "0.01"), entering=False)
    size = exact(contract)
    cost = sum((Fraction(a) * Fraction(p) for a, p, _, _ in entries), Fraction(0)) * size
    entered = sum((Fraction(a) for a, _, _, _ in entries), Fraction(0))
    eaten = sum((Fraction(f) for _, _, f, currency in entries if currency == "BTC"), Fraction(0))
    left = entered - eaten - Fraction(sold) * len(exits)
    back = sum((Fraction(p) * Fraction(sold) for p in exits), Fraction(0)) * size
    fees = sum((Fraction(f) for _, _, f, currency in entries if currency == "USDT"), Fraction(0))
    fees += Fraction("0.01") * len(exits)
    kept = rounded(cost * left / entered)
    for sign in (1, -1):
        made = ledger.result(sign, view)
        assert Fraction(made.pnl) == sign * (back + kept - cost) - fees + Fraction(funding)
        assert Fraction(made.fees) == fees
        assert made.net_return == float(Fraction(made.pnl) / cost)
    assert Fraction(ledger.held) == left


def test_what_was_never_sold_is_worth_what_it_cost() -> None:
    ledger = Ledger()
    ledger.take(fill(fee="0.1"), entering=True)
    made = ledger.result(1, View())
    assert (made.entry, made.exit, made.pnl, made.gross_return) == (D(100), D(100), D("-0.1"), 0.0)
