"""Job J as a plain loop, the yardstick: `python -m benchmarks.loop FILE` prints what it found.

One-minute candles, SMA 5/20/60, long when SMA5 crosses above SMA20 while the close is above SMA60,
at the next trade; out at -0.2 %, +0.3 % or after 30 minutes, at the next trade, too.
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
        "before", "close", "closes", "count", "end", "exits", "high", "low", "open", "order",
        "position", "quote_volume", "volume",
    )  # fmt: skip

    def __init__(self, ts: int, price: float, size: float) -> None:
        self.end = ts - ts % MINUTE + MINUTE
        self.open = self.high = self.low = self.close = price
        self.volume, self.quote_volume, self.count = size, price * size, 1
        self.closes: deque[float] = deque(maxlen=60)
        self.before: tuple[float, float] | None = None
        self.position: tuple[float, float, float, int] | None = None
        self.order = ""


def job(path: str) -> dict[str, float]:  # noqa: C901, PLR0912, PLR0915 - one plain loop
    """Run the job on a Parquet file, and return what came of it."""
    started = perf_counter()
    table = pq.read_table(path, columns=["ts_ns", "symbol", "price", "size"])
    times = table["ts_ns"].to_numpy().tolist()
    prices = table["price"].to_numpy().tolist()
    sizes = table["size"].to_numpy().tolist()
    symbols = table["symbol"].combine_chunks().dictionary_encode().indices.to_numpy().tolist()
    markets: dict[int, Market] = {}
    candles, returns = 0, []
    for ts, symbol, price, size in zip(times, symbols, prices, sizes, strict=True):
        m = markets.get(symbol)
        if m is None:
            markets[symbol] = Market(ts, price, size)
            continue
        if m.order:
            if m.order == "enter":
                m.position = (price, price * (1 - STOP), price * (1 + TAKE), ts + TIMEOUT)
            elif m.position is not None:
                returns.append(price / m.position[0] - 1)
                m.position = None
            m.order = ""
        elif m.position is not None:
            _, stop, take, deadline = m.position
            if price <= stop or price >= take or ts >= deadline:
                m.order = "exit"
        if ts < m.end:
            if price > m.high:
                m.high = price
            elif price < m.low:
                m.low = price
            m.close = price
            m.volume += size
            m.quote_volume += price * size
            m.count += 1
            continue
        while ts >= m.end:
            candles += 1
            close = m.close
            m.closes.append(close)
            if len(m.closes) == 60:
                closes = list(m.closes)
                fast, slow, hour = fsum(closes[-5:]) / 5, fsum(closes[-20:]) / 20, fsum(closes) / 60
                crossed = m.before is not None and m.before[0] <= m.before[1] and fast > slow
                if crossed and close > hour and m.position is None and not m.order:
                    m.order = "enter"
                m.before = (fast, slow)
            m.end += MINUTE
            m.open = m.high = m.low = close
            m.volume = m.quote_volume = 0.0
            m.count = 0
        m.open = m.high = m.low = m.close = price
        m.volume, m.quote_volume, m.count = size, price * size, 1
    seconds = perf_counter() - started
    return {
        "trades": len(times), "candles": candles, "positions": len(returns),
        "return": fsum(returns), "seconds": seconds,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(job(sys.argv[1])))
