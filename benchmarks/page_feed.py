"""A market for the page, put into the embedded log at a given rate; a process of its own.

Its tape runs ahead of the clock: whatever the rate, so many trades are a minute. So that whoever
sees a trade can tell how long it was on the way, a heartbeat behind it says the time of the clock.

It obeys lines on standard input: each is a rate, trades a second from then on, and is answered with
how many trades there are so far.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from benchmarks.page_history import EACH, MARKET, PAST, START
from connectors.log.log import Appender
from infra.log.log import MarketLog
from infra.settings import Settings
from schemas import MINUTE, Book, Heartbeat, Levels, Trades
from schemas.wire import encode

_TICK_SECONDS = 0.002
_BOOK_SECONDS = 0.1
_LEVELS = 10


class Feed:
    """Puts one trade after the other into the log."""

    def __init__(self, appender: Appender) -> None:
        self._appender = appender
        self._next_book = 0.0
        self.sent = 0
        self.rate = 0.0

    def play(self) -> None:
        """Send at the rate, for ever."""
        due, last = 0.0, time.monotonic()
        while True:
            now = time.monotonic()
            due, last = due + (now - last) * self.rate, now
            for _ in range(int(due)):
                self._trade()
            if due >= 1:
                self._mark(now)
            due %= 1
            self._appender.flush()
            time.sleep(_TICK_SECONDS)

    def _trade(self) -> None:
        ts = START + PAST * MINUTE + self.sent * MINUTE // EACH
        price, side = round(_price(self.sent), 1), 1 if self.sent % 3 else -1
        trade = Trades.of(MARKET, [ts], [price], [0.01], [side], [str(self.sent + 1)])
        self._appender.append(MARKET, encode(trade))
        self.sent += 1

    def _mark(self, now: float) -> None:
        ts = time.time_ns()
        if now >= self._next_book:
            self._next_book = now + _BOOK_SECONDS
            bids, asks = (_side(_price(self.sent), way) for way in (-1, 1))
            self._appender.append(MARKET, encode(Book(MARKET, ts, bids, asks)))
        self._appender.append(MARKET, encode(Heartbeat(MARKET, ts)))


def _side(price: float, way: int) -> Levels:
    return [(round(price + way * (k + 1) / 10, 1), 0.1 * (k + 1)) for k in range(_LEVELS)]


def _price(number: int) -> float:
    minute = PAST + number / EACH
    return 60_000 + 300 * math.sin(minute / 40) + 90 * math.sin(minute / 7)


def main(home: Path) -> None:
    """Feed until standard input ends."""
    with closing(MarketLog(Settings(home)).client()) as appender:
        feed = Feed(appender)
        threading.Thread(target=feed.play, daemon=True).start()
        for line in sys.stdin:
            feed.rate = float(line)
            print(feed.sent, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
