"""An account at an exchange, by ccxt's real client over sockets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from decimal import Decimal

import pytest

from connectors.account.account import GoneError, TradingVenue
from connectors.account.keys import AccountKeys
from connectors.account.orders import BusyError, DoubtfulError, Known, RefusedError
from connectors.venue.venue import Json, VenueError
from schemas import DAY, SECOND
from tests.connectors.desk import COIN, KEYS, PERPETUAL, binance, engine, place, venue
from tests.standin.account import KEY, PASSWORD, SECRET, Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made
from tests.standin.okx import OkxStandIn

OKX = "okx:BTC/USDT"
BOTH = pytest.mark.parametrize("market", [COIN, PERPETUAL])


def trading(
    work: Callable[[BinanceStandIn, TradingVenue], Coroutine[None, None, None]],
    account: Account | None = None,
) -> None:
    """Do something with an account's client at a stand-in."""

    async def run(exchange: BinanceStandIn) -> None:
        async with venue(exchange) as client:
            await work(exchange, client)

    with binance(account) as exchange:
        asyncio.run(run(exchange))


def below(exchange: BinanceStandIn, market: str) -> Decimal:
    """Return a price at which a buyer waits."""
    return (engine(exchange, market).last * Decimal("0.9")).quantize(Decimal("0.1"))


@BOTH
def test_a_market_order_is_filled_and_its_fill_is_told_exactly(market: str) -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        known = await client.send(place("order1", market, amount="1.23"))
        assert (known.id, known.market, known.status) == ("order1", market, "filled")
        assert known.filled == Decimal("1.23")
        (order,) = exchange.accounts["main"].orders
        assert await client.find("order1", market) == known
        deals = await client.deals(market, time.time_ns() - 60 * SECOND)
        assert [d.id for d in deals] == ["order1"] * len(order.deals)
        told = [(d.trade_id, d.price, d.amount, d.fee, d.fee_currency) for d in deals]
        assert told == [(str(d.id), d.price, d.amount, d.fee, d.fee_currency) for d in order.deals]
        assert sorted(await client.deals_of(market, "order1", known.exchange_id)) == sorted(deals)

    trading(work)


@BOTH
def test_amounts_and_prices_leave_as_they_are(market: str) -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        price = below(exchange, market)
        await client.send(place("order1", market, amount="12.34", kind="limit", price=price))
        (order,) = exchange.accounts["main"].orders
        assert (order.wanted.amount, order.wanted.price) == (Decimal("12.34"), price)

    trading(work)


@pytest.mark.parametrize(
    ("more", "why"),
    [({"amount": "1.001"}, "amount 1.001 is not in steps of 0.01"),
     ({"kind": "limit", "price": Decimal("90.05")}, "price 90.05 is not in steps of 0.1"),
     ({"stop_price": Decimal("90.05")}, "stop 90.05 is not in steps of 0.1")],
)  # fmt: skip
def test_what_would_be_rounded_does_not_leave(more: dict[str, str], why: str) -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        with pytest.raises(RefusedError, match=why):
            await client.send(place("order1", **more))  # type: ignore[arg-type]
        assert not exchange.order_trouble.counts["place"]

    trading(work)


@BOTH
def test_an_order_that_there_is_not_is_nothing_and_cannot_be_called_off(market: str) -> None:
    async def work(_exchange: BinanceStandIn, client: TradingVenue) -> None:
        assert await client.find("order1", market) is None
        with pytest.raises(GoneError, match="no open order order1"):
            await client.cancel("order1", market)

    trading(work)


@BOTH
def test_a_resting_order_is_open_until_it_is_called_off(market: str) -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        price = below(exchange, market)
        sent = await client.send(place("a1", market, amount="2.00", kind="post-only", price=price))
        assert sent.status == "open"
        assert await client.open_orders(market) == [sent]
        ended = await client.cancel("a1", market)
        assert ended is not None
        assert (ended.id, ended.status, ended.filled) == ("a1", "cancelled", Decimal(0))
        assert await client.open_orders(market) == []
        assert await client.find("a1", market) == ended

    trading(work)


def test_a_post_only_order_that_would_take_is_refused() -> None:
    async def work(_exchange: BinanceStandIn, client: TradingVenue) -> None:
        with pytest.raises(RefusedError, match="would immediately match"):
            await client.send(place("a1", kind="post-only", price=Decimal("150.0")))

    trading(work)


@pytest.mark.parametrize("remembered", [True, False])
@BOTH
def test_a_stop_rests_and_is_found_and_called_off_by_its_id(market: str, remembered: bool) -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        await client.send(place("a1", market, amount="2.00"))
        stop = below(exchange, market)
        sent = await client.send(
            place("s1", market, "sell", "1.00", stop_price=stop, reduce_only=True)
        )
        (order,) = exchange.accounts["main"].open_orders()
        assert (order.wanted.kind, order.wanted.stop_price) == ("stop", stop)
        assert order.wanted.reduce_only == (market == PERPETUAL)
        async with venue(exchange) as another:
            asked = client if remembered else another
            assert await asked.find("s1", market) == sent
            assert await asked.open_orders(market) == [sent]
            await asked.cancel("s1", market)
            ended = await asked.find("s1", market)
        assert ended is not None
        assert (ended.id, ended.status, ended.filled) == ("s1", "cancelled", Decimal(0))

    trading(work)


@BOTH
def test_a_stop_that_has_triggered_is_filled_and_its_fills_are_its_own(market: str) -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        await client.send(place("a1", market, amount="2.00"))
        last = engine(exchange, market).last
        stop = place("s1", market, "sell", "1.50", stop_price=last - Decimal("0.1"))
        await client.send(stop)
        await asyncio.to_thread(exchange.play_until, line=400)
        found = await client.find("s1", market)
        assert found is not None
        assert (found.id, found.status, found.filled) == ("s1", "filled", Decimal("1.50"))
        deals = await client.deals_of(market, "s1", found.exchange_id)
        assert sum(deal.amount for deal in deals) == Decimal("1.50")
        assert {deal.id for deal in deals} == {"s1"}
        assert not await client.open_orders(market)

    trading(work)


def test_what_is_held_is_the_balance_or_the_position() -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        account = exchange.accounts["main"]
        assert [await client.held(market) for market in (COIN, PERPETUAL)] == [0, 0]
        await client.send(place("a1", COIN, amount="2.00"))
        await client.send(place("a2", PERPETUAL, "sell", amount="3.00"))
        assert await client.held(COIN) == account.balance("BTC") == Decimal("1.999")
        assert await client.held(PERPETUAL) == Decimal("-3.00")
        # What a resting order has set aside is held, too.
        await client.send(place("s1", COIN, "sell", "1.00", stop_price=Decimal("90.0")))
        assert await client.held(COIN) == Decimal("1.999")

    trading(work)


@pytest.mark.parametrize("newest_first", [False, True])
def test_all_fills_are_told_piece_by_piece_each_once(
    newest_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.account.account._PAGE", 3)

    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        for number in range(8):
            await client.send(place(f"a{number}", amount="1.00"))
            await asyncio.sleep(0.002)
        done = [str(deal.id) for _, deal in exchange.accounts["main"].fills]
        ask = client.client.fetch_my_trades

        async def last(symbol: str, since: int, limit: int, params: Json) -> list[Json]:
            return (await ask(symbol, since, 500, params))[-limit:]

        if newest_first:
            monkeypatch.setattr(client.client, "fetch_my_trades", last)
        for days in (0, 2, 5):
            deals = await client.deals(COIN, time.time_ns() - days * DAY - 60 * SECOND)
            assert [deal.trade_id for deal in deals] == done

    trading(work)


def test_an_answer_that_is_lost_is_doubtful_and_the_order_can_be_found() -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        exchange.order_trouble.lose("place", after=True)
        with pytest.raises(DoubtfulError):
            await client.send(place("a1"))
        found = await client.find("a1", COIN)
        assert isinstance(found, Known)
        exchange.order_trouble.lose("place", after=False)
        with pytest.raises(DoubtfulError):
            await client.send(place("a2"))
        assert await client.find("a2", COIN) is None

    trading(work)


def test_an_order_whose_answer_was_lost_is_not_taken_twice_and_that_is_doubtful() -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        order = place("a1", kind="limit", amount="2.00", price=below(exchange, COIN))
        exchange.order_trouble.lose("place", after=True)
        for _ in range(2):
            with pytest.raises(DoubtfulError):
                await client.send(order)
        assert exchange.accounts["main"].ids == ["a1"]

    trading(work)


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_error_of_the_exchange_is_doubtful(status: int) -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        exchange.order_trouble.fail(status, "place")
        with pytest.raises(DoubtfulError):
            await client.send(place("a1"))

    trading(work)


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"), [(429, 7.0, 7.0), (429, None, 1.0), (418, None, 60.0)]
)
def test_who_is_busy_says_until_when(
    status: int, retry_after: float | None, seconds: float
) -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        exchange.order_trouble.fail(status, "place", retry_after=retry_after)
        with pytest.raises(BusyError) as told:
            await client.send(place("a1"))
        assert told.value.seconds == seconds
        assert not exchange.accounts["main"].orders

    trading(work)


def test_what_the_exchange_does_not_want_is_refused_with_its_words() -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        with pytest.raises(RefusedError, match="insufficient balance"):
            await client.send(place("a1", "binance:BTC/USDT", "sell", "5.00"))
        with pytest.raises(RefusedError, match="ReduceOnly"):
            await client.send(place("a2", PERPETUAL, "sell", "5.00", reduce_only=True))
        with pytest.raises(RefusedError, match="has no such market"):
            await client.send(place("a3", "binance:NO/SUCH"))
        assert not exchange.accounts["main"].orders

    trading(work)


@pytest.mark.parametrize("ahead", [90_000, -90_000])
def test_a_clock_that_is_off_is_set_and_the_order_goes_out_once(ahead: int) -> None:
    async def work(exchange: BinanceStandIn, client: TradingVenue) -> None:
        exchange.order_trouble.skew(ahead)
        known = await client.send(place("a1"))
        assert known.status == "filled"
        assert exchange.accounts["main"].ids == ["a1"]

    trading(work)


def test_keys_that_are_wrong_are_refused() -> None:
    async def work(exchange: BinanceStandIn) -> None:
        wrong = KEYS.__class__("main", "binance", "wrong-key", "wrong-secret")
        async with venue(exchange, wrong) as client:
            with pytest.raises(RefusedError) as told:
                await client.held(COIN)
            assert "wrong-" not in str(told.value)

    with binance() as exchange:
        asyncio.run(work(exchange))


def test_a_market_of_another_exchange_is_not_traded() -> None:
    async def work(_exchange: BinanceStandIn, client: TradingVenue) -> None:
        with pytest.raises(VenueError, match="not at binance, where the account is"):
            client.instrument("okx:BTC/USDT", 0)

    trading(work)


def test_okx_is_traded_likewise() -> None:
    """One account at another exchange, from a first order to a stop that has triggered."""

    async def work(exchange: OkxStandIn) -> None:
        keys = AccountKeys("main", "okx", KEY, SECRET, PASSWORD)
        async with venue(exchange, keys) as client:
            bought = await client.send(place("a1", OKX, amount="1.50"))
            found = await client.find("a1", OKX)
            assert found is not None
            assert found.exchange_id == bought.exchange_id
            assert (found.status, found.filled) == ("filled", Decimal("1.50"))
            (fill,) = await client.deals(OKX, time.time_ns() - 60 * SECOND)
            assert (fill.id, fill.amount, fill.fee_currency) == ("a1", Decimal("1.50"), "BTC")
            assert await client.held(OKX) == exchange.accounts["main"].balance("BTC")
            await client.send(place("b1", OKX, amount="2.00", kind="post-only", price=Decimal(90)))
            stop = Decimal(101)
            await client.send(place("s1", OKX, "sell", "1.00", stop_price=stop, reduce_only=True))
            assert {k.id for k in await client.open_orders(OKX)} == {"b1", "s1"}
            await client.cancel("b1", OKX)
            await asyncio.to_thread(exchange.play_until, line=400)
            ended = await client.find("s1", OKX)
            assert ended is not None
            assert (ended.id, ended.status, ended.filled) == ("s1", "filled", Decimal("1.00"))
            (fill,) = await client.deals_of(OKX, "s1", ended.exchange_id)
            assert (fill.id, fill.amount) == ("s1", Decimal("1.00"))
            assert await client.open_orders(OKX) == []
            assert await client.find("c1", OKX) is None

    with OkxStandIn([made(600)], accounts=[Account()]) as exchange:
        exchange.play_until(line=40)
        asyncio.run(work(exchange))


def test_an_instrument_is_exact_and_stops_can_rest() -> None:
    async def work(_exchange: BinanceStandIn, client: TradingVenue) -> None:
        found = client.instrument(PERPETUAL, 7)
        assert (found.tick, found.lot, found.ts) == (Decimal("0.1"), Decimal("0.01"), 7)
        assert [client.contract(market) for market in (COIN, PERPETUAL)] == [False, True]
        assert [client.stops(market) for market in (COIN, PERPETUAL)] == [True, True]

    trading(work)
