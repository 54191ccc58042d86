"""What a simulated feed says besides trades: books that fit them, and heartbeats in silence."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from connectors.simulated.book import LEVELS, Said, SimulatedFeed
from connectors.simulated.market import HOUR, Hour, SimulatedMarket
from schemas import SECOND, Book, Heartbeat, Position
from schemas.wire import decode

BTC = "sim:BTC/USDT"
START = 473_352 * HOUR
AT = Position("", 0)
LEAD = SECOND // 50


def feed(
    book_every: float | None, heartbeat_every: float | None, rate: float = 20.0, count: int = 3
) -> list[tuple[Hour, list[Said]]]:
    """Return some hours of a market, and what its feed says in each."""
    market = SimulatedMarket(BTC, 1, rate, 0.5)
    feed = SimulatedFeed(BTC, 1, market.grid, book_every, heartbeat_every)
    starts = [START + n * HOUR for n in range(count)]
    hours = [market.hour(start) for start in starts]
    return [(h, feed.of(h, s, s + HOUR)) for h, s in zip(hours, starts, strict=True)]


def books(said: list[Said]) -> list[tuple[Said, Book]]:
    events = [(found, decode(found.message, AT)) for found in said]
    return [(found, event) for found, event in events if isinstance(event, Book)]


def test_the_same_seed_says_the_same() -> None:
    assert [said for _, said in feed(1.0, 10.0)] == [said for _, said in feed(1.0, 10.0)]


def test_bids_are_below_asks_and_levels_go_away_from_them() -> None:
    found = [book for _, said in feed(1.0, None) for _, book in books(said)]
    assert len(found) > 100
    for book in found:
        bids, asks = ([price for price, _ in side] for side in (book.bids, book.asks))
        assert bids[0] < asks[0]
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        assert len(bids) == len(asks) == LEVELS
        assert all(size > 0 for _, size in (*book.bids, *book.asks))
    assert [book.sequence for book in found] == list(range(1, len(found) + 1))


def test_the_order_behind_a_book_prints_at_its_touch_and_finds_its_size_there() -> None:
    grid = SimulatedMarket(BTC, 1, 20.0, 0.5).grid
    for hour, said in feed(1.0, None):
        for found, book in books(said):
            price = hour.price[found.trade] / 10**grid.price_places
            size = hour.size[found.trade] / 10**grid.size_places
            best = book.asks[0] if hour.side[found.trade] > 0 else book.bids[0]
            assert best[0] == price
            assert best[1] >= size
            assert hour.opens[found.trade]


def test_a_book_comes_shortly_before_its_order_and_not_before_the_one_in_front() -> None:
    for hour, said in feed(1.0, None):
        for found, book in books(said):
            ts = int(hour.ts[found.trade])
            assert found.ts == book.ts
            assert ts - LEAD < book.ts <= ts
            assert found.trade == 0 or book.ts >= hour.ts[found.trade - 1]


def test_a_new_book_comes_when_the_last_is_too_old_and_not_sooner() -> None:
    last = None
    for hour, said in feed(5.0, None):
        orders = np.flatnonzero(hour.opens)
        by_trade = dict(books_of(said))
        for trade in orders.tolist():
            ts = int(hour.ts[trade])
            due = last is None or ts > last + 5 * SECOND
            assert (trade in by_trade) == due
            last = by_trade.get(trade, last)


def books_of(said: list[Said]) -> list[tuple[int, int]]:
    return [(found.trade, found.ts) for found, _ in books(said)]


@pytest.mark.parametrize("rate", [0.02, 1.0, 20.0])
def test_no_silence_is_longer_than_the_heartbeat(rate: float) -> None:
    signs = [START]
    for hour, said in feed(None, 10.0, rate):
        assert all(isinstance(decode(found.message, AT), Heartbeat) for found in said)
        signs += [*hour.ts.tolist(), *(found.ts for found in said)]
    signs = [*sorted(signs), START + 3 * HOUR]
    assert all(b - a <= 10 * SECOND for a, b in pairwise(signs))
    if rate < 1:
        assert len(signs) > 900, "it was quiet"


def test_what_is_said_is_in_order_and_stands_between_the_right_trades() -> None:
    for hour, said in feed(1.0, 10.0, rate=2.0):
        assert [(f.trade, f.ts) for f in said] == sorted((f.trade, f.ts) for f in said)
        for found in said:
            assert found.trade == 0 or hour.ts[found.trade - 1] <= found.ts
            assert found.trade == len(hour.ts) or found.ts <= hour.ts[found.trade]


def test_a_feed_without_either_says_nothing() -> None:
    assert all(said == [] for _, said in feed(None, None))
