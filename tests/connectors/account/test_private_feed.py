"""What an exchange says by itself is heard, and what it did not say is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from connectors.account.account import TradingVenue
from connectors.account.orders import Deal, Known
from connectors.account.private_feed import PrivateFeed
from connectors.executor.troubles import Troubles
from tests.connectors.desk import (
    COIN,
    OKX,
    PERPETUAL,
    binance,
    engine,
    exchange_of,
    place,
    venue,
)
from tests.standin.binance import BinanceStandIn
from tests.standin.client import until
from tests.standin.connection import Connection
from tests.standin.exchange import StandIn
from tests.standin.report_trouble import PRIVATE

EACH = pytest.mark.parametrize("market", [COIN, PERPETUAL, OKX])


@dataclass
class Heard:
    """What was told."""

    told: list[Known | Deal] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def pushed(self, told: Known | Deal) -> None:
        self.told.append(told)

    def missed(self, market: str) -> None:
        self.asked.append(market)

    @property
    def deals(self) -> list[Deal]:
        return [told for told in self.told if isinstance(told, Deal)]

    def status(self, id_: str) -> str:
        """Return an order's last one; ccxt tells those in between only to who is quick."""
        told = [known.status for known in self.told if isinstance(known, Known) and known.id == id_]
        return told[-1] if told else ""


@asynccontextmanager
async def hearing(
    exchange: StandIn, client: TradingVenue, market: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Heard]:
    monkeypatch.setattr("connectors.account.private_feed.SETTLED", 0.1)
    heard = Heard()
    feed = PrivateFeed(client, heard, Troubles(heard.lines.append))
    feed.add(market)
    try:
        await until(lambda: len(heard.asked) >= 2)  # both of its streams have been asked for
        await until(lambda: any(_private(one) for one in [*exchange.connections]))
        await until(lambda: len({"myTrades" in name for name in _awaited(client)}) == 2)
        yield heard
    finally:
        await feed.stop()
        assert feed.failed() is None


def _awaited(client: TradingVenue) -> list[str]:
    """Return what ccxt waits for on its streams."""
    streams = client.client.clients.values()
    names = [name for stream in streams for name in stream.futures]
    return [name for name in names if "orders" in name or "myTrades" in name]


def _private(connection: Connection) -> bool:
    return any(topic.startswith(PRIVATE) for topic in [*connection.topics])


@EACH
def test_orders_and_fills_are_heard_as_they_are(
    market: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(exchange: StandIn) -> None:
        async with (
            venue(exchange) as client,
            hearing(exchange, client, market, monkeypatch) as heard,
        ):
            price = (engine(exchange, market).last * Decimal("0.9")).quantize(Decimal("0.1"))
            await client.send(place("a1", market, amount="1.50"))
            await client.send(place("b1", market, amount="2.00", kind="limit", price=price))
            await client.cancel("b1", market)
            await until(lambda: heard.deals and heard.status("b1") == "cancelled")
            assert heard.status("a1") == "filled"
            (order, deal), *more = exchange.accounts["main"].fills
            assert not more
            (told,) = heard.deals
            assert (told.trade_id, told.id) == (str(deal.id), order.wanted.client_id)
            assert (told.price, told.amount, told.fee) == (deal.price, deal.amount, deal.fee)

    with exchange_of(market) as exchange:
        asyncio.run(run(exchange))


@EACH
def test_a_stream_that_is_cut_is_opened_again_and_what_was_missed_is_asked_for(
    market: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(exchange: StandIn) -> None:
        async with (
            venue(exchange) as client,
            hearing(exchange, client, market, monkeypatch) as heard,
        ):
            before = len(heard.asked)
            await asyncio.to_thread(exchange.report_trouble.cut)
            await until(lambda: any("trying again" in line for line in heard.lines))
            await until(lambda: len(heard.asked) >= before + 4)
            assert {*heard.asked} == {market}
            await client.send(place("a1", market, amount="1.50"))
            await until(lambda: heard.deals)
            assert any(line.endswith("all right again") for line in heard.lines)

    with exchange_of(market) as exchange:
        asyncio.run(run(exchange))


def test_a_stream_is_entered_by_the_clock_of_the_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run(exchange: StandIn) -> None:
        exchange.order_trouble.skew(-70_000)
        async with venue(exchange) as client, hearing(exchange, client, OKX, monkeypatch) as heard:
            await client.send(place("a1", OKX))
            await until(lambda: heard.deals)
            assert not heard.lines

    with exchange_of(OKX) as exchange:
        asyncio.run(run(exchange))


def test_a_stop_that_has_become_another_order_is_heard_as_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run(exchange: StandIn) -> None:
        stop = place("s1", OKX, "sell", stop_price=Decimal(101), reduce_only=True)
        async with venue(exchange) as client:
            await client.send(place("a1", OKX, amount="1.50"))
            await client.send(stop)
        async with (
            venue(exchange) as another,
            hearing(exchange, another, OKX, monkeypatch) as heard,
        ):
            await asyncio.to_thread(exchange.play_until, line=400)
            await until(lambda: heard.deals and heard.status("s1") == "filled")
            assert {deal.id for deal in heard.deals} == {"s1"}
            ended = await another.find("s1", OKX)
            assert ended is not None
            assert {deal.exchange_id for deal in heard.deals} == {ended.exchange_id}

    with exchange_of(OKX) as exchange:
        asyncio.run(run(exchange))


def test_a_report_that_comes_twice_or_too_early_is_told_as_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run(exchange: BinanceStandIn) -> None:
        async with venue(exchange) as client, hearing(exchange, client, COIN, monkeypatch) as heard:
            exchange.report_trouble.repeat(4)
            await client.send(place("a1", amount="1.50"))
            await until(lambda: len(heard.deals) == 2)
            assert heard.deals[0] == heard.deals[1]

    with binance() as exchange:
        asyncio.run(run(exchange))


def test_an_exchange_that_tells_nothing_by_itself_is_asked_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("connectors.account.private_feed.POLL", 0.01)

    async def run(exchange: BinanceStandIn) -> None:
        async with venue(exchange) as client:
            client.client.has = {"watchOrders": None, "watchMyTrades": False}
            heard = Heard()
            feed = PrivateFeed(client, heard, Troubles(heard.lines.append))
            for market in [COIN, PERPETUAL, COIN]:
                feed.add(market)
            await until(lambda: len(heard.asked) > 10)
            await feed.stop()
            assert {*heard.asked} == {COIN, PERPETUAL}

    with binance() as exchange:
        asyncio.run(run(exchange))
