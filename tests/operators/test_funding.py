"""Funding on paper: once for each time it is due, by who holds, at the last price."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from decimal import Decimal
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.costs import Costs
from operators.funding import Funding
from operators.monitor import Barriers
from operators.trade import Trade
from schemas import SECOND, Book, Closed, Event, Heartbeat, Instrument, Signal, Trades, Value
from tests.desk import BARRIERS, COSTS, TIMED, WANTED, sessions, trade
from tests.tapes import EVERYWHERE, MARKET, START, chop, cuts, play, witnessed

D = Decimal
PERPETUAL = "test:BTC/USDT:USDT"
EXIT = Signal(MARKET, START, "exit", 0.0, "base", "")


def value(series: str, number: float, ts: int = START) -> Value:
    return Value(MARKET, ts, series, number)


def due(seconds: float, ts: int = START) -> Value:
    return value("funding_due", START / SECOND + seconds, ts)


def want(action: str) -> Signal:
    return Signal(MARKET, START, action, 3.0, "base", "")


def perpetual(tape: Iterable[Event]) -> list[Event]:
    """Return a tape as one of a perpetual."""
    return [replace(event, market=PERPETUAL) for event in tape]


def got(tape: Iterable[Event], costs: Costs = Costs()) -> list[Decimal]:  # noqa: B008 - a constant
    """Return the funding of each position of a perpetual, each a part of its PnL."""
    out = play(lambda: Trade(Barriers(), costs), chop(perpetual([trade(100.0), *tape])))
    closed = [event for event in out if isinstance(event, Closed)]
    assert all(
        c.pnl == (c.exit - c.entry) * c.amount * (1 if c.side == "long" else -1) + c.funding
        for c in closed
    )
    return [c.funding for c in closed]


def at(price: float, seconds: float) -> Trades:
    return trade(price, START + round(seconds * SECOND))


HELD: list[Event] = [value("funding", 0.001), due(5), want("long"), trade(100.0)]


def test_longs_pay_a_positive_rate_and_shorts_get_it() -> None:
    later: list[Event] = [at(110.0, 4), at(120.0, 5), EXIT, at(120.0, 5)]
    assert got([*HELD, *later]) == [D("-0.33")]
    short = [*HELD[:2], want("short"), trade(100.0)]
    assert got([*short, *later]) == [D("0.33")]
    negative = [value("funding", -0.001), *HELD[1:]]
    assert got([*negative, *later]) == [D("0.33")]


def test_it_is_paid_once_whatever_comes_again() -> None:
    again: list[Event] = [at(100.0, 5), due(5, START + 5 * SECOND), at(100.0, 6), at(100.0, 7)]
    assert got([*HELD, *again, EXIT, at(100.0, 8)]) == [D("-0.3")]


def test_each_time_it_is_due_it_is_paid() -> None:
    again: list[Event] = [
        at(100.0, 5), due(10, START + 5 * SECOND), value("funding", 0.002), at(100.0, 10),
    ]  # fmt: skip
    assert got([*HELD, *again, EXIT, at(100.0, 10)]) == [D("-0.9")]


def test_who_does_not_hold_pays_nothing() -> None:
    flat: list[Event] = [*HELD[:2], at(100.0, 5), want("long"), at(100.0, 6), EXIT, at(100.0, 7)]
    assert got(flat) == [0]
    entering: list[Event] = [*HELD[:3], at(100.0, 5), EXIT, at(100.0, 7)]
    assert repr(got(entering)) == "[Decimal('0')]"
    left: list[Event] = [*HELD, EXIT, at(100.0, 4), at(100.0, 6)]
    assert got(left) == [0]


def test_what_falls_due_while_nothing_is_held_is_nobodys_in_any_cut() -> None:
    tape = perpetual([trade(100.0), *HELD, trade(90.0), at(90.0, 4), at(90.0, 6)])

    def machine() -> Trade:
        return Trade(Barriers(stop_loss=0.01), Costs())

    assert witnessed(machine, chop(tape, EVERYWHERE)) == witnessed(machine, chop(tape))


def test_a_time_that_is_past_when_it_is_told_is_nobodys() -> None:
    late = due(5, START + 5 * SECOND)
    held: list[Event] = [HELD[0], *HELD[2:], at(100.0, 5)]
    assert got([*held, late, at(100.0, 6), EXIT, at(100.0, 6)]) == [0]


def test_what_one_position_paid_is_not_the_next_ones() -> None:
    tape: list[Event] = [*HELD, at(100.0, 5), EXIT, at(100.0, 5), want("long"), at(100.0, 6)]
    assert got([*tape, EXIT, at(100.0, 7)]) == [D("-0.3"), 0]


def test_a_heartbeat_and_a_book_bring_the_time_too() -> None:
    for event in (
        Heartbeat(MARKET, START + 5 * SECOND),
        Book(MARKET, START + 5 * SECOND, [(1.0, 1.0)], [(200.0, 1.0)], stamp=START),
    ):
        assert got([*HELD, event, EXIT, at(100.0, 5)]) == [D("-0.3")]


def test_what_left_in_part_pays_for_what_is_held() -> None:
    bids = Book(MARKET, START, [(100.0, 1.0)], [(100.0, 9.0)], stamp=START)
    tape: list[Event] = [*HELD, bids, EXIT, trade(100.0), at(100.0, 5), at(100.0, 6)]
    assert got(tape) == [D("-0.2")]


def test_the_contract_counts() -> None:
    tenth = Instrument(MARKET, START, None, D(1), D(0), D("0.1"))
    out = play(
        lambda: Trade(Barriers(), Costs()),
        perpetual([tenth, trade(100.0), *HELD, at(100.0, 5), EXIT, at(100.0, 5)]),
    )
    assert [e.funding for e in out if isinstance(e, Closed)] == [D("-0.03")]


def test_a_spot_market_pays_nothing() -> None:
    tape = [trade(100.0), *HELD, at(100.0, 5), EXIT, at(100.0, 5)]
    (closed,) = (e for e in play(lambda: Trade(Barriers(), Costs()), tape) if isinstance(e, Closed))
    assert closed.funding == 0


@given(
    sessions((*TIMED, *WANTED), always=("trade", "burst", "long", "leave")),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 60)), max_size=5),
    BARRIERS,
    COSTS,
    cuts(100),
    cuts(100),
)
def test_no_cut_changes_what_is_paid(
    tape: list[Event],
    told: list[tuple[int, int]],
    barriers: Barriers,
    costs: Costs,
    cut: Container[int],
    restarts: Container[int],
) -> None:
    for place, seconds in told:
        ts = tape[place].ts if place < len(tape) else START
        ts = ts if isinstance(ts, int) else ts.item(-1)
        tape[place:place] = [value("funding", 0.001, ts), due(seconds, ts)]
    whole = witnessed(lambda: Trade(barriers, costs), chop(perpetual(tape)))
    again = witnessed(lambda: Trade(barriers, costs), chop(perpetual(tape), cut), restarts)
    assert again == whole


@pytest.mark.parametrize("number", [nan, inf, -inf, 1e306, 1e300, -1.0])
def test_numbers_that_are_no_rate_and_no_time_are_nothing(number: float) -> None:
    funding = Funding()
    funding.note(replace(value("funding", number), market=PERPETUAL))
    assert funding.rate == 0
    if number != 1e300:
        funding.note(replace(value("funding_due", number), market=PERPETUAL))
    assert funding.due is None
