from __future__ import annotations

import pickle
from decimal import Context, Decimal, localcontext
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.tally import ExactSum, MarketTally, Tally, plain_reason, total_return
from schemas import Closed, Fault, Halt, Opened, Refused, Reject
from schemas.tables import Record


def closed(market: str, made: float) -> Record:
    pnl = Decimal(repr(made))
    return Record(
        0,
        Closed(
            market, 1, 1, "long", Decimal(1), Decimal(1), Decimal(1), 0, "take",
            Decimal("0.1"), pnl, made, made,
        ),
    )  # fmt: skip


numbers = st.integers(-(10**12), 10**12).map(lambda n: n / 1000)


@given(st.lists(numbers), st.integers(0, 50))
def test_a_sum_is_exact_and_can_be_cut_anywhere(values: list[float], cut: int) -> None:
    total = ExactSum()
    for x in values[:cut]:
        total.add(x)
    total = pickle.loads(pickle.dumps(total))
    for x in values[cut:]:
        total.add(x)
    assert fsum(total.partials) == fsum(values)


@given(st.lists(st.tuples(st.sampled_from("AB"), numbers)), st.integers(0, 50))
def test_a_tally_that_is_resumed_counts_as_one_that_was_not(
    made: list[tuple[str, float]], cut: int
) -> None:
    tally = Tally()
    for number, (market, x) in enumerate(made):
        if number == cut:
            state, tally = tally.snapshot(), Tally()
            tally.resume(state)
        tally.write([closed(market, x), Record(1, Halt(market, 1, "halted", "me"))])
    assert total_return(tally.markets) == fsum(x for _, x in made)
    counts = [part.counts for part in tally.markets.values()]
    assert sum(count["Closed"] for count in counts) == len(made)
    assert sum(count["Halt"] for count in counts) == len(made)
    with localcontext(Context(prec=76)):
        exact = sum((Decimal(repr(x)) for _, x in made), Decimal(0))
        assert sum((part.pnl for part in tally.markets.values()), Decimal(0)) == exact
    assert sum(part.wins for part in tally.markets.values()) == sum(x > 0 for _, x in made)


def test_reasons_for_refusals_are_counted_without_their_figures() -> None:
    tally = Tally()
    for why in ("the book is 1290.5 ms old", "the book is 7 ms old", "already entering a long"):
        tally.write([Record(1, Refused("A", 1, "long", why))])
    assert tally.markets["A"].refusals == {"the book is … ms old": 2, "already entering a long": 1}


@pytest.mark.parametrize(
    ("why", "plain"),
    [
        ("entered from 2024-05-06T07:08:09+00:00 on", "entered from … on"),
        ("worth 1,234.5, or 1e-05.", "worth …, or …."),
        ("its time is over", "its time is over"),
    ],
)
def test_figures_are_left_out_whole(why: str, plain: str) -> None:
    assert plain_reason(why) == plain


def test_time_stops_at_the_end_and_goes_on_behind_a_resume() -> None:
    tally = Tally(opening=2.0)
    assert tally.seconds == 2.0
    tally.start()
    state = tally.snapshot()
    tally.close()
    assert 2.0 < tally.seconds == tally.seconds
    again = Tally(opening=1.0)
    again.resume(state)
    assert 3.0 < again.seconds <= 1.0 + tally.seconds


def test_the_first_fault_of_a_market_is_kept_with_its_place() -> None:
    tally = MarketTally()
    tally.take([Record(0, Fault("A", 1, "rule", "KeyError: 'x'", "cross.py:3 in rule"))])
    tally.take([Record(1, Fault("A", 2, "rule", "KeyError: 'y'", "cross.py:4 in rule"))])
    assert tally.fault == "KeyError: 'x' (cross.py:3 in rule)"


def test_what_could_not_be_read_first_is_kept() -> None:
    tally = MarketTally()
    tally.take([Record(n, Reject("A", n, f"t.csv, line {n}: no price", "x")) for n in (2, 5)])
    assert tally.reject == "t.csv, line 2: no price"


def opened(position: int, amount: int) -> Record:
    held = Opened("A", 1, position, "long", Decimal(amount), Decimal(7), None, None, None, None)
    return Record(0, held)


def test_a_position_that_grows_is_one_that_is_open_until_it_is_closed() -> None:
    tally = MarketTally()
    tally.take([opened(1, 3), opened(1, 5)])
    assert tally.held
    tally.take([closed("A", 1.0)])
    assert not tally.held
    tally.take([opened(2, 3)])
    assert tally.held


def test_what_an_earlier_version_kept_is_gone_on_with() -> None:
    kept = MarketTally(wins=3)
    del kept.fault, kept.held, kept.reject
    tally = Tally()
    tally.resume(pickle.loads(pickle.dumps({"A": kept})))
    tally.write([Record(0, Fault("A", 1, "rule", "KeyError: 'x'", "cross.py:3 in rule"))])
    found = tally.markets["A"]
    assert (found.wins, found.fault, found.held) == (3, "KeyError: 'x' (cross.py:3 in rule)", False)
