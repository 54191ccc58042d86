"""Rows of a recording: what the columns cannot give back exactly stands in its wire form."""

from __future__ import annotations

import pytest

from connectors.recordings.rows import Form, Kind, Rows
from schemas import Heartbeat, Trades
from schemas.wire import encode

A, B = "okx:A", "okx:B"


def trades(ids: list[int] | list[str] | None = None, received: int | None = None) -> Trades:
    count = len(ids or [0])
    stamps = None if received is None else [received] * count
    return Trades.of(A, [5] * count, [1.5] * count, [2.5] * count, id=ids, received=stamps)


@pytest.mark.parametrize(
    ("kind", "ids", "columns"),
    [
        ("whole", [0, 10**18 - 1], True),
        ("whole", None, True),
        ("texts", [0, 10**18 - 1], True),
        ("texts", ["x", "7"], True),
        ("texts", ["x", " y"], False),
        ("texts", None, True),
    ],
)
def test_ids_that_would_be_read_otherwise_stay_out_of_the_columns(
    kind: Kind, ids: list[int] | list[str] | None, columns: bool
) -> None:
    rows = Rows(Form(kind))
    count = rows.add(trades(ids), None)
    table = rows.table()
    assert len(table) == rows.count == count
    assert (table["event"].null_count == count) == columns
    if columns:
        plain = [None] if ids is None else ids if kind == "whole" else [str(id_) for id_ in ids]
        assert table["trade_id"].to_pylist() == plain
    else:
        assert table["event"].to_pylist() == [encode(trades(ids)).decode()]
        assert table["price"].to_pylist() == [None]


@pytest.mark.parametrize(
    ("first", "then", "columns"),
    [(None, None, True), (9, 10, True), (None, 9, False), (9, None, False), (9, 0, False)],
)
def test_arrivals_are_known_of_all_trades_in_the_columns_or_of_none(
    first: int | None, then: int | None, columns: bool
) -> None:
    rows = Rows()
    rows.add(trades([1], first), None)
    rows.add(trades([2], then), None)
    table = rows.table()
    assert table["recv_ns"].to_pylist() == [first, then if columns else None]
    assert (table["event"].null_count == 2) == columns


def test_the_first_trades_decide_and_their_markets_are_told_apart() -> None:
    rows = Rows()
    message = encode(Heartbeat(B, 3)) + b" "
    rows.add(Heartbeat(B, 3), message)
    assert rows.form == Form(None, None)
    rows.add(trades(["x", "y"]), None)
    assert rows.form == Form("texts", received=False)
    table = rows.table()
    assert table["symbol"].to_pylist() == [B, A, A]
    assert table["ts_ns"].to_pylist() == [3, 5, 5]
    assert table["event"].to_pylist() == [message.decode(), None, None]
    rows.clear()
    assert not len(rows.table())
    assert rows.form.ids == "texts"
