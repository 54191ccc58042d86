"""Job J: the whole flow against one plain loop over the same trades."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from math import fsum
from pathlib import Path
from random import Random
from typing import TypeAlias

import bytewax.operators as op
import pyarrow.parquet as pq
import pytest
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource, run_main
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.sma_cross import BARRIERS, cross, strategy
from operators.averages import MovingAverages
from operators.candles import TimeCandles
from operators.costs import Costs
from operators.entries import Entries
from operators.entry import Entry, enter
from operators.tape import Strip, Tape
from operators.trade import Trade
from schemas import (
    MINUTE,
    SECOND,
    Averages,
    Book,
    Candle,
    Closed,
    Event,
    Gap,
    Heartbeat,
    Time,
    Trades,
)
from tests.tapes import (
    MARKET,
    START,
    canonical,
    chop,
    cuts,
    feeds,
    play,
)

WINDOWS: dict[str, tuple[int, ...]] = {"sma": (5, 20, 60)}
FILES = {
    "binance_spot_BTCUSDT_20240808": None,
    "binance_spot_ETHUSDT_20240808": None,
    "binance_spot_XRPETH_20191011": (3_559, 71),
    "binance_usdm_BTCUSDT_20240808": None,
    "binance_usdm_ETHUSDT_20240808": None,
}


Rows: TypeAlias = tuple[list[Time], list[float], list[float]]
"""Times, prices and sizes of trades."""


@dataclass
class Ledger:
    """What job J makes of some trades: closed candles, and positions as (ts, price) in and out."""

    candles: list[tuple[float, ...]] = field(default_factory=list)
    positions: list[tuple[Time, float, Time, float]] = field(default_factory=list)

    @property
    def total(self) -> float:
        return fsum(out / into - 1 for _, into, _, out in self.positions)


def job(times: list[Time], prices: list[float], sizes: list[float]) -> Ledger:
    """Do job J of the design in one loop over all trades."""
    ledger, closes = Ledger(), list[float]()
    start, bar = -1, list[float]()
    was: tuple[float, ...] | None = None
    stage, into, entered = "flat", 0.0, 0
    for ts, price, size in zip(times, prices, sizes, strict=True):
        # the order that works fills at this trade; an open position is judged by it
        if stage == "enter":
            stage, into, entered = "open", price, ts
        elif stage == "leave":
            stage = "flat"
            ledger.positions.append((entered, into, ts, price))
        elif stage == "open" and (
            price <= into * (1 - 0.002)
            or price >= into * (1 + 0.003)
            or ts >= entered + 30 * MINUTE
        ):
            stage = "leave"
        # the candles that end in front of this trade
        while bar and ts >= start + MINUTE:
            ledger.candles.append((start, *bar))
            closes.append(bar[3])
            start, bar = start + MINUTE, [bar[3], bar[3], bar[3], bar[3], 0.0, 0]
            if len(closes) >= 60:
                fast, slow, hour = (fsum(closes[-n:]) / n for n in (5, 20, 60))
                crossed = was is not None and was[0] <= was[1] and fast > slow
                if crossed and closes[-1] > hour and stage == "flat":
                    stage = "enter"
                was = fast, slow
        # this trade belongs to the next one
        if not bar or not bar[5]:
            start = ts - ts % MINUTE
            bar = [price, price, price, price, size, 1]
        else:
            bar = [
                bar[0], max(bar[1], price), min(bar[2], price), price, bar[4] + size, bar[5] + 1,
            ]  # fmt: skip
    return ledger


def found(tape: list[Event]) -> Ledger:
    """Return the ledger of what the flow concluded."""
    candles = [c for c in tape if isinstance(c, Candle)]
    closed = [c for c in tape if isinstance(c, Closed)]
    assert [c.position for c in closed] == list(range(1, len(closed) + 1))
    return Ledger(
        [(c.start, c.open, c.high, c.low, c.close, c.volume, c.count) for c in candles],
        [(c.opened_ts, float(c.entry), c.ts, float(c.exit)) for c in closed],
    )


def played(feed: list[Event], restarts: Container[int] = ()) -> list[Event]:
    """Let the flow's machines read a feed, one behind the other."""
    tape = play(lambda: Entry("sma_cross"), feed, restarts)
    tape = play(lambda: TimeCandles(MINUTE), tape, restarts)
    tape = play(lambda: MovingAverages(WINDOWS), tape, restarts)
    tape = play(lambda: Entries(Averages, cross), tape, restarts)
    return play(lambda: Trade(BARRIERS, Costs()), tape, restarts)


def ran(feed: list[Event], batch: int) -> list[Event]:
    """Run the flow itself on Bytewax."""
    out: list[tuple[str, Strip]] = []
    flow = Dataflow("sma_cross")
    strips = [(MARKET, [event]) for event in feed]
    source = op.input("source", flow, TestingSource(strips, batch_size=batch))
    tape = strategy(enter("enter", Tape.of(source, Costs()), "sma_cross"))
    op.output("sink", tape, TestingSink(out))
    run_main(flow)  # type: ignore[no-untyped-call]
    return [event for _, strip in out for event in strip]


# Random tapes -------------------------------------------------------------------------------------


def market(seed: int, length: int) -> Iterator[tuple[Time, float, float]]:
    """Let a price swing, often several trades at a time, sometimes none for minutes."""
    random, price, drift, ts = Random(seed), 10_000.0, 0.0, START + 17
    for _ in range(length):
        drift = drift * 0.9 + random.gauss(0, 3)
        price += drift
        ts += random.choice([0, 0, 0, MINUTE // 7, MINUTE // 2, MINUTE, 4 * MINUTE])
        yield ts, round(price) / 100, random.choice([0.1, 0.2, 0.7, 3.0])


def columns(seed: int, length: int) -> Rows:
    times, prices, sizes = zip(*market(seed, length), strict=True)
    return list(times), list(prices), list(sizes)


@given(st.integers(0, 99_999), st.sampled_from([1, 60, 400, 900]), cuts(900), cuts(300))
@settings(max_examples=30)
def test_the_flow_is_job_j_however_it_is_cut(
    seed: int, length: int, cut: Container[int], restarts: Container[int]
) -> None:
    rows = columns(seed, length)
    ledger = job(*rows)
    answer = found(played(chop([Trades.of(MARKET, *rows)], cut), restarts))
    assert answer == ledger
    assert answer.total == ledger.total


def test_the_random_markets_trade() -> None:
    assert sum(len(job(*columns(seed, 900)).positions) for seed in range(10)) > 30


def test_a_tie_of_two_averages_is_not_yet_a_cross() -> None:
    prices = [0.1] * 80 + [0.101, 0.101, 0.102, 0.103, 0.103]
    rows = [START + minute * MINUTE for minute in range(85)], prices, [1.0] * 85
    ledger = job(*rows)
    assert [into for _, into, _, _ in ledger.positions] == [0.102]
    assert found(played(chop([Trades.of(MARKET, *rows)]))) == ledger


@given(feeds(most=60), cuts(), cuts(100))
@settings(max_examples=60)
def test_books_heartbeats_and_gaps_change_with_no_cut(
    feed: list[Event], cut: Container[int], restarts: Container[int]
) -> None:
    assert canonical(played(chop(feed, cut), restarts)) == canonical(played(feed))


def signs(seed: int, rows: Rows) -> list[Event]:
    """Put books, heartbeats and gaps between the trades of a market."""
    random, feed = Random(seed), list[Event]()
    for ts, price, size in zip(*rows, strict=True):
        feed.append(Trades.of(MARKET, [ts], [price], [size], [random.choice([1, -1, 0])]))
        stamp = ts + random.choice([-SECOND, 0, SECOND // 2, 2 * SECOND])
        bid, ask = [(price - 0.01, 3.0), (price - 0.03, 9.0)], [(price, 7.0), (price + 0.02, 9.0)]
        feed += random.choice(
            [
                [],
                [],
                [Book(MARKET, stamp, bid, ask)],
                [Heartbeat(MARKET, stamp)],
                [Book(MARKET, stamp, bid, ask), Gap(MARKET, ts, "disconnect", ts, ts)],
            ]
        )
    return feed


@given(st.integers(0, 99_999), cuts(900), cuts(900))
@settings(max_examples=8)
def test_a_market_with_books_is_traded_the_same_however_it_is_cut(
    seed: int, cut: Container[int], restarts: Container[int]
) -> None:
    feed = signs(seed, columns(seed, 800))
    assert canonical(played(chop(feed, cut), restarts)) == canonical(played(feed))


# Real ticks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_real_ticks_give_the_plain_loops_answer(ticks: Path, name: str) -> None:
    table = pq.read_table(ticks / f"{name}.parquet")
    times, prices, sizes = (table[c].to_pylist() for c in ("ts_ns", "price", "size"))
    ledger = job(times, prices, sizes)
    sides = table["side"].to_numpy()
    whole = Trades.of(MARKET, times, prices, sizes, sides, table["trade_id"].to_pylist())
    answer = found(played(chop([whole], range(0, len(times), 1_000))))
    assert answer == ledger
    assert answer.total == ledger.total
    if FILES[name] is not None:
        assert (len(answer.candles), len(answer.positions)) == FILES[name]


@pytest.mark.parametrize("batch", [1, 7, 1_000])
def test_the_engine_says_the_same(batch: int) -> None:
    rows = columns(7, 900)
    feed = chop([Trades.of(MARKET, *rows)], range(0, 900, 13))
    assert found(ran(feed, batch)) == job(*rows)
    feed = signs(7, rows)
    assert canonical(ran(feed, batch)) == canonical(played(feed))
