"""What perpetuals paid is asked for, and told to the blotter payment by payment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from decimal import Decimal
from typing import cast

from connectors.blotter.actions import Action
from connectors.blotter.blotter import Blotter
from connectors.executor.funding import Funding
from connectors.executor.troubles import Troubles
from tests.connectors.desk import COIN, NAMES, PERPETUAL, binance, place, venue
from tests.standin.binance import BinanceStandIn


class _Blotter:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, Decimal, str]] = []

    def markets(self) -> set[str]:
        return {COIN, PERPETUAL}

    def funded(
        self, market: str, payment: str, amount: Decimal, currency: str, _now: int
    ) -> list[Action]:
        self.told.append((market, payment, amount, currency))
        return []


def _done(_actions: Iterable[Action]) -> None:
    """Nothing follows."""


def test_each_payment_of_a_perpetual_is_told_exactly() -> None:
    async def run(exchange: BinanceStandIn) -> None:
        blotter, lines = _Blotter(), list[str]()
        async with venue(exchange) as client:
            funding = Funding(
                client,
                cast("Blotter", blotter),
                lambda _: None,
                time.time_ns,
                Troubles(lines.append),
            )
            await client.send(place("a1", PERPETUAL, amount="2.00"))
            exchange.call(lambda: exchange.trading.fund(NAMES[PERPETUAL], Decimal("0.0001")))
            await funding.ask()
            ((market, payment, amount, currency),) = blotter.told
            assert (market, currency) == (PERPETUAL, "USDT")
            last = exchange.trading.engines[NAMES[PERPETUAL]].last
            assert amount == -2 * last * Decimal("0.0001")
            assert payment
            await funding.ask()
            assert {paid[1] for paid in blotter.told} == {payment}
            assert not lines

    with binance() as exchange:
        asyncio.run(run(exchange))


def test_a_question_that_fails_is_told_and_asked_again() -> None:
    async def run(exchange: BinanceStandIn) -> None:
        blotter, lines = _Blotter(), list[str]()
        async with venue(exchange) as client:
            funding = Funding(
                client,
                cast("Blotter", blotter),
                lambda _: None,
                time.time_ns,
                Troubles(lines.append),
            )
            exchange.order_trouble.fail(503, "read")
            await funding.ask()
            await funding.ask()
        assert [line.endswith("all right again") for line in lines] == [False, True]

    with binance() as exchange:
        asyncio.run(run(exchange))
