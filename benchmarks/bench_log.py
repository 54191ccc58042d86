"""The logs: trades a second put in, read, and decoded to the tape; how soon a message is safe."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from time import perf_counter
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.logs import logs
from connectors.log.log import Appender, Entry, Log
from connectors.log.messages import said
from connectors.log.source import LogSource
from infra.log.places import place
from schemas import Trades
from schemas.wire import encode

ROWS = 500
"""Trades of a message."""
MESSAGES = 4_000
MARKETS = 8
ROUNDS = 3
FLUSHES = 200
"""Small messages of a round, each flushed by itself."""
START = 1_723_161_255_000_000_000
_PAUSE_SECONDS = 0.001


class Round(NamedTuple):
    """Millions of trades a second of each step, and what each flush took, ms."""

    put: float
    read: float
    decoded: float
    both: float
    flushes: list[float]


def bench(screen: Console) -> None:
    """Print the best of some rounds: what disturbs a round makes it slower, never faster."""
    title = f"Logs: M trades/s, {ROWS} a message, best of {ROUNDS}; ms until one small one is safe"
    grid = Table(title=title, title_justify="left")
    for name in ("log", "put in", "read", "decoded", "read and decoded", "flush p50", "p99"):
        grid.add_column(name, justify="left" if name == "log" else "right")
    slices = [_slice(number, ROWS) for number in range(MESSAGES)]
    for name, opened in logs().items():
        rounds = []
        for _ in range(ROUNDS):
            with screen.status(name), opened() as settings:
                where = place(settings, kafka=settings.kafka is not None)
                with closing(where.log()) as log, closing(where.appender()) as appender:
                    rounds.append(_round(slices, log, appender))
        best = [max(column) for column in zip(*(found[:4] for found in rounds), strict=True)]
        flushes = [took for found in rounds for took in found.flushes]
        grid.add_row(name, *(f"{cell:,.2f}" for cell in (*best, *np.percentile(flushes, (50, 99)))))
    screen.print(grid)
    if "KAFKA_BOOTSTRAP" not in os.environ:
        screen.print("Kafka: set KAFKA_BOOTSTRAP to measure it, too", style="dim")


def _round(slices: list[Trades], log: Log, appender: Appender) -> Round:
    million = MESSAGES * ROWS / 1e6
    begun = perf_counter()
    for trades in slices:
        appender.append(trades.market, encode(trades))
    appender.flush()
    put = perf_counter() - begun
    entries = list(_all(log))  # so that what is measured next was read before
    begun = perf_counter()
    entries = list(_all(log))
    read, begun = perf_counter() - begun, perf_counter()
    for partition, entry in entries:
        said(entry, partition)
    decoded, begun = perf_counter() - begun, perf_counter()
    rows = _to_the_tape(log)
    both = perf_counter() - begun
    if rows != MESSAGES * ROWS:
        raise RuntimeError(f"{MESSAGES * ROWS:,} trades were put in, and {rows:,} came out")
    return Round(million / put, million / read, million / decoded, million / both, _flush(appender))


def _all(log: Log) -> Iterator[tuple[str, Entry]]:
    """Yield all messages of a log, with their partitions."""
    for partition in log.partitions():
        first, end = log.bounds(partition)
        with closing(log.open(partition, first)) as cursor:
            while first < end:
                entries = cursor.read(1_000)
                for entry in entries:
                    yield partition, entry
                    first = entry.offset + 1
                if not entries:
                    time.sleep(_PAUSE_SECONDS)


def _to_the_tape(log: Log) -> int:
    """Read a log as a flow does, and return how many trades came."""
    source = LogSource(log)
    parts = [source.build_part("bench", name, None) for name in source.list_parts()]
    while parts:
        part = parts.pop()
        try:
            idle = not part.next_batch()
        except StopIteration:
            part.close()
            continue
        parts.append(part)
        if idle:
            time.sleep(_PAUSE_SECONDS)
    return source.progress.trades


def _flush(appender: Appender) -> list[float]:
    """Return how long each of some small messages took until it was safe, in ms."""
    took = []
    for number in range(FLUSHES):
        trade = _slice(number, 1)
        begun = perf_counter()
        appender.append(trade.market, encode(trade))
        appender.flush()
        took.append((perf_counter() - begun) * 1e3)
    return took


def _slice(number: int, rows: int) -> Trades:
    chance = np.random.default_rng(number)
    ts = START + np.sort(chance.integers(0, 10**10, rows)) // 10**6 * 10**6
    price = np.round(61_000 + chance.normal(0, 20, rows), 2)
    size = np.round(chance.exponential(0.05, rows) + 1e-5, 5)
    ids = np.arange(rows) + 5_266_583_935 + number * rows
    side = chance.choice([-1, 1], rows)
    market = f"binance:M{number % MARKETS}/USDT"
    return Trades.of(market, ts, price, size, side, ids, received=ts + 3_000_000)
