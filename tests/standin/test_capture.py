"""Captures: what was recorded, and what is made from trades."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.standin.capture import Capture, RawTrade, made, smallest_step
from tests.standin.rebuild import book_at, books_at


def test_a_recorded_wire_holds_the_trades_of_its_ticks(wire: Path, ticks: Path) -> None:
    capture = Capture.read(wire / "binance_spot_ethusdt_20240808.gz")
    told = pq.read_table(ticks / "binance_spot_ETHUSDT_20240808.parquet").to_pydict()
    assert (capture.name, capture.unified) == ("spot:ETHUSDT", "ETH/USDT")
    assert [str(trade.id) for trade in capture.trades] == told["trade_id"]
    assert [float(trade.price) for trade in capture.trades] == told["price"]
    assert [trade.time * 1_000_000 for trade in capture.trades] == told["ts_ns"]


def test_a_file_of_another_name_is_no_capture(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no capture of a market"):
        Capture.read(tmp_path / "kraken.gz")


@pytest.mark.parametrize("kind", ["spot", "usdm"])
def test_a_made_capture_has_a_book_around_each_trade(kind: str) -> None:
    capture = made(30, kind)
    told = [orjson.loads(line.raw) for line in capture.lines]
    books = books_at(capture, [update["u"] for update in told[1::2]])
    for trade, update in zip(told[::2], told[1::2], strict=True):
        bids, asks = books[update["u"]]
        assert bids[0][0] < asks[0][0]
        assert float(trade["p"]) == (bids if trade["m"] else asks)[0][0]


def test_a_made_capture_gives_its_trades_back() -> None:
    trades = [RawTrade(7, "0.5", "3", 1_000, maker=True), RawTrade(9, "0.51", "2", 1_001, False)]
    assert Capture.of(trades, "usdm", "ETHUSDT").trades == trades


def test_a_file_of_ticks_becomes_a_capture_to_the_last_bit(tmp_path: Path) -> None:
    path = tmp_path / "ticks.parquet"
    prices = [0.1 + 0.2, 61_837.63, 1e-7]
    rows = {
        "symbol": ["a", "a", "a", "b"],
        "trade_id": ["1", "2", "4", "3"],
        "price": [*prices, 9.0],
        "size": [1.0, 0.00021, 3e5, 1.0],
        "ts_ns": [5_000_000, 5_000_000, 6_000_000, 6_000_000],
        "side": pa.array([1, -1, 1, 1], pa.int8()),
    }
    pq.write_table(pa.table(rows), path)
    trades = Capture.of_parquet(path, "spot", "BTCUSDT", "a").trades
    assert [trade.id for trade in trades] == [1, 2, 4]
    assert [float(trade.price) for trade in trades] == prices
    assert [trade.maker for trade in trades] == [False, True, False]


def test_the_smallest_step_is_what_decimals_tell() -> None:
    assert [f"{smallest_step(texts):f}" for texts in (["1.50", "2.25"], ["100"])] == ["0.01", "1"]


def test_a_book_cannot_be_rebuilt_across_a_missing_update() -> None:
    capture = made(20)
    last = orjson.loads(capture.lines[-1].raw)["u"]
    assert book_at(capture, last)
    holed = replace(capture, lines=[*capture.lines[:11], *capture.lines[12:]])
    with pytest.raises(ValueError, match="nothing leads from update"):
        book_at(holed, last)


def test_a_book_at_an_update_that_never_was_is_refused() -> None:
    with pytest.raises(ValueError, match="no updates that end at"):
        book_at(made(20), 1)
