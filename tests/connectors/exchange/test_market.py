"""One market: what its streams bring is read as it should be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from connectors.exchange.handing import Outbox
from connectors.exchange.market import QUIET, SOON, MarketWatch
from connectors.exchange.wire import Wire
from connectors.venue.venue import Json, Venue
from schemas import SECOND, Book, Event, Gap, Reject, Trades


def told(id_: str = "1", **changes: object) -> Json:
    trade = {"id": id_, "timestamp": 7, "price": 2.0, "amount": 3.0, "side": "buy", "info": {}}
    return {**trade, **changes}


class Told:
    """A market whose streams bring what a test says."""

    def __init__(self, room: int = 100) -> None:
        self.outbox = Outbox(room)
        self.trades: list[Json] = []
        self.books: list[Json] = []
        self.kept: dict[str, list[Json]] = {}
        venue = SimpleNamespace(
            id="kucoin",
            has={},
            trades=self.kept,
            watch_trades=self._trades,
            watch_order_book=self._book,
        )
        self.market = MarketWatch(
            "kucoin:A/B", cast("Venue", venue), "A/B", cast("Wire", None), self.outbox,
            lambda market, trades: None, self._spawn,
        )  # fmt: skip

    async def _trades(self, symbol: str) -> Sequence[Json]:
        assert symbol == "A/B"
        return self.trades

    async def _book(self, symbol: str) -> Json:
        assert symbol == "A/B"
        return self.books[-1]

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        work.close()

    def read_trades(self, *trades: Json) -> list[Event]:
        self.trades = [*trades]
        asyncio.run(self.market._read_trades())
        return self.drained()

    def read_book(self, **book: Any) -> list[Event]:  # noqa: ANN401 - ccxt's
        self.books.append({"timestamp": 7, "nonce": 9, **book})
        asyncio.run(self.market._read_book())
        return self.drained()

    def drained(self) -> list[Event]:
        return [event for _, strip in self.outbox.drain() for event in strip]


def test_what_was_taken_from_ccxt_is_not_kept_there() -> None:
    market = Told()
    kept = market.kept["A/B"] = [told("1"), told("2")]
    market.read_trades(*kept)
    assert kept == []


def test_what_ccxt_keeps_at_a_loss_came_in_front_of_it() -> None:
    market = Told()
    kept = market.kept["A/B"] = [told("1")]
    market.market.lost(market.market.trades, "disconnect")
    assert kept == []
    first, gap, last = market.read_trades(told("3", timestamp=9))
    assert isinstance(first, Trades)
    assert isinstance(gap, Gap)
    assert isinstance(last, Trades)


def test_no_book_passes_the_trades_that_ccxt_keeps() -> None:
    market = Told()
    now = time.time_ns()
    market.market.wire = cast("Wire", SimpleNamespace(heard=lambda _: now + 10 * SECOND))
    market.read_trades(told("1"))
    market.read_book(timestamp=9_000, bids=[[1.0, 1.0]], asks=[[2.0, 1.0]])
    kept = market.kept["A/B"] = [told("2")]
    market.market.look(now + 10 * SECOND)
    assert market.drained() == []
    kept.clear()
    market.market.look(now + 10 * SECOND)
    assert [type(event) for event in market.drained()] == [Book]


def test_what_ccxt_keeps_of_a_connection_that_is_lost_again_is_behind_the_loss() -> None:
    market = Told()
    market.read_trades(told("1"))
    market.market.lost(market.market.trades, "disconnect")
    kept = market.kept["A/B"] = [told("3")]
    market.market.lost(market.market.trades, "disconnect")
    assert kept == []


@pytest.mark.parametrize("bad", [{"price": None}, {"amount": -1.0}, {"timestamp": None}])
def test_a_trade_that_cannot_be_one_is_a_reject_in_its_place(bad: Json) -> None:
    first, reject, last = Told().read_trades(told("1"), told("2", **bad), told("3"))
    assert isinstance(first, Trades)
    assert isinstance(last, Trades)
    assert isinstance(reject, Reject)
    assert reject.payload == "{}"


def test_what_comes_while_the_consumer_is_slow_is_a_hole() -> None:
    market = Told(room=1)
    market.outbox.put("x", [Reject("x", 1, "", "")])
    market.trades = [told("1")]
    asyncio.run(market.market._read_trades())
    assert market.market.feed.away
    assert market.market.feed.counts.trades == 0


def test_a_book_is_cut_to_its_best_levels_without_what_ccxt_adds() -> None:
    market = Told()
    market.read_trades(told("1"))
    levels = [[100.0 - n, 1.0 + n, 5] for n in range(30)]
    [book] = market.read_book(bids=levels, asks=[[200.0, 1.0, 5]])
    assert isinstance(book, Book)
    assert book.bids == [(100.0 - n, 1.0 + n) for n in range(10)]
    assert (book.ts, book.sequence) == (7_000_000, 9)


def test_a_book_without_a_stamp_or_a_sequence_has_the_exchange_s_time() -> None:
    market = Told()
    market.read_trades(told("1"))
    [book] = market.read_book(bids=[[1.0, 1.0]], asks=[[2.0, 1.0]], timestamp=None, nonce=None)
    assert isinstance(book, Book)
    assert book.sequence == -1
    assert 7_000_000 <= book.ts < 7_000_000 + 60 * SECOND


def test_a_busy_market_is_suspected_sooner_than_a_quiet_one() -> None:
    market = Told().market
    now = market._traded_at
    for _ in range(200):
        now += SECOND // 50
        market._heard(now)
    assert market._check_after == SOON
    for _ in range(200):
        now += 60 * SECOND
        market._heard(now)
    assert market._check_after == QUIET
