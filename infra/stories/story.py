"""The story of one position, or of one signal that became none: the events it is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from infra.stories.names import Name
from infra.stories.tape import Placed
from infra.verify.which import Run
from schemas import (
    Averages,
    Book,
    Candle,
    Closed,
    Fill,
    Opened,
    Order,
    Outcome,
    Prediction,
    Side,
    Signal,
)


@dataclass(frozen=True)
class Decision:
    """What the rule saw, and what it wanted.

    Parameters
    ----------
    signal
        What it wanted.
    candle, averages, prediction
        The latest of each in front of the signal.
    earlier
        The averages before those: a cross shows by comparison.
    refused
        Why it was not done, or not all of it; empty if it was.

    """

    signal: Placed[Signal]
    candle: Candle | None
    averages: Averages | None
    earlier: Averages | None
    prediction: Prediction | None
    refused: str = ""


@dataclass(frozen=True)
class Act:
    """An order, the book that its price was expected from, and its fills."""

    order: Order
    book: Book | None
    fills: list[Fill]


@dataclass(frozen=True)
class Lesson:
    """What became of the shadow of the decision, which is what the model learned.

    Parameters
    ----------
    outcome
        The shadow's end.
    before
        The outcome that was learned in front of it: metrics are running ones.

    """

    outcome: Outcome
    before: Outcome | None


class Reach(NamedTuple):
    """The best and the worst return on the way, by the candles that lie in between."""

    best: float
    worst: float


@dataclass(frozen=True)
class Story:
    """All there is to tell.

    Parameters
    ----------
    name
        Of the position, or of the signal.
    run
        Which it belongs to.
    side
        Which way the position looks; None for a signal that became none.
    decision
        Where it came from, if history has the signal.
    acts
        Its orders, oldest first.
    besides
        Fills of none of those, where no order of the flow ended it: of the stop that rests at the
        exchange, or of what the executor did by itself.
    moved
        Each time that the resting stop was to follow a trailing one.
    opened
        Each time that it grew.
    closed
        How it ended, if it did.
    reach
        How far it went.
    lesson
        What the model learned from the decision.
    last
        The latest candle of its market, of a position that is open.

    """

    name: Name
    run: Run
    side: Side | None
    decision: Decision | None
    acts: list[Act]
    besides: list[Fill]
    moved: list[Order]
    opened: list[Opened]
    closed: Closed | None
    reach: Reach | None
    lesson: Lesson | None
    last: Candle | None
