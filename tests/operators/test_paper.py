"""The paper broker: what it gives is what a book, counted lot by lot, would have given."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.costs import Costs
from operators.paper import (
    PaperBroker,
    Part,
    Taken,
    Ticket,
    View,
    average_price,
    contract_size,
    size_of,
    total,
    walk,
    whole_lots,
    worth,
)
from schemas import SECOND, Book, Instrument, Levels, Trades, Unit
from tests.desk import NO_INSTRUMENT, exact, rounded, trade
from tests.desk import whole_lots as exact_lots
from tests.tapes import MARKET, START, chop

D = Decimal
LEVELS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=5)


# Walking a book -----------------------------------------------------------------------------------


@given(LEVELS, st.integers(0, 9), st.integers(1, 20), st.sampled_from([1, -1]), st.booleans())
def test_a_walk_takes_lot_by_lot_from_the_best_on(
    shape: list[tuple[int, int]], taken: int, amount: int, sign: int, limited: bool
) -> None:
    price, levels = 100.0, []
    for size, step in shape:
        levels.append((price, size / 4 + 0.01))  # a quarter is a lot: the hundredth is no whole one
        price += sign * (step + 1)
    worst = 100.0 + sign * 3 if limited else None
    lots = [at for at, size in levels for _ in range(int(size * 4))][taken:][:amount]
    allowed = [at for at in lots if worst is None or (at - worst) * sign <= 0]
    lot = D("0.25")
    got = walk(levels, taken * lot, amount * lot, sign, worst, lot)
    assert [float(at) for at, part in got for _ in range(int(part / lot))] == allowed
    assert all(part > 0 and part % lot == 0 for _, part in got)


def broker(**costs: float) -> PaperBroker:
    return PaperBroker(Costs(**costs))


def book(asks: Levels, stamp: int = START) -> View:
    return View(100.0, Book(MARKET, START, [], asks, stamp=stamp))


def test_what_is_taken_is_gone_until_the_next_book() -> None:
    view, taken = book([(100.0, 1.0), (101.0, 5.0)]), Taken()
    fills = [broker().fill(Ticket(1, START, D(2)), START, None, view, taken) for _ in range(3)]
    got = [[(float(part.price), float(part.amount)) for part in parts or []] for parts in fills]
    assert got == [[(100, 1), (101, 1)], [(101, 2)], [(101, 2)]]
    taken.sides.clear()
    assert broker().fill(Ticket(1, START, D(1)), START, None, view, taken) == [
        Part(D(100), D(1), D(0))
    ]


@pytest.mark.parametrize(("age", "price"), [(SECOND, 101), (SECOND + 1, 99)])
def test_a_book_counts_until_it_is_older_than_its_age(age: int, price: int) -> None:
    view, ticket = book([(101.0, 9.0)]), Ticket(1, START, D(1))
    assert broker().fill(ticket, START + age, 99.0, view, Taken()) == [Part(D(price), D(1), D(0))]


def test_without_a_book_only_a_trade_fills_whole_at_its_price_plus_slippage() -> None:
    costs = broker(slippage_bps=10, fees_bps=7.5)
    for sign, price in ((1, D("100.1")), (-1, D("99.9"))):
        ticket = Ticket(sign, START, D(3))
        assert costs.fill(ticket, START, None, View(100.0), Taken()) is None
        parts = costs.fill(ticket, START, 100.0, View(100.0), Taken())
        assert parts == [Part(price, D(3), price * 3 * D("0.00075"))]
        assert ticket.left == 0


def test_nothing_fills_before_it_is_due() -> None:
    ticket = Ticket(1, START + 1, D(1))
    assert broker().fill(ticket, START, 100.0, View(), Taken()) is None
    assert broker().fill(ticket, START + 1, 100.0, View(), Taken())


def test_an_exit_waits_for_room_and_an_entry_does_not() -> None:
    view = book([])
    entry, exit_ = Ticket(1, START, D(1)), Ticket(1, START, D(1), keeps=True)
    assert broker().fill(entry, START, 100.0, view, Taken()) == []
    assert broker().fill(exit_, START, 100.0, view, Taken()) is None


@pytest.mark.parametrize("bps", [1.0, 3.0, 7.0, 10.0, 30.0])
def test_slippage_up_to_what_is_allowed_is_allowed(bps: float) -> None:
    allowed, less = Ticket(1, START, D(1), bps / 10_000), Ticket(1, START, D(1), bps / 10_001)
    assert broker(slippage_bps=bps).fill(allowed, START, 100.0, View(), Taken())
    assert broker(slippage_bps=bps).fill(less, START, 100.0, View(), Taken()) == []


def test_a_price_at_the_allowed_slippage_is_taken() -> None:
    view = book([(100.0, 1.0), (101.0, 1.0), (101.01, 1.0)])
    parts = broker().fill(Ticket(1, START, D(9), 0.01), START, None, view, Taken())
    assert [part.price for part in parts or []] == [100, 101]


def test_fees_count_the_contract() -> None:
    perpetual = Instrument(MARKET, START, None, D(1), D(0), D("0.01"))
    view = View(100.0, None, perpetual)
    (part,) = broker(fees_bps=5).fill(Ticket(1, START, D(7)), START, 100.0, view, Taken()) or []
    assert part.fee == D(7) * 100 * D("0.01") * D("0.0005")
    assert (contract_size(view), contract_size(View())) == (D("0.01"), D(1))


@given(st.lists(st.sampled_from([0, 0, 1, 5]), min_size=1, max_size=30), st.integers(-1, 40))
def test_an_order_is_due_at_the_first_row_of_its_time(steps: list[int], latency: int) -> None:
    times = [START + sum(steps[: row + 1]) for row in range(len(steps))]
    ticket = Ticket(1, START + latency, D(1))
    expected = next((row for row, ts in enumerate(times) if ts >= ticket.due), None)
    (trades,) = chop([trade(100.0, ts) for ts in times])
    assert isinstance(trades, Trades)
    assert broker().row(ticket, trades, 0) == expected
    for row in range(len(times) + 1):
        later = next((r for r in range(row, len(times)) if times[r] >= ticket.due), None)
        assert broker().row(ticket, trades, row) == later


def test_an_order_is_sized_by_the_side_it_takes_of_a_fresh_book() -> None:
    view = View(100.0, Book(MARKET, START, [(99.0, 1.0)], [(101.0, 1.0)], stamp=START))
    assert [view.reference(sign, START + SECOND, SECOND) for sign in (1, -1)] == [101.0, 99.0]
    assert [view.reference(sign, START + SECOND + 1, SECOND) for sign in (1, -1)] == [100.0, 100.0]
    assert book([]).reference(1, START, SECOND) == 100.0
    assert View().reference(1, START, SECOND) is None


# Sizes, averages and sums -------------------------------------------------------------------------

PRICES = st.sampled_from([1e-8, 0.00141342, 0.1, 3.0, 99.99, 61_837.63, 1e6])
INSTRUMENTS = st.none() | st.builds(
    lambda lot, least, contract: Instrument(MARKET, START, None, D(lot), D(least), D(contract)),
    st.sampled_from(["1e-8", "0.001", "0.003", "1", "50"]),
    st.sampled_from(["0", "5", "1000"]),
    st.sampled_from(["1", "0.01", "10"]),
)


@given(st.floats(1e-6, 1e9), st.sampled_from(["quote", "base"]), PRICES, INSTRUMENTS)
def test_a_size_is_the_most_whole_lots_that_the_amount_pays(
    amount: float, unit: Unit, price: float, instrument: Instrument | None
) -> None:
    known = instrument or NO_INSTRUMENT
    one = exact(price) * exact(known.contract_size)
    wanted = exact_lots(exact(amount) / one if unit == "quote" else exact(amount), known.lot)
    found = size_of(amount, unit, price, instrument)
    if not wanted or wanted * one < exact(known.min_notional):
        assert isinstance(found, str)
    else:
        assert isinstance(found, Decimal)
        assert Fraction(found) == wanted


@pytest.mark.parametrize("amount", [0.0, -1.0, nan, inf])
def test_an_amount_that_is_none_is_refused(amount: float) -> None:
    assert size_of(amount, "base", 100.0, None) == f"an amount of {amount} is not above 0"


PARTS = st.lists(
    st.builds(
        Part, st.decimals("0.01", "1e6", places=8), st.decimals("1e-8", "1e6", places=8),
        st.decimals(0, 100, places=18),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@given(PARTS)
def test_sums_are_exact_and_an_average_has_18_decimals(parts: list[Part]) -> None:
    money = sum((Fraction(p.price) * Fraction(p.amount) for p in parts), Fraction(0))
    amount = sum((Fraction(p.amount) for p in parts), Fraction(0))
    assert Fraction(worth(parts)) == money
    assert Fraction(total([p.amount for p in parts])) == amount
    assert Fraction(average_price(parts)) == rounded(money / amount)


@given(st.decimals(0, "1e12", places=10), st.sampled_from(["1e-8", "0.003", "7"]))
def test_whole_lots_are_the_most_that_fit(amount: Decimal, lot: str) -> None:
    assert Fraction(whole_lots(amount, D(lot))) == exact_lots(Fraction(amount), D(lot))
