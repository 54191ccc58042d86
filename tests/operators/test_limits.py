"""Limits of one market: each is told with its figures, and exits always go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import inf, nan

import pytest

from operators.costs import Costs
from operators.limits import Limits, Sight
from operators.monitor import Barriers
from operators.paper import View
from operators.trade import Trade
from schemas import SECOND, Book, Closed, Event, Gap, Heartbeat, Instrument, Order, Refused, Signal
from tests.desk import trade
from tests.tapes import EVERYWHERE, MARKET, START, canonical, chop, play

D = Decimal
BOOK = Book(MARKET, START, [(99.0, 9.0)], [(101.0, 1.0), (103.0, 9.0)], stamp=START)
TEN = Instrument(MARKET, START, D("0.01"), D(1), D(0), D("0.1"))
GAP = Gap(MARKET, START, "disconnect", START, START)


def want(ts: int = START, amount: float = 3.0) -> Signal:
    return Signal(MARKET, ts, "long", amount, "base", "")


def said(limits: Limits, tape: list[Event]) -> list[str]:
    """Return why entries are refused; `yes` for each that is not."""
    out = play(lambda: Trade(Barriers(), Costs(), limits=limits), tape)
    assert canonical(play(lambda: Trade(Barriers(), Costs(), limits=limits), tape, EVERYWHERE)) == (
        canonical(out)
    )
    return [
        event.why if isinstance(event, Refused) else "yes"
        for event in out
        if isinstance(event, (Refused, Order))
    ]


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (Limits(max_order=30.29), "an order worth 30.30 is above the limit of 30.29"),
        (Limits(max_order=30.3), "yes"),
        (Limits(max_position=0.29), "a position of 0.3 is above the limit of 0.29"),
        (Limits(max_position=0.3), "yes"),
        (
            Limits(price_band_bps=299.9),
            "103.0 is 300.00 bps worse than the last trade at 100.0, and 299.9 are allowed",
        ),
        (Limits(price_band_bps=300), "yes"),
    ],
)
def test_an_entry_beyond_a_limit_is_refused_with_the_figures(limits: Limits, why: str) -> None:
    assert said(limits, [TEN, trade(100.0), BOOK, want()]) == [why]


def test_a_limit_price_is_the_worst_that_is_judged_by_the_band() -> None:
    bid = replace(want(), kind="limit", limit=102.0)
    assert said(Limits(price_band_bps=200), [trade(100.0), BOOK, bid]) == ["yes"]
    assert said(Limits(price_band_bps=100), [trade(100.0), BOOK, replace(bid, limit=99.0)]) == [
        "yes"
    ]
    assert said(Limits(price_band_bps=199), [trade(100.0), BOOK, bid])[0][:20] == (
        "102.0 is 200.00 bps "
    )


def test_a_book_must_not_be_too_old_and_with_need_book_there_must_be_one() -> None:
    late = START + SECOND + 1
    tape: list[Event] = [trade(100.0), BOOK, Heartbeat(MARKET, late)]
    why = "the book is 1000 ms old, and at most 999 are allowed"
    assert said(Limits(max_book_age_ms=999), [*tape, want(START + SECOND)]) == [why]
    assert said(Limits(max_book_age_ms=1000), [*tape, want(START + SECOND)]) == ["yes"]
    assert said(Limits(), [trade(100.0), want()]) == ["yes"]
    assert said(Limits(need_book=True), [trade(100.0), want()]) == ["there is no book"]


def test_behind_a_gap_a_book_is_waited_for_and_then_some_time() -> None:
    limits, later = Limits(after_gap=timedelta(seconds=2)), replace(BOOK, stamp=START + 9 * SECOND)
    tape: list[Event] = [trade(100.0), BOOK, GAP, trade(100.0), want()]
    assert said(limits, tape) == ["there is a gap, and no book behind it"]
    assert said(limits, [*tape, later, want(START + SECOND), want(START + 2 * SECOND)]) == [
        "there is a gap, and no book behind it",
        "a gap ended 1 s ago, and 2 s are to pass",
        "yes",
    ]


def test_in_a_market_without_books_a_trade_ends_a_gap() -> None:
    tape: list[Event] = [trade(100.0), GAP, want(), trade(100.0, START + 5), want(START + 5)]
    assert said(Limits(), tape) == ["there is a gap, and no trade behind it", "yes"]
    assert said(Limits(after_gap=timedelta(seconds=1)), tape)[1] == (
        "a gap ended 0 s ago, and 1 s are to pass"
    )


def test_the_first_trade_behind_a_gap_ends_it_however_the_tape_is_cut() -> None:
    behind = [trade(100.0, START + n * SECOND) for n in range(3)]
    tape = [*chop([trade(100.0)]), GAP, *chop(behind), want(START + 2 * SECOND)]
    assert said(Limits(after_gap=timedelta(seconds=2)), tape) == ["yes"]


def test_without_limits_gaps_and_old_books_stop_nobody() -> None:
    machine = Trade(Barriers(), Costs())
    tape: list[Event] = [trade(100.0), BOOK, GAP, want(START + 9 * SECOND)]
    assert isinstance(play(lambda: machine, tape)[-1], Order)


def test_exits_are_never_refused() -> None:
    limits = Limits(max_order=1e9, need_book=True)
    leave = Signal(MARKET, START + 9 * SECOND, "exit", 0.0, "base", "")
    tape: list[Event] = [
        trade(100.0), BOOK, want(), trade(100.0), GAP, leave, trade(100.0, START + 9 * SECOND),
    ]  # fmt: skip
    assert isinstance(play(lambda: Trade(Barriers(), Costs(), limits=limits), tape)[-1], Closed)


def test_sight_is_blind_until_something_is_seen() -> None:
    sight = Sight(blind=True)
    assert Limits().unseen(START, View(), sight)
    sight.clear(START)
    assert not Limits().unseen(START, View(), sight)


@pytest.mark.parametrize("value", [0.0, -1.0, nan, inf])
@pytest.mark.parametrize("name", ["max_order", "max_position", "price_band_bps"])
def test_a_limit_that_is_none_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a finite number above 0, not {value}"):
        Limits(**{name: value})  # type: ignore[arg-type]


def test_times_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match=r"max_book_age_ms .* not -1"):
        Limits(max_book_age_ms=-1)
    with pytest.raises(ValueError, match="after_gap must be 0 or more, not -1 day"):
        Limits(after_gap=timedelta(days=-1))
