"""Markets that go straight into the log at a steady rate, and a flow that trades in them a lot."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from random import Random

from benchmarks.order_exchange import SYMBOLS
from connectors.log.client import LogClient
from infra.settings import Settings
from schemas import Book, Instrument, Trades
from schemas.wire import encode

MARKETS = 10
FLOW = "in_and_out"
_BOOK_EVERY = 10
"""One event of so many is a book, the others are trades."""
_CANDLE_SECONDS = 0.5
_TICK_SECONDS = 0.000_5
_RULES = '''
"""In with one candle, out with the next."""

from operators import Barriers, Moment, Signal, Tape, candles, entries, leave, long, quote, trade
from schemas import Candle

TICKS = {ticks}


def in_and_out(now: Moment) -> Signal | None:
    inside = int(now.candle.last_id) // TICKS % 2
    return leave("out") if inside else long(quote(200), reason="in")


def strategy(tape: Tape) -> Tape:
    tape = candles("candles", tape, ticks=TICKS)
    tape = entries("entries", tape, on=Candle, rule=in_and_out)
    return trade("trade", tape, barriers=Barriers(stop_loss=0.5, take_profit=0.5))
'''


def flow(settings: Settings, rate: float) -> Path:
    """Write a flow that decides each half second in each market, where so many events come."""
    ticks = max(round(rate * (1 - 1 / _BOOK_EVERY) / MARKETS * _CANDLE_SECONDS), 1)
    path = settings.home / f"{FLOW}.py"
    path.write_text(_RULES.format(ticks=ticks))
    return path


class Market:
    """Trades and books at a steady rate, of one market or another at random.

    A trade's time is when it was handed to the log, so an order tells when its cause was.

    Parameters
    ----------
    client
        Of the log.
    rate
        Events a second, of all markets together.

    """

    def __init__(self, client: LogClient, rate: float) -> None:
        self._client, self._rate = client, rate
        self._random = Random(3)  # noqa: S311 - a market, no secret
        self._names = [f"binance:{SYMBOLS.format(n)}/USDT:USDT" for n in range(MARKETS)]
        self._ids = dict.fromkeys(self._names, 0)
        self._sent = 0
        rules = (Decimal("0.1"), Decimal("0.01"), Decimal(100), Decimal(1))
        for name in self._names:
            client.append(name, encode(Instrument(name, time.time_ns(), *rules)))
        client.flush()

    def play(self, seconds: float) -> float:
        """Let so much time pass; return how many events a second it came to."""
        begun, first = time.monotonic(), self._sent
        while (passed := time.monotonic() - begun) < seconds:
            for _ in range(self._sent - first, int(passed * self._rate)):
                self._event()
            time.sleep(_TICK_SECONDS)
        return (self._sent - first) / passed

    def _event(self) -> None:
        name, now = self._random.choice(self._names), time.time_ns()
        event: Book | Trades
        if self._sent % _BOOK_EVERY:
            self._ids[name] += 1
            event = Trades.of(name, [now], [103.0], [1.0], id=[self._ids[name]])
        else:
            event = Book(name, now, [(102.9, 50.0)], [(103.1, 50.0)])
        self._client.append(name, encode(event))
        self._sent += 1
