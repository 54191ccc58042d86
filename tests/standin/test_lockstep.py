"""Lock-step: an order gets at the stand-in what the paper broker gives it, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from operators.costs import Costs
from operators.entry import Entry
from operators.paper import PaperBroker, Part, Taken, Ticket, View
from schemas import SECOND, Book, Instrument, Time, Trades
from tests.standin.account import Account
from tests.standin.capture import Capture, made
from tests.standin.floor import Floor
from tests.standin.market import Market
from tests.standin.orders import Order, Wanted
from tests.standin.rules import Fees
from tests.standin.tape import tape
from tests.standin.trading import Trading

MUCH = {"USDT": Decimal(10**9), "BTC": Decimal(10**6)}


def sample(capture: Capture, count: int, seed: int) -> list[tuple[Time, int, Decimal]]:
    """Return times, sides and amounts of orders, some at one time, some for much of the book."""
    random = Random(seed)
    stamps = [trade.time * 1_000_000 for trade in capture.trades]
    found = []
    for _ in range(count):
        due = random.choice(stamps) + random.choice([0, 1, 3_000_000])
        amount = capture.lot * random.choice([5, 100, 500, 2_000, 5_000_000])
        found += [(due, random.choice([1, -1]), amount)] * random.choice([1, 1, 2])
    return sorted(found, key=lambda order: order[0])


def entered(capture: Capture) -> Iterator[Trades | Book]:
    """Yield what of a capture enters the tape of a flow, with the tape's times."""
    entry = Entry("flow")
    for _, event in tape(capture, "m"):
        yield from (out for out in entry(event) if isinstance(out, (Trades, Book)))


def on_paper(capture: Capture, orders: list[tuple[Time, int, Decimal]]) -> list[list[Part]]:
    broker, view, taken = PaperBroker(Costs()), View(), Taken()
    steps = Decimal(0), Decimal(1)
    view.instrument = Instrument("m", 0, capture.tick, capture.lot, *steps)
    open_ = [(n, Ticket(sign, due, amount)) for n, (due, sign, amount) in enumerate(orders)]
    found: list[list[Part]] = [[] for _ in orders]
    for event in entered(capture):
        now = event.ts.item(0) if isinstance(event, Trades) else event.ts
        price = event.price.item(0) if isinstance(event, Trades) else None
        for n, ticket in [*open_]:
            parts = broker.fill(ticket, now, price, view, taken)
            if parts is not None:
                found[n] = parts
                open_.remove((n, ticket))
        if isinstance(event, Book):
            view.book, taken = event, Taken()
        else:
            view.price = price
    return found


class Played:
    """A market at the stand-in, in lock-step."""

    def __init__(self, capture: Capture) -> None:
        account = Account(spot=MUCH, futures=MUCH, fees=Fees(Decimal(0), Decimal(0)))
        self.market, self.account = Market(capture), account
        ticks = count()
        self.trading = Trading({capture.name: self.market}, [account], lambda: next(ticks))
        self.trading.lockstep()

    def play(self, start: int, stop: int) -> None:
        for line in self.market.capture.lines[start:stop]:
            self.trading.before(self.market, line, 0)
            self.market.play(line, 0)
            self.trading.played(self.market, line)

    def order(self, number: int, due: Time, sign: int, amount: Decimal) -> Order:
        self.trading.at(due, f"id{number}")
        wanted = Wanted(self.market.name, sign, "market", amount, f"id{number}")
        return self.trading.place(self.account, wanted)


def parts(order: Order) -> list[Part]:
    return [Part(deal.price, deal.amount, Decimal(0)) for deal in order.deals]


def alike(capture: Capture, seed: int, come: int | None) -> list[Order]:
    """Compare orders that come before a line with the paper's; return them."""
    orders = sample(capture, 60, seed)
    played = Played(capture)
    lines = len(capture.lines)
    played.play(0, come or 0)
    placed = [played.order(n, *order) for n, order in enumerate(orders)]
    played.play(come or 0, lines)
    for n, (order, expected) in enumerate(zip(placed, on_paper(capture, orders), strict=True)):
        assert parts(order) == expected, f"order {n}, {orders[n]}"
    return placed


@pytest.fixture(scope="module")
def recorded(wire: Path) -> Capture:
    return Capture.read(wire / "binance_usdm_btcusdt_20240808.gz").until(6_000)


@pytest.mark.parametrize("come", ["before", "half-way", "behind"])
def test_orders_get_what_they_get_on_paper_whenever_they_come(recorded: Capture, come: str) -> None:
    lines = {"before": None, "half-way": 3_000, "behind": 6_000}[come]
    orders = alike(recorded, 11, lines)
    assert sum(len(order.deals) > 1 for order in orders) > 10
    assert sum(order.status == "expired" for order in orders) > 0
    assert sum(order.status == "filled" for order in orders) > 30


def test_without_a_fresh_book_an_order_gets_the_price_of_the_next_trade() -> None:
    capture = made(200)
    lines = capture.lines[:40]
    quiet = [line for line in capture.lines[40:] if line.stream == "trade"]
    orders = alike(Capture("spot", "BTCUSDT", [*lines, *quiet], capture.snapshot), 5, None)
    last_book = capture.trades[19].time * 1_000_000
    late = [o for o in orders if o.filled and len(o.deals) == 1 and o.wanted.amount > 100]
    assert late
    assert last_book + SECOND < capture.trades[-1].time * 1_000_000


class Limit(NamedTuple):
    due: Time
    sign: int
    amount: Decimal
    price: Decimal
    post_only: bool


def limits(capture: Capture, count: int, seed: int) -> list[Limit]:
    """Return limit orders around the price of their time."""
    random = Random(seed)
    found = []
    for trade in random.sample(capture.trades[50:], count):
        price = Decimal(trade.price) + capture.tick * random.randint(-80, 80)
        amount = capture.lot * random.choice([5, 100, 2_000])
        due = trade.time * 1_000_000 + random.choice([0, 2_000_000])
        found.append(Limit(due, random.choice([1, -1]), amount, price, random.random() < 0.3))
    return found


def on_tape(capture: Capture, order: Limit) -> tuple[list[tuple[Decimal, Decimal]], str]:
    """Return what a limit order alone gets by the rule of paper, and how it ends."""
    book = Book("m", -(1 << 62), [], [], stamp=-(1 << 62))
    fills: list[tuple[Decimal, Decimal]] = []
    left, arrived = order.amount, False
    for event in entered(capture):
        price = event.price.item(0) if isinstance(event, Trades) else None
        now = event.ts.item(0) if isinstance(event, Trades) else event.ts
        if not arrived and now >= order.due:
            arrived = True
            side = book.asks if order.sign > 0 else book.bids
            for level, size in side if now <= book.stamp + SECOND else []:
                if (Decimal(repr(level)) - order.price) * order.sign <= 0 and left:
                    if order.post_only:
                        return [], "cancelled"
                    fills.append((Decimal(repr(level)), min(left, Decimal(repr(size)))))
                    left -= fills[-1][1]
        through = price is not None and (Decimal(repr(price)) - order.price) * order.sign < 0
        if arrived and left and through:
            fills.append((order.price, left))
            left = Decimal(0)
        book = event if isinstance(event, Book) else book
    return fills, "filled" if not left else "partly" if fills else "new"


@pytest.mark.parametrize("come", [0, 2_000])
def test_limit_orders_take_rest_and_fill_as_on_paper(recorded: Capture, come: int) -> None:
    ends, capture = [], recorded.until(2_000)
    for number, limit in enumerate(limits(capture, 20, seed=2)):
        played = Played(capture)
        played.play(0, come)
        played.trading.at(limit.due)
        wanted = Wanted(capture.name, limit.sign, "limit", limit.amount, "id", limit.price)
        wanted = wanted._replace(post_only=limit.post_only)
        order = played.trading.place(played.account, wanted)
        played.play(come, 2_000)
        fills = [(deal.price, deal.amount) for deal in order.deals]
        assert (fills, order.status) == on_tape(capture, limit), f"{number}: {limit}"
        ends.append((order.status, any(d.maker for d in order.deals)))
    assert {*ends} >= {("filled", True), ("filled", False), ("new", False), ("cancelled", False)}


@pytest.mark.parametrize("come", [0, 100, 600])
def test_a_resting_order_fills_beyond_its_price_only_whenever_it_comes(come: int) -> None:
    capture = made(300)
    played = Played(capture)
    played.play(0, come)
    high = next(n for n, trade in enumerate(capture.trades) if n > 20 and trade.price > "106")
    limit = Decimal("100.50")
    played.trading.at(capture.trades[high].time * 1_000_000)
    order = played.trading.place(
        played.account, Wanted("spot:BTCUSDT", 1, "limit", Decimal(1), "id", limit)
    )
    later = [n for n in range(high + 1, 300) if Decimal(capture.trades[n].price) <= limit]
    at_price, beyond = later[0], next(n for n in later if Decimal(capture.trades[n].price) < limit)
    played.play(come, max(2 * at_price, come))
    assert order.filled == 0 or come > 2 * beyond
    played.play(max(2 * at_price, come), max(2 * beyond + 1, come))
    (deal,) = order.deals
    assert deal.price == limit
    assert deal.maker


def test_a_trade_at_its_price_does_not_fill_a_resting_order() -> None:
    floor = Floor()
    floor.trading.lockstep()
    floor.play(21)
    floor.trading.at(floor.market.trades[-1].time * 1_000_000)
    order = floor.order(1, "1", price="97.00")
    floor.trade("97.00", "1000")
    floor.trade("97.00", "1000")
    assert order.filled == 0
    floor.trade("96.99", "0.01")
    assert order.filled == 1


def test_a_stop_that_comes_late_sells_to_the_book_of_its_time() -> None:
    found = []
    for come in (22, 600):
        played = Played(made(300))
        played.play(0, come)
        played.trading.at(played.market.capture.trades[12].time * 1_000_000)
        stop = Decimal("100.50")
        wanted = Wanted("spot:BTCUSDT", -1, "stop", Decimal(3), "id", stop_price=stop)
        order = played.trading.place(played.account, wanted)
        played.play(come, 600)
        found.append(parts(order))
    assert found[0] == found[1] != []


def test_times_are_taken_in_lock_step_only() -> None:
    with pytest.raises(ValueError, match="lockstep"):
        Floor().trading.at(1)
