"""A market that a test makes as it goes, and a flow that trades in it a lot."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from connectors.log.log import Appender
from infra.log.log import MarketLog, OrderQueue
from infra.settings import Settings
from schemas import MINUTE, SECOND, Book, Instrument, Time, Trades
from schemas.wire import encode
from tests.infra.rig import Rig

PATIENCE = 180.0
MARKETS = ("sim:A/USD", "sim:B/USD")
OFTEN = '''
"""Buy at every second."""

from datetime import timedelta

from operators import (
    Averages, Barriers, Moment, Signal, Tape, averages, candles, entries, long, quote, trade,
)

BARRIERS = Barriers(stop_loss=0.5, take_profit=0.5, timeout=timedelta(seconds=3))


def often(now: Moment) -> Signal | None:
    return long(quote(1_000), reason="often")


def strategy(tape: Tape) -> Tape:
    tape = candles("candles", tape, every=timedelta(seconds=1))
    tape = averages("averages", tape, sma=(1, 2))
    tape = entries("entries", tape, on=Averages, rule=often)
    return trade("trade", tape, barriers=BARRIERS)
'''
Seen: TypeAlias = "list[dict[str, Any]]"


class Feed:
    """Puts two trades and a book a second of tape time into the log, as fast as is asked for.

    It begins a minute ago, and is in the present from the first `until` on.
    """

    def __init__(self, client: Appender, markets: tuple[str, ...] = MARKETS) -> None:
        self._client, self._markets = client, markets
        self.at: Time = time.time_ns() - MINUTE
        for market in markets:
            rules = Instrument(
                market, self.at, Decimal("0.01"), Decimal("0.001"), Decimal(5), Decimal(1)
            )
            self._client.append(market, encode(rules))
        self._client.flush()

    def second(self) -> None:
        """Let a second pass in each market."""
        self.at += SECOND
        for market in self._markets:
            price = 100 + self.at // SECOND % 7 / 100
            book = Book(market, self.at, [(price - 0.01, 50.0)], [(price + 0.01, 50.0)])
            stamps = [self.at, self.at + SECOND // 2]
            for event in (book, Trades.of(market, stamps, [price] * 2, [1.0] * 2)):
                self._client.append(market, encode(event))
        self._client.flush()

    def until(self, seen: Callable[[], bool]) -> None:
        """Let time pass until something is seen."""
        deadline = time.monotonic() + PATIENCE
        self.at = max(self.at, time.time_ns())
        while not seen():
            assert time.monotonic() < deadline
            self.second()
            time.sleep(0.02)  # whoever reads it is another process

    def close(self) -> None:
        self._client.close()


@contextmanager
def feed(rig: Rig) -> Iterator[Feed]:
    """Give a home its log and a feed, and stop what was started for them."""
    settings = Settings(rig.home)
    made = Feed(MarketLog(settings).client())
    try:
        yield made
    finally:
        made.close()
        OrderQueue(settings).stop()
        MarketLog(settings).stop()


def kept(store: Path) -> Seen:
    """Return the events that a run has kept so far, but for a torn last line."""
    files = [path.read_bytes() for path in sorted(store.glob("*/events/*"))]
    return [json.loads(line) for text in files for line in text.split(b"\n")[:-1]]


def count(store: Path, kind: str, market: str = "") -> int:
    """Return how many events of a kind a run has kept so far."""
    begun = f'"type":"{kind}","market":"{market}'.encode()
    return sum(path.read_bytes().count(begun) for path in store.glob("*/events/*"))
