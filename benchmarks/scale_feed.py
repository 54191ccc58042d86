"""A feed of many markets into the embedded log, at a given rate; a process of its own.

It obeys lines on standard input: each is answered with how many trades it has sent; `RATE` alone,
a number, is the rate from then on. A past can be written first, as fast as the log takes it.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from connectors.log.log import Appender
from infra.log.log import MarketLog
from infra.settings import Settings
from schemas import MINUTE, Time, Trades
from schemas.wire import encode

_TICK_SECONDS = 0.002


class Feed:
    """Puts one trade after the other into the log, each in the next market."""

    def __init__(self, appender: Appender, markets: int) -> None:
        self._appender = appender
        self._names = [f"bench:M{number:03}/USDT" for number in range(markets)]
        self._prices = [100.0] * markets
        self._random = random.Random(1)  # noqa: S311 - the same market each time
        self._ids = time.time_ns() // 1_000
        self.sent = 0
        self.rate = 0.0

    def past(self, minutes: int, each: int) -> None:
        """Write minutes that have been, with so many trades of each market."""
        begin = time.time_ns() - minutes * MINUTE
        for turn in range(minutes * each):
            for market in range(len(self._names)):
                self._trade(market, begin + turn * MINUTE // each)
            if turn % 10 == 0:
                self._appender.flush()
        self._appender.flush()

    def play(self) -> None:
        """Send at the rate, for ever."""
        due, last = 0.0, time.monotonic()
        while True:
            now = time.monotonic()
            due, last = due + (now - last) * self.rate, now
            for _ in range(int(due)):
                self._trade(self.sent % len(self._names), time.time_ns())
                self.sent += 1
            due %= 1
            self._appender.flush()
            time.sleep(_TICK_SECONDS)

    def _trade(self, market: int, ts: Time) -> None:
        price = self._prices[market] * (1 + self._random.gauss(0, 2e-4))
        self._prices[market] = price
        self._ids += 1
        name, side = self._names[market], self._random.choice((-1, 1))
        trade = Trades.of(name, [ts], [round(price, 4)], [1.0], [side], [str(self._ids)])
        self._appender.append(name, encode(trade))


def main(home: Path, markets: int, minutes: int, each: int) -> None:
    """Feed until standard input ends."""
    with closing(MarketLog(Settings(home)).client()) as appender:
        feed = Feed(appender, markets)
        feed.past(minutes, each)
        print(feed.sent, flush=True)
        threading.Thread(target=feed.play, daemon=True).start()
        for line in sys.stdin:
            if line.strip():
                feed.rate = float(line)
            print(feed.sent, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
