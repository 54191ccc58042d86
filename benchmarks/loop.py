"""Job J as a plain loop, the yardstick: `python -m benchmarks.loop FILE` prints what it found.

One-minute candles with all the fields that ours have, SMA 5/20/60, long when SMA5 crosses above
SMA20 while the close is above SMA60, at the next trade; out at -0.2 %, +0.3 % or after 30 minutes,
at the next trade, too.
"""

import json
import sys
from collections import deque
from math import fsum
from time import perf_counter

import pyarrow.parquet as pq

MINUTE = 60_000_000_000
STOP, TAKE, TIMEOUT = 0.002, 0.003, 30 * MINUTE


class Market:
    """What the loop knows of one market."""

    __slots__ = (
        "before", "bought", "buys", "close", "closes", "count", "end", "first_id", "first_ts",
        "high", "last_id", "last_ts", "low", "open", "order", "position", "quote_volume", "sells",
        "sold", "volume",
    )  # fmt: skip

    def __init__(self, ts: int) -> None:
        self.end = ts - ts % MINUTE + MINUTE
        self.closes: deque[float] = deque(maxlen=60)
        self.before: tuple[float, float] | None = None
        self.position: tuple[float, float, float, int] | None = None
        self.order = ""
        self.first_id = self.last_id = self.first_ts = self.last_ts = 0

    def begin(self, price: float) -> None:
        """Begin a candle."""
        self.open = self.high = self.low = self.close = price
        self.volume = self.quote_volume = self.bought = self.sold = 0.0
        self.count = self.buys = self.sells = 0

    def end_candle(self) -> list[object]:
        """Return the candle, and see whether the averages cross."""
        close = self.close
        candle = [
            self.end - MINUTE, self.end, self.open, self.high, self.low, close, self.volume,
            self.quote_volume / self.volume if self.volume else close, self.count,
            self.bought, self.sold, self.buys, self.sells, self.quote_volume,
            str(self.first_id), str(self.last_id), self.first_ts, self.last_ts,
        ]  # fmt: skip
        self.closes.append(close)
        if len(self.closes) == 60:
            closes = list(self.closes)
            fast, slow, hour = fsum(closes[-5:]) / 5, fsum(closes[-20:]) / 20, fsum(closes) / 60
            crossed = self.before is not None and self.before[0] <= self.before[1] and fast > slow
            if crossed and close > hour and self.position is None and not self.order:
                self.order = "enter"
            self.before = (fast, slow)
        self.end += MINUTE
        self.begin(close)
        return candle

    def trade(self, ts: int, price: float) -> float | None:
        """Fill what is ordered, or watch the barriers; return what a position made that ended."""
        if self.order == "enter":
            self.position = (price, price * (1 - STOP), price * (1 + TAKE), ts + TIMEOUT)
            self.order = ""
        elif self.order and self.position is not None:
            made = price / self.position[0] - 1
            self.position, self.order = None, ""
            return made
        elif self.position is not None:
            _, stop, take, deadline = self.position
            if price <= stop or price >= take or ts >= deadline:
                self.order = "exit"
        return None


def job(path: str) -> dict[str, float]:  # noqa: C901 - one plain loop
    """Run the job on a Parquet file, and return what came of it."""
    started = perf_counter()
    table = pq.read_table(path)
    names = ("ts_ns", "price", "size", "side", "trade_id")
    columns = [table[name].to_numpy().tolist() for name in names]
    symbols = table["symbol"].combine_chunks().dictionary_encode().indices.to_numpy().tolist()
    markets: dict[int, Market] = {}
    candles, returns = 0, []
    for symbol, ts, price, size, side, id_ in zip(symbols, *columns, strict=True):
        m = markets.get(symbol)
        if m is None:
            m = markets[symbol] = Market(ts)
            m.begin(price)
        elif m.order or m.position is not None:
            made = m.trade(ts, price)
            if made is not None:
                returns.append(made)
        while ts >= m.end:
            m.end_candle()
            candles += 1
        if m.count:
            if price > m.high:
                m.high = price
            elif price < m.low:
                m.low = price
        else:
            m.open = m.high = m.low = price
            m.first_id, m.first_ts = id_, ts
        m.close = price
        m.volume += size
        m.quote_volume += price * size
        m.count += 1
        if side > 0:
            m.bought += size
            m.buys += 1
        elif side < 0:
            m.sold += size
            m.sells += 1
        m.last_id, m.last_ts = id_, ts
    seconds = perf_counter() - started
    return {
        "trades": len(symbols), "candles": candles, "positions": len(returns),
        "gross_return": fsum(returns), "seconds": seconds,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(job(sys.argv[1])))
