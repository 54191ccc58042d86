"""What the blotter wants is done once, and it is told what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

import pytest

from connectors.account.account import GoneError, TradingVenue
from connectors.account.orders import BusyError, Deal, DoubtfulError, Known, RefusedError
from connectors.blotter.actions import Action, Cancel, FetchDeals, LookUp, Reconcile, Send
from connectors.blotter.blotter import Blotter
from connectors.blotter.reconcile import Look
from connectors.executor.hands import Hands
from connectors.executor.settings import ExecutorSettings
from connectors.executor.troubles import Troubles
from connectors.venue.venue import VenueError
from schemas import DAY, MINUTE, Instrument
from tests.connectors.desk import COIN, place

NOW = 10 * DAY
KNOWN = Known("a1", "7", COIN, "open", Decimal(0), 5)
DEAL = Deal("3", COIN, "a1", "7", "buy", Decimal(100), Decimal(1), Decimal(0), "USDT", 5)
INSTRUMENT = Instrument(COIN, 0, Decimal("0.1"), Decimal("0.01"), Decimal(5), Decimal(1))


@dataclass
class Scene:
    """An exchange that answers what it is told to, and a blotter that notes what it is told."""

    answer: object = None
    """Of each question; an error is raised."""
    asked: list[tuple[object, ...]] = field(default_factory=list)
    told: list[tuple[object, ...]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    synced: list[int] = field(default_factory=list)
    """How much had been asked when a sync was waited for."""
    exchange: str = "binance"

    def __post_init__(self) -> None:
        self.hands = Hands(
            cast("TradingVenue", self), cast("Blotter", _Blotter(self.told)), self.durable,
            self.act, lambda: NOW, ExecutorSettings(), Troubles(self.lines.append), self.met.append,
        )  # fmt: skip

    async def durable(self) -> None:
        self.synced.append(len(self.asked))

    def act(self, actions: Iterable[Action]) -> None:
        assert not [*actions]

    def do(self, action: Action, answer: object) -> list[tuple[object, ...]]:
        """Return what the blotter was told when this was done, and answered so."""
        self.answer = answer
        self.told.clear()
        asyncio.run(self.hands.do(action))
        return self.told

    async def _answer(self, *asked: object) -> object:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    send = cancel = find = deals_of = _answer

    async def open_orders(self, market: str) -> list[Known]:
        await self._answer("orders", market)
        return [KNOWN]

    async def deals(self, market: str, since: int) -> list[Deal]:
        await self._answer("deals", market, since)
        return [DEAL]

    async def held(self, market: str) -> Decimal:
        await self._answer("held", market)
        return Decimal(1)

    def instrument(self, market: str, _ts: int) -> Instrument:
        if isinstance(self.answer, VenueError):
            raise self.answer
        return INSTRUMENT

    def contract(self, _market: str) -> bool:
        return False

    def stops(self, _market: str) -> bool:
        return True


class _Blotter:
    def __init__(self, told: list[tuple[object, ...]]) -> None:
        self._told = told

    def __getattr__(self, name: str) -> object:
        def note(*values: object) -> list[Action]:
            assert values[-1] == NOW
            self._told.append((name, *values[:-1]))
            return []

        return note


SEND, CANCEL, LOOK = Send(place("a1")), Cancel("a1", COIN), LookUp("a1", COIN)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (KNOWN, ("acknowledged", KNOWN)),
        (RefusedError("too small"), ("refused", "a1", "too small")),
        (BusyError("429", 2.5), ("busy", "a1", 2.5)),
        (DoubtfulError("time-out"), ("doubtful", "a1")),
    ],
)
def test_an_order_is_sent_once_and_told_of(answer: object, told: tuple[object, ...]) -> None:
    scene = Scene()
    assert scene.do(SEND, answer) == [told]
    assert scene.asked == [(SEND.place,)]


def test_a_refusal_is_told_with_its_reason() -> None:
    scene = Scene()
    scene.do(SEND, RefusedError("InsufficientFunds: no money"))
    what = f"{SEND.place.side} {SEND.place.amount}"
    assert scene.lines == [f"{COIN}: {what} is refused (InsufficientFunds: no money)"]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (KNOWN, ("updated", KNOWN)),
        (None, ("called_off", "a1")),
        (RefusedError("no"), ("doubtful", "a1")),
        (BusyError("429", 2.5), ("busy", "a1", 2.5)),
        (DoubtfulError("time-out"), ("doubtful", "a1")),
        (GoneError("none"), ("doubtful", "a1")),
    ],
)
def test_an_order_is_called_off_once_and_told_of(answer: object, told: tuple[object, ...]) -> None:
    assert Scene().do(CANCEL, answer) == [told]


def test_that_an_order_was_over_before_is_no_trouble() -> None:
    scene = Scene()
    scene.do(CANCEL, GoneError("none"))
    assert not scene.lines


@pytest.mark.parametrize(
    ("answer", "told"),
    [(KNOWN, [("found", KNOWN)]), (None, [("missing", "a1")]), (DoubtfulError("503"), []),
     (BusyError("429", 1.0), []), (RefusedError("no"), [])],
)  # fmt: skip
def test_a_look_up_that_fails_proves_nothing(
    answer: object, told: list[tuple[object, ...]]
) -> None:
    assert Scene().do(LOOK, answer) == told


def test_a_doubt_is_told_once_and_when_it_is_over() -> None:
    scene = Scene()
    for _ in range(3):
        scene.do(SEND, DoubtfulError("time-out"))
        scene.do(LOOK, DoubtfulError("503"))
    scene.do(LOOK, KNOWN)
    doubt, over = scene.lines
    assert doubt.startswith(f"{COIN}: order a1: in doubt (time-out)")
    assert over == f"{COIN}: order a1: all right again"


def test_that_the_exchange_is_busy_is_told_once() -> None:
    scene = Scene()
    for _ in range(3):
        scene.do(SEND, BusyError("429", 2.5))
    scene.do(SEND, KNOWN)
    assert scene.lines == [
        f"{COIN}: orders: the exchange is busy (429); again in 2.5 s",
        f"{COIN}: orders: all right again",
    ]


def test_each_fill_of_an_order_is_told() -> None:
    scene = Scene()
    assert scene.do(FetchDeals(COIN, "a1", "7"), [DEAL, DEAL]) == [("dealt", DEAL)] * 2
    assert scene.asked == [(COIN, "a1", "7")]
    assert scene.do(FetchDeals(COIN, "a1", "7"), DoubtfulError("503")) == []


def test_a_market_is_compared_from_a_little_before_the_last_time_on() -> None:
    scene = Scene()
    look = Look(COIN, [KNOWN], [DEAL], Decimal(1))
    for _ in range(2):
        told = scene.do(Reconcile(COIN), None)
        assert told == [("learn", INSTRUMENT), ("reconciled", look)]
    assert scene.met == [COIN, COIN]
    since = [asked[2] for asked in scene.asked if asked[0] == "deals"]
    assert since == [NOW - DAY - MINUTE, NOW - MINUTE]


def test_a_comparison_that_fails_proves_nothing_and_is_told_once() -> None:
    scene = Scene()
    for _ in range(2):
        assert scene.do(Reconcile(COIN), DoubtfulError("503")) == [("learn", INSTRUMENT)]
    (line,) = scene.lines
    assert line.endswith("503; trying again; no entry goes there before")


def test_a_market_that_there_is_not_is_told_and_not_heard_of() -> None:
    scene = Scene()
    assert scene.do(Reconcile(COIN), VenueError("no such market")) == []
    assert not scene.met
    assert "no such market" in scene.lines[0]


@pytest.mark.parametrize(
    ("action", "waits"),
    [
        (SEND, [0]),
        (Cancel("a1", COIN), [0]),
        (LookUp("a1", COIN), []),
        (FetchDeals(COIN, "a1", "7"), []),
    ],
)
def test_only_what_changes_something_at_the_exchange_waits_for_the_disk(
    action: Action, waits: list[int]
) -> None:
    scene = Scene()
    scene.do(action, [] if isinstance(action, FetchDeals) else KNOWN)
    assert (scene.synced, len(scene.asked)) == (waits, 1)
