"""Numbers an exchange is asked for: told when they are new, and no failure ends it."""

import asyncio
from collections.abc import Mapping

import ccxt
import pytest

from connectors.exchange.poller import Poller
from connectors.venue.venue import Json, VenueError, connect
from schemas import MINUTE, SECOND, Event, Value
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import made

NOW = 1_800_000_000_000_000_000
HOURS = 8 * 3600
"""Seconds from one funding to the next."""


class Perpetual:
    """A market whose funding rate is what it is told to be."""

    id = "some"
    has: Mapping[str, object] = {"fetchFundingRate": True, "fetchOpenInterest": False}

    def __init__(self, *answers: object) -> None:
        self.answers = [*answers]

    def market(self, symbol: str) -> Json:
        return {"contract": ":" in symbol}

    async def fetch_funding_rate(self, symbol: str) -> Json:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"fundingRate": answer, "timestamp": 1_000}


def asked(times: list[int], *answers: object) -> tuple[list[Event], Poller]:
    events: list[Event] = []
    clock = iter(times)
    venue = Perpetual(*answers)
    poller = Poller(venue, "A/B:B", ["funding"], 1.0, events.append, lambda: next(clock))  # type: ignore[arg-type]

    async def rounds() -> None:
        for _ in range(len(answers)):
            await poller.ask("funding")

    asyncio.run(rounds())
    return events, poller


def test_a_number_is_told_when_it_is_new_and_each_five_minutes() -> None:
    times = [NOW, NOW + 1, NOW + 2, NOW + 2 + 5 * MINUTE]
    events, _ = asked(times, 0.1, 0.1, 0.2, 0.2)
    stamp = 1_000_000_000
    assert events == [
        Value("some:A/B:B", stamp, "funding", 0.1, received=times[0]),
        Value("some:A/B:B", stamp, "funding", 0.2, received=times[2]),
        Value("some:A/B:B", stamp, "funding", 0.2, received=times[3]),
    ]


def test_failures_are_counted_and_told_and_end_nothing() -> None:
    lost = ccxt.NetworkError("some GET https://me:sesame@proxy/ timed out\nand more")
    events, poller = asked([NOW, NOW + 1], 0.1, lost, None, float("nan"))
    assert (len(events), poller.failures) == (1, {"funding": 3})
    assert poller.trouble == {"funding": "ValueError: fundingRate nan is not a finite number"}
    events, poller = asked([NOW, NOW + 1], 0.1, lost)
    assert poller.trouble == {"funding": "NetworkError: some GET https://proxy/ timed out and more"}
    events, poller = asked([NOW, NOW + 1], lost, 0.1)
    assert (len(events), poller.failures, poller.trouble) == (1, {"funding": 1}, {})


@pytest.mark.parametrize(
    ("symbol", "series", "why"),
    [
        ("A/B", "funding", "some tells no funding of A/B: only of contracts"),
        ("A/B:B", "open_interest", "some tells no open_interest of A/B:B"),
        ("A/B:B", "mood", "'mood' is unknown: choose from funding, funding_due, open_interest"),
    ],
)
def test_what_an_exchange_cannot_tell_is_refused(symbol: str, series: str, why: str) -> None:
    with pytest.raises(VenueError, match=why):
        Poller(Perpetual(), symbol, [series], 1.0, print)  # type: ignore[arg-type]


def test_a_real_client_tells_all_until_it_is_cancelled() -> None:
    events: list[Event] = []

    async def poll(url: str) -> None:
        venue = connect("binance", url)
        try:
            await venue.load_markets()
            names = ["funding", "funding_due", "open_interest"]
            seen = asyncio.Event()

            def emit(event: Event) -> None:
                events.append(event)
                if len(events) == len(names):
                    seen.set()

            task = asyncio.create_task(Poller(venue, "BTC/USDT:USDT", names, 0.01, emit).run())
            await asyncio.wait_for(seen.wait(), 60)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        finally:
            await venue.close()

    with BinanceStandIn([made(10, kind="usdm")]) as exchange:
        asyncio.run(poll(exchange.url))
    told = {e.series: e for e in events[:3] if isinstance(e, Value)}
    assert [*told] == ["funding", "funding_due", "open_interest"]
    assert {e.market for e in told.values()} == {"binance:BTC/USDT:USDT"}
    due, now = told["funding_due"].value, told["funding_due"].ts / SECOND
    assert (due % HOURS, 0 < due - now <= HOURS) == (0, True)
