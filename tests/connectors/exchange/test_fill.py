"""REST is asked until a hole is filled, or can never be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import ccxt
import pytest

from connectors.exchange import fill as exchange_fill
from connectors.exchange.fill import Filling
from connectors.exchange.rest_trades import HoleError, NotYetError, RestTrades, Traded
from connectors.feed import feed as feed_module
from connectors.feed.feed import CALM, MarketFeed
from connectors.feed.hole import Hole
from schemas import Reject, Trades


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_fill, "AT_FIRST", 0.0)
    monkeypatch.setattr(exchange_fill, "_RETRY", 0.001)


def trade(id_: int) -> Traded:
    return Traded(str(id_), id_, 2.0, 3.0, 1)


class Rest(RestTrades):
    """REST that says what a test tells it: pages, or what goes wrong."""

    def __init__(self, *answers: list[list[Traded]] | Exception) -> None:
        self.answers: Iterator[list[list[Traded]] | Exception] = iter(answers)
        self.asked: list[tuple[str, str | None]] = []
        self.rejects = []

    async def behind(self, last: Traded, until: Traded | None) -> AsyncIterator[list[Traded]]:
        self.asked.append((last.id, until and until.id))
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        for page in answer:
            yield page


def broken() -> tuple[MarketFeed, Hole]:
    """Return a market that waits for trades 2 to 4."""
    feed, now = MarketFeed("m"), time.time_ns()
    feed.trades([trade(1)], now)
    feed.lost("disconnect")
    feed.trades([trade(5)], now)
    [hole] = feed.wishes()
    return feed, hole


def outcome(
    *answers: list[list[Traded]] | Exception, room: Callable[[], bool] = lambda: True
) -> tuple[list[int | str], list[str], Rest]:
    """Return ids and gaps on the tape, what came too late, and how REST was asked."""
    (feed, hole), rest = broken(), Rest(*answers)
    tape: list[int | str] = []

    def told() -> None:
        for event in feed.take():
            if isinstance(event, Trades):
                assert event.id is not None
                tape.extend(event.id.tolist())
            else:
                tape.append(type(event).__name__)

    async def fill() -> None:
        await asyncio.wait_for(Filling(feed, rest, told, room).fill(hole), 60)

    asyncio.run(fill())
    feed.look(time.time_ns(), heard=None)
    told()
    return tape, [found.id for found in feed.late()], rest


def test_pages_fill_a_hole() -> None:
    tape, late, rest = outcome([[trade(2), trade(3)], [trade(4)]])
    assert (tape, late) == ([1, 2, 3, 4, 5], [])
    assert rest.asked == [("1", "5")]


@pytest.mark.parametrize(
    "trouble", [NotYetError("later"), ccxt.NetworkError("gone"), ccxt.RateLimitExceeded("429")]
)
def test_what_may_pass_is_tried_again(trouble: Exception) -> None:
    tape, late, rest = outcome(trouble, trouble, [[trade(2), trade(3), trade(4)]])
    assert (tape, late) == ([1, 2, 3, 4, 5], [])
    assert len(rest.asked) == 3


def test_what_can_never_be_had_is_marked_at_once() -> None:
    tape, late, rest = outcome(HoleError("too long ago"))
    assert (tape, late) == ([1, "Gap", 5], [])
    assert len(rest.asked) == 1


def test_a_hole_that_nobody_waits_for_is_filled_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "PATIENCE", -1)
    rooms = iter([False, False, True, True])
    tape, late, _ = outcome([[trade(2)], [trade(3), trade(4)]], room=lambda: next(rooms))
    assert (tape, late) == ([1, "Gap", 5], ["2", "3", "4"])


def test_a_hole_that_ended_while_it_was_asked_about_is_asked_about_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exchange_fill, "CALM", 0)
    feed, now = MarketFeed("m"), time.time_ns()
    feed.trades([trade(1)], now)
    feed.lost("disconnect")
    feed.back(now - CALM)
    feed.look(now, heard=None)
    [hole] = feed.wishes()

    class Overtaken(Rest):
        async def behind(self, last: Traded, until: Traded | None) -> AsyncIterator[list[Traded]]:
            async for page in super().behind(last, until):
                yield page
            if until is None:
                feed.trades([trade(4)], now)
                feed.failed(hole, now)

    rest = Overtaken([[trade(2)]], [[trade(2), trade(3)]])
    asyncio.run(Filling(feed, rest, lambda: None).fill(hole))
    assert rest.asked == [("1", None), ("1", "4")]
    assert [found.id for found in feed.late()] == ["2", "3"]


def test_it_is_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_fill, "LATER", 0.05)
    monkeypatch.setattr(feed_module, "PATIENCE", -1)
    tape, late, rest = outcome(*[NotYetError("later")] * 10_000)
    assert (tape, late) == ([1, "Gap", 5], [])
    assert rest.asked


def test_what_rest_cannot_read_is_on_the_tape() -> None:
    feed, hole = broken()
    rest = Rest([[trade(2), trade(3), trade(4)]])
    rest.rejects.append(Reject("m", 1, "price", "{}"))
    asyncio.run(Filling(feed, rest, lambda: None).fill(hole))
    assert any(isinstance(event, Reject) for event in feed.take())
    assert not rest.rejects
