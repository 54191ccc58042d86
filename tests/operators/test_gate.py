"""The gate: what is refused before an order, and why."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from operators.costs import Costs
from operators.gate import Gate, Plan
from operators.limits import Limits
from operators.live import Live
from operators.monitor import Barriers, Scaled
from operators.paper import View
from operators.slippage import CostLimit
from operators.standing import Standing
from schemas import SECOND, Book, Instrument, Signal
from tests.tapes import MARKET, START

D = Decimal
BOOK = Book(MARKET, START, [(99.5, 9.0)], [(100.5, 2.0), (101.5, 8.0)], stamp=START)
TENTHS = Instrument(MARKET, START, D("0.05"), D("0.1"), D(250), D(1))
WANT = Signal(MARKET, START, "long", 4.0, "base", "")
BID = replace(WANT, kind="limit", limit=99.97)


def standing(book: Book | None = BOOK, instrument: Instrument | None = TENTHS) -> Standing:
    return Standing(view=View(100.0, book, instrument))


def plan(gate: Gate, signal: Signal = WANT, at: Standing | None = None) -> Plan:
    found = gate.judge(signal, START, at or standing())
    assert isinstance(found, Plan), found
    return found


def test_an_entry_is_planned_with_what_the_book_promises() -> None:
    found = plan(Gate(Barriers(stop_loss=0.01), Costs()))
    assert (found.side, found.amount, found.price, found.short) == ("long", D("4.0"), None, "")
    assert found.promise is not None
    assert (found.promise.average, found.promise.slippage_bps) == (D(101), 100.0)
    assert found.widths.stop == 0.01


def test_a_limit_is_rounded_to_the_tick_away_from_the_market_and_sizes_the_entry() -> None:
    gate = Gate(Barriers(), Costs())
    assert plan(gate, BID).price == D("99.95")
    assert plan(gate, replace(BID, action="short")).price == D("100.00")
    worth = replace(BID, amount=999.5, unit="quote")
    assert plan(gate, worth).amount == 10
    assert plan(gate, replace(worth, limit=99.9)).amount == 10
    tiny = replace(BID, limit=0.04)
    assert gate.judge(tiny, START, standing()) == "a limit of 0.04 is less than one tick"


def test_on_paper_too_nothing_is_entered_before_its_time() -> None:
    early, now = (Gate(Barriers(), Costs(), since=START + wait) for wait in (1, 0))
    why = early.judge(WANT, START, standing())
    assert why == "warming up: positions are entered from 2023-11-14T22:14:00Z on"
    plan(now)


def test_a_limit_without_a_price_is_an_entry_at_any() -> None:
    assert plan(Gate(Barriers(), Costs()), replace(WANT, kind="limit")).price is None


def test_what_costs_too_much_is_shrunk_to_what_fits_and_told() -> None:
    found = plan(Gate(Barriers(), Costs(), max_cost=CostLimit(80)))
    assert found.amount == D("2.8")
    assert found.short == (
        "1.2 of 4.0 left out: it would cost 100.00 bps, 100.00 of them slippage, and 80 are allowed"
    )


def test_what_fits_may_be_too_little_for_an_order() -> None:
    why = Gate(Barriers(), Costs(), max_cost=CostLimit(50)).judge(WANT, START, standing())
    assert isinstance(why, str)
    assert why.startswith("an order worth 201.00 is below the minimum of 250; 2.0 of 4.0 left out")


@pytest.mark.parametrize(
    ("gate", "at", "why"),
    [
        (Gate(Barriers(), Costs()), replace(standing(), mode="halted"), "the market is halted"),
        (Gate(Barriers(), Costs()), Standing(), "no price yet"),
        (
            Gate(Barriers(stop_loss=Scaled("volatility", 2.0)), Costs()), standing(),
            "no volatility to scale the barriers by",
        ),
        (
            Gate(Barriers(), Costs(), live=Live(START + 1)), standing(),
            "warming up: positions are entered from 2023-11-14T22:14:00Z on",
        ),
        (
            Gate(Barriers(), Costs(), live=Live(START)), standing(instrument=None),
            "no instrument yet, so the exchange's lot and tick are not known",
        ),
        (
            Gate(Barriers(), Costs(), limits=Limits(need_book=True)), standing(None),
            "there is no book",
        ),
        (
            Gate(Barriers(), Costs(), limits=Limits(max_order=10)), standing(),
            "an order worth 402.00 is above the limit of 10",
        ),
        (
            Gate(Barriers(), Costs(), max_cost=CostLimit(80, "refuse")), standing(),
            "it would cost 100.00 bps, 100.00 of them slippage, and 80 are allowed",
        ),
        (
            Gate(Barriers(), Costs(slippage_bps=20), 0.001, live=Live(0)), standing(None),
            "slippage above 0.001 is expected",
        ),
    ],
)  # fmt: skip
def test_a_refusal_says_why(gate: Gate, at: Standing, why: str) -> None:
    assert gate.judge(WANT, START, at) == why


def test_an_entry_that_goes_out_is_cut_to_the_allowed_slippage_beforehand() -> None:
    live, paper = (Gate(Barriers(), Costs(), 0.005, live=on) for on in (Live(0), None))
    deep = replace(standing(), view=View(100.0, BOOK, replace(TENTHS, min_notional=D(0))))
    found = plan(live, at=deep)
    assert (found.amount, found.short) == (
        D(2),
        "2.0 of 4.0 left out: no more in the book as allowed",
    )
    assert plan(paper, at=deep).amount == 4


def test_a_shrunk_entry_is_judged_by_its_own_size() -> None:
    gate = Gate(Barriers(), Costs(), max_cost=CostLimit(80), limits=Limits(max_order=300))
    assert plan(gate).amount == D("2.8")


def test_a_book_that_is_too_old_sizes_nothing() -> None:
    late = Gate(Barriers(), Costs()).judge(WANT, START + 2 * SECOND, standing())
    assert isinstance(late, Plan)
    assert late.promise is None
