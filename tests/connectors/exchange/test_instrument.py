"""Instruments: the exchange's numbers, exactly."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from connectors.exchange.instrument import instrument
from connectors.venue.venue import Json, connect
from schemas.wire import decode, encode

PLACES, DIGITS, TICK = 2, 3, 4


def market(**changes: object) -> Json:
    return {"precision": {"amount": 0.001, "price": 0.1}, "limits": {}, **changes}


@pytest.mark.parametrize(
    ("price", "text"),
    [(0.1, "0.1"), (1e-08, "0.00000001"), (0.00025, "0.00025"), (5.0, "5"), (100, "100")],
)
def test_a_step_is_the_number_that_the_exchange_wrote(price: float, text: str) -> None:
    found = instrument("m", market(precision={"amount": price, "price": price}), TICK, 7)
    assert (f"{found.tick:f}", f"{found.lot:f}") == (text, text)


def test_a_precision_may_be_a_count_of_places() -> None:
    found = instrument("m", market(precision={"amount": 3, "price": 0}), PLACES, 7)
    assert (found.tick, found.lot) == (Decimal(1), Decimal("0.001"))


def test_significant_digits_are_no_step() -> None:
    limits = {"amount": {"min": 0.02}}
    told = market(precision={"amount": 5, "price": 5}, limits=limits)
    found = instrument("m", told, DIGITS, 7)
    assert (found.tick, found.lot) == (None, Decimal("0.02"))


def test_what_is_not_told_is_none_or_changes_nothing() -> None:
    found = instrument("m", {"precision": None, "limits": None}, TICK, 7)
    assert [found.tick, found.lot, found.min_notional] == [None, Decimal(0), Decimal(0)]
    assert [found.contract_size, found.maker_fee, found.taker_fee] == [Decimal(1), None, None]


def test_a_contract_and_its_fees_are_told() -> None:
    limits = {"cost": {"min": 5.0}}
    told = market(contractSize=0.01, maker=0.0002, taker=0.0005, limits=limits)
    found = instrument("m", told, TICK, 7)
    assert found.min_notional == Decimal(5)
    assert found.contract_size == Decimal("0.01")
    assert (found.maker_fee, found.taker_fee) == (Decimal("0.0002"), Decimal("0.0005"))
    assert decode(encode(found)) == found


def test_the_ways_to_count_are_those_of_ccxt() -> None:
    async def modes() -> set[int]:
        venues = [connect(exchange) for exchange in ("binance", "okx", "kraken", "bitfinex")]
        try:
            return {venue.precisionMode for venue in venues}  # type: ignore[attr-defined]
        finally:
            for venue in venues:
                await venue.close()

    assert asyncio.run(modes()) <= {PLACES, DIGITS, TICK}
