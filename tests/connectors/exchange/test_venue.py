"""All markets of one exchange: what it says of them, and what is nobody's message."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.exchange import venue as exchange_venue
from connectors.exchange.instrument import instrument
from connectors.venue.answers import listed
from connectors.venue.venue import Json
from schemas import Instrument, Reject, Value
from tests.connectors.taking import taking
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made
from tests.standin.okx import OkxStandIn


def test_an_instrument_is_told_again_as_it_is_then_for_who_begins_in_the_middle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(exchange_venue, "RELOAD", 0.1)
    told = instrument

    def changed(name: str, market: Json, mode: int, ts: int, *, summed: bool) -> Instrument:
        contract = 1 if standin.trouble.counts["requests"] < 12 else 2
        return told(name, {**market, "contractSize": contract}, mode, ts, summed=summed)

    monkeypatch.setattr(exchange_venue, "instrument", changed)
    standin = BinanceStandIn([made(100)])
    with taking(standin) as taken:
        taken.until(lambda: any(event.contract_size == 2 for event in taken.events(Instrument)))
        sizes = [event.contract_size for event in taken.events(Instrument)]
        assert len(sizes) > 2
        assert sizes == sorted(sizes)


def test_a_market_that_is_there_no_more_is_told_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fewer(venue: Any) -> dict[str, Json]:  # noqa: ANN401 - ccxt's own
        known = await listed(venue)
        if standin.connections:
            del known["ETH/USDT"]
            venue.set_markets(known)
        return known

    monkeypatch.setattr(exchange_venue, "RELOAD", 0.1)
    monkeypatch.setattr(exchange_venue, "listed", fewer)
    standin = BinanceStandIn([made(100), made(100, symbol="ETHUSDT")])
    with taking(standin) as taken:
        gone = "binance:ETH/USDT: binance has no such market any more"
        taken.until(lambda: gone in taken.source.troubles)
        taken.play(100, "spot:BTCUSDT")


def test_numbers_that_cannot_be_had_are_told() -> None:
    asks = exchange_venue.Asks(["funding"], 0.1)
    with taking(BinanceStandIn([made(50, kind="usdm")]), asks=asks) as taken:
        taken.until(lambda: taken.events(Value))
        taken.standin.trouble.fail(503, times=20)
        said = "binance:BTC/USDT:USDT: binance does not tell funding ("
        taken.until(lambda: [line[: len(said)] for line in taken.source.troubles] == [said])
        taken.until(lambda: not taken.source.troubles)


def test_a_message_that_cannot_be_read_is_on_the_tape_of_its_market() -> None:
    captures = [made(100), made(100, symbol="ETHUSDT")]
    markets = [capture.name for capture in captures]
    with taking(BinanceStandIn(captures)) as taken:
        for market in markets:
            taken.play(50, market)
        taken.standin.trouble.malform(2)
        for market in markets:
            taken.play(100, market)
        for market in markets:
            taken.until(lambda market=market: taken.events(Reject, market))  # type: ignore[misc]
            [reject] = taken.events(Reject, market)
            assert f'"{market.removeprefix("spot:")}"' in reject.payload
            taken.until(lambda market=market: len(taken.ids(market)) == 100)  # type: ignore[misc]
            assert taken.ids(market) == [*range(1, 101)]


def test_on_a_connection_of_many_markets_the_message_itself_tells_whose_it_is() -> None:
    captures = [made(100, symbol=symbol) for symbol in ("BTCUSDT", "ETHUSDT")]
    with taking(OkxStandIn(captures, aggregated=False)) as taken:
        for capture in captures:
            taken.play(50, capture.name)
        taken.standin.trouble.malform()
        taken.standin.play()
        taken.until(lambda: any(taken.events(Reject, capture.name) for capture in captures))
        for name, unit in (("spot:BTCUSDT", "BTC-USDT"), ("spot:ETHUSDT", "ETH-USDT")):
            for reject in taken.events(Reject, name):
                assert f'"{unit}"' in reject.payload
            taken.until(lambda name=name: 100 in taken.ids(name))  # type: ignore[misc]
