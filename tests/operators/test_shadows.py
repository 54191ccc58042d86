"""Shadows: led together, behind one bound for all, they live as each would alone."""

from __future__ import annotations

import pickle
from collections.abc import Container, Iterable
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.costs import Costs
from operators.life import Lives
from operators.monitor import Barriers, Scaled
from operators.paper import PaperBroker, Taken, View
from operators.shadows import Over, Shadow, Shadows
from schemas import SECOND, Averages, Book, Event, Heartbeat, Side, Signal, Trades
from tests.desk import COSTS, TIMED, sessions, trade
from tests.tapes import MARKET, START, chop, cuts

KINDS = (*TIMED, "averages")
ALWAYS = ("trade", "trade", "burst", "book", "long", "short")
WIDTH = st.sampled_from([None, 0.005, 0.01, 0.05, Scaled("volatility20", 4.0)])
WIDE = st.builds(
    Barriers,
    stop_loss=WIDTH,
    take_profit=WIDTH,
    trailing_stop=st.sampled_from([None, None, 0.01]),
    timeout=st.sampled_from([None, timedelta(seconds=1), timedelta(seconds=30)]),
)
"""Barriers that a slice often does not touch, or touches exactly."""


def begun(lives: Lives, barriers: Barriers, tape: list[Event]) -> dict[int, Shadow]:
    """Return a new shadow for each signal on the tape, by the number of its event."""
    volatility, born = {"volatility20": 0.0025}, {}
    for number, event in enumerate(tape):
        if isinstance(event, Averages):
            volatility = event.values
        widths = barriers.widths(volatility)
        if isinstance(event, Signal) and widths is not None:
            side: Side = "long" if event.action == "long" else "short"
            life = lives.begin(side, Decimal(3), widths, event.ts, Taken())
            born[number] = Shadow(number, life, {}, None, None)
    return born


def told(shadow: Shadow) -> str:
    life = shadow.life
    return f"{shadow.decision} {life.side} {life.opened} {life.entries} {life.exits} {life.why}"


def together(lives: Lives, tape: list[Event], born: dict[int, Shadow], restart: bool) -> list[str]:
    """Return the ends of the shadows, in order."""
    shadows, view, read, ends = Shadows(), View(), 0, list[str]()
    for number, event in enumerate(tape):
        over: Iterable[Over] = ()
        if isinstance(event, Trades):
            over = shadows.trades(lives, event, view)
        elif isinstance(event, Book):
            over = shadows.sign(lives, event.ts, event, view)
            view.book = event
        elif isinstance(event, Heartbeat):
            over = shadows.sign(lives, event.ts, None, view)
        ends += [f"{read + end.row} {end.ts} {told(end.shadow)}" for end in over]
        read += len(event) if isinstance(event, Trades) else 1
        if number in born:
            shadows.moving.append(born[number])
        if restart:
            shadows = pickle.loads(pickle.dumps(shadows))
    return ends


@given(sessions(KINDS, 60, ALWAYS), WIDE, COSTS, cuts(150))
@settings(max_examples=200)
def test_shadows_live_as_each_would_alone(
    tape: list[Event], barriers: Barriers, costs: Costs, cut: Container[int]
) -> None:
    lives, tape = Lives(PaperBroker(costs)), chop(tape, cut)
    alone: list[tuple[int, int, str]] = []
    for number, shadow in begun(lives, barriers, tape).items():
        alone += [(int(end.split()[0]), number, end) for end in solo(lives, tape, number, shadow)]
    for restart in (False, True):
        found = together(lives, tape, begun(lives, barriers, tape), restart)
        assert found == [end for _, _, end in sorted(alone)]


def solo(lives: Lives, tape: list[Event], born: int, shadow: Shadow) -> list[str]:
    """Step one shadow over every row, with no bounds and no other beside it."""
    life, view, read = shadow.life, View(), 0
    for number, event in enumerate(tape):
        alive = number > born and life.stage != "over"
        if isinstance(event, Trades):
            for row in range(len(event)):
                stepped = alive and lives.trades(life, event.cut(row, row + 1), 0, view)
                if stepped and life.stage == "over":
                    return [f"{read + row} {event.ts.item(row)} {told(shadow)}"]
        elif isinstance(event, (Book, Heartbeat)):
            book = event if isinstance(event, Book) else None
            if alive and lives.sign(life, event.ts, book, view) and life.stage == "over":
                return [f"{read} {event.ts} {told(shadow)}"]
            if book is not None:
                view.book = book
                life.taken.sides.clear()
        read += len(event) if isinstance(event, Trades) else 1
    return []


# One by one, each bound ---------------------------------------------------------------------------

FREE = Lives(PaperBroker(Costs()))
STOP = 100.5 * (1 - 0.01)


def opened(side: Side, *prices: float) -> Shadows:
    """Return shadows entered at these prices, a second apart, with barriers of 1 % and 9 s."""
    widths = Barriers(0.01, 0.01, timedelta(seconds=9)).widths({})
    assert widths is not None
    shadows = Shadows()
    for number, price in enumerate(prices):
        life = FREE.begin(side, Decimal(1), widths, START, Taken())
        shadows.moving.append(Shadow(number, life, {}, None, None))
        fill = trade(price, START + number * SECOND)
        assert not shadows.trades(FREE, fill, View())
    assert [shadow.decision for shadow in shadows.open] == list(range(len(prices)))
    return shadows


def slice_of(*prices: float, after: int = 2) -> Trades:
    (trades,) = chop([trade(price, START + after * SECOND) for price in prices])
    assert isinstance(trades, Trades)
    return trades


def left(shadows: Shadows) -> list[tuple[int, str]]:
    return [(shadow.decision, shadow.life.why) for shadow in shadows.moving]


@pytest.mark.parametrize(
    ("trades", "acts"),
    [
        (slice_of(100.5, 99.5), []),
        (slice_of(100.5, STOP), [(1, "stop")]),
        (slice_of(100.5, 101.0), [(0, "take")]),
        (slice_of(100.5, 100.999), []),
        (slice_of(STOP), [(1, "stop")]),
        (slice_of(101.0), [(0, "take")]),
        (slice_of(100.5, after=9), [(0, "timeout")]),
        (slice_of(100.5, 100.5, after=8), []),
    ],
)
def test_the_nearest_bound_of_all_is_seen(trades: Trades, acts: list[tuple[int, str]]) -> None:
    shadows = opened("long", 100.0, 100.5)
    assert not shadows.trades(FREE, trades, View())
    assert left(shadows) == acts


@pytest.mark.parametrize(("side", "why"), [("long", "take"), ("short", "stop")])
def test_a_book_is_seen_from_the_side_that_leaves(side: Side, why: str) -> None:
    ts = START + SECOND
    bids, asks = ([(101.0, 1.0)], []) if side == "long" else ([], [(101.0, 1.0)])
    shadows = opened(side, 100.0)
    assert not shadows.sign(FREE, ts, Book(MARKET, ts, asks, bids, stamp=ts), View())
    assert left(shadows) == []
    assert not shadows.sign(FREE, ts, Book(MARKET, ts, bids, asks, stamp=ts), View())
    assert left(shadows) == [(0, why)]


def test_a_heartbeat_ends_what_has_lasted_long_enough() -> None:
    shadows = opened("long", 100.0, 100.5)
    shadows.sign(FREE, START + 9 * SECOND, None, View())
    assert left(shadows) == [(0, "timeout")]


def test_ends_are_told_in_order_of_the_tape() -> None:
    shadows = opened("long", 100.0, 100.5)
    over = shadows.trades(FREE, slice_of(STOP, 99.4, 99.0, 98.0), View())
    assert [(end.row, end.shadow.decision) for end in over] == [(1, 1), (3, 0)]
    both = opened("long", 100.0, 100.0).trades(FREE, slice_of(99.0, 98.0), View())
    assert [(end.row, end.shadow.decision) for end in both] == [(1, 0), (1, 1)]
