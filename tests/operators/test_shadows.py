"""Shadows: led together, behind one bound for all, they live as each would alone."""

from __future__ import annotations

import pickle
from collections.abc import Container, Iterable
from decimal import Decimal

from hypothesis import given, settings

from operators.costs import Costs
from operators.life import Lives
from operators.monitor import Barriers
from operators.paper import PaperBroker, Taken, View
from operators.shadows import Over, Shadow, Shadows
from schemas import Averages, Book, Event, Heartbeat, Side, Signal, Trades
from tests.desk import BARRIERS, COSTS, TIMED, sessions
from tests.tapes import chop, cuts

KINDS = (*TIMED, "short", "averages")
ALWAYS = ("trade", "book", "long", "short")


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


@given(sessions(KINDS, 60, ALWAYS), BARRIERS, COSTS, cuts(150))
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
