"""Columns: found by their names, or by the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.recordings.columns import Wanted
from connectors.recordings.files import DataError, File

FILE = File(Path("ticks.csv"), "ticks.csv", "csv", None, 1)


@pytest.mark.parametrize(
    ("there", "names", "units"),
    [
        (["ts_ns", "symbol", "price", "size"], {"ts": "ts_ns", "size": "size"}, {"ts": "ns"}),
        (["Time", "Symbol", "PRICE", "Qty"], {"ts": "Time", "price": "PRICE", "size": "Qty"}, {}),
        (["ts_ns", "timestamp", "symbol", "price", "quantity", "id", "recv_ns"],
         {"ts": "ts_ns", "size": "quantity", "trade_id": "id", "received": "recv_ns"},
         {"ts": "ns", "received": "ns"}),
        (["ts", "symbol", "price", "size", "amount"], {"ts": "ts", "size": "size"}, {}),
    ],
)  # fmt: skip
def test_known_names_need_no_mapping(
    there: list[str], names: dict[str, str], units: dict[str, str]
) -> None:
    layout = Wanted().layout(FILE, there, one_market=False)
    assert {**layout.names, **names} == layout.names
    assert layout.units == units


def test_a_mapping_wins_and_may_tell_the_unit() -> None:
    there = ["ts_ns", "t", "last", "price", "symbol", "size", "at:ms"]
    wanted = Wanted({"ts": "t:us", "price": "last", "recv_ns": "at:ms"})
    layout = wanted.layout(FILE, there, one_market=False)
    assert layout.names["ts"] == "t"
    assert layout.names["price"] == "last"
    assert layout.names["received"] == "at:ms"  # a column of that very name
    assert layout.units == {"ts": "us"}


@pytest.mark.parametrize(
    ("mapping", "there", "told"),
    [
        ({}, ["ts_ns", "symbol", "last", "size"],
         "ticks.csv: no column 'price'; there are ts_ns, symbol, last, size; map one with "
         "--column price=last"),
        ({}, ["symbol", "price", "size"], r"no column 'ts' \(or ts, timestamp, time\); there are"),
        ({}, ["ts_ns", "price", "size"],
         "no column 'symbol'; there are .*; name the market with --market EXCHANGE:SYMBOL, or map"),
        ({"price": "lst"}, ["ts_ns", "symbol", "last", "size"], "no column 'lst'; there are"),
        ({}, ["ts_ns", "symbol", "price", "qty", "amount"],
         "ticks.csv: qty and amount could each be 'size'; say which: --column size=qty"),
        ({}, ["ts_ns", "symbol", "price", "price", "size"], "price and price could each be"),
        ({}, ["Open time", "symbol", "price", "size"], "map one with --column 'ts=Open time'"),
        ({"ts": "t:sec"}, ["t", "symbol", "price", "size"],
         "ticks.csv: ts=t:sec: 'sec' is no unit; there are s, ms, us, ns"),
        ({}, ["1704067200000", "42000.5", "0.01"], "; its first line must name the columns"),
        ({}, ["Time", "Open", "High", "Low", "Close"], "these are candles, .* give it the trades"),
    ],
)  # fmt: skip
def test_what_is_missing_or_could_be_several_is_told(
    mapping: dict[str, str], there: list[str], told: str
) -> None:
    with pytest.raises(DataError, match=told):
        Wanted(mapping).layout(FILE, there, one_market=False)


def test_one_market_needs_no_symbols() -> None:
    assert "symbol" not in Wanted().layout(FILE, ["ts_ns", "price", "size"], one_market=True).names


def test_only_our_columns_can_be_mapped() -> None:
    with pytest.raises(DataError, match="no column 'prise' to map; there are ts, symbol, price"):
        Wanted({"prise": "x"})
