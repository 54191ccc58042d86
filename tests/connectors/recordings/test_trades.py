"""The trades of a block: bad rows are found and named, and each market's keep their order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.recordings.blocks import Block
from connectors.recordings.columns import Layout
from connectors.recordings.files import DataError, File
from connectors.recordings.trades import Rows, Table, read

FILE = File(Path("a.csv"), "a.csv", "csv", None, 1)
NAMES = {"ts": "ts_ns", "symbol": "symbol", "price": "px", "size": "qty", "side": "side"}
LAYOUT = Layout({**NAMES, "trade_id": "id"}, {"ts": "ns"})


def block(count: int, **columns: Sequence[object]) -> Block:
    """Return `count` good trades, but for the columns given."""
    given = {
        "ts": list(range(1, count + 1)), "price": [1.0] * count, "size": [2.0] * count,
        "side": [1] * count, "trade_id": list(range(count)), **columns,
    }  # fmt: skip
    return Block(
        0, range(count), {k: pa.array(v) for k, v in given.items()}, lambda row: f"row {row}", 1
    )


def table(block: Block, rows: Rows | None = None, codes: list[int] | None = None) -> Table:
    some = range(len(block)) if rows is None else rows
    return read(FILE, LAYOUT, block, some, None if codes is None else np.array(codes))


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("price", "abc", "px is 'abc', not a number above 0, and below 1e100"),
        ("price", "-1", "px is '-1', not a number above 0, and below 1e100"),
        ("price", "1e100", "px is '1e100', not a number above 0, and below 1e100"),
        ("price", None, "px is missing, not a number above 0, and below 1e100"),
        ("size", "inf", "qty is 'inf', not a number above 0, and below 1e100"),
        ("size", "0", "qty is '0', not a number above 0, and below 1e100"),
        ("ts", "soon", "ts_ns is 'soon', not a time after 1970"),
        ("ts", "0", "ts_ns is '0', not a time after 1970"),
        ("side", "up", "side is 'up', not one of +1, -1, 0, buy, sell"),
    ],
)
def test_a_bad_row_is_found_named_and_left_out(column: str, value: object, told: str) -> None:
    good = {"ts": "5", "price": "1", "size": "2", "side": "buy"}[column]
    cells = block(4, **{column: [good, good, value, good]})
    found = table(cells)
    assert list(found.faults(cells, LAYOUT)) == [(2, told)]
    assert found.good().columns.id.tolist() == [0, 1, 3]  # type: ignore[union-attr]
    assert np.asarray(found.good().rows).tolist() == [0, 1, 3]


def test_good_rows_have_no_fault_and_are_not_copied() -> None:
    cells = block(4)
    found = table(cells)
    assert list(found.faults(cells, LAYOUT)) == []
    assert found.good() is found


def test_faults_are_told_once_and_by_the_place_of_the_row_in_the_block() -> None:
    cells = block(6, price=[1.0, -1.0, 1.0, -2.0, 1.0, -3.0], size=[2.0, 2.0, 2.0, -7.0, 2.0, 2.0])
    found = table(cells, np.array([0, 3, 5]))
    faults = dict(found.faults(cells, LAYOUT))
    assert list(faults) == [1, 2]
    assert faults[2] == "px is -3.0, not a number above 0, and below 1e100"
    assert np.asarray(found.good().rows).tolist() == [0]


def test_what_is_marked_is_bad_and_wins() -> None:
    cells = block(4, price=[1.0, -1.0, 1.0, 1.0], symbol=["A", None, "A", None])
    found = table(cells, np.array([0, 1, 3]))
    found.mark("symbol", np.array([False, True, True, True]))
    assert dict(found.faults(cells, LAYOUT)) == {
        1: "symbol is missing, not a symbol",
        2: "symbol is missing, not a symbol",
    }


@given(st.lists(st.integers(0, 3)), st.data())
def test_each_market_has_its_trades_in_the_order_of_the_file(
    codes: list[int], data: st.DataObject
) -> None:
    count = len(codes)
    missing = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    ids = [None if gone else n for n, gone in enumerate(missing)]
    cells = block(count, trade_id=ids, ts=[1 + count - n for n in range(count)])
    parts = dict(table(cells, codes=codes).by_market())
    assert list(parts) == sorted(set(codes))
    for code, part in parts.items():
        rows = [row for row in range(count) if codes[row] == code]
        assert [*part.rows] == rows
        assert part.columns.ts.tolist() == [1 + count - row for row in rows]
        gone = [missing[row] for row in rows]
        if part.missing is None:
            assert all(gone) or not any(gone)
        else:
            assert part.missing.tolist() == gone


def test_one_market_without_codes_is_the_whole_table() -> None:
    found = table(block(3))
    assert list(found.by_market()) == [(0, found)]


def test_trades_without_sides_and_ids_have_none() -> None:
    cells = block(2)
    columns = {k: v for k, v in cells.columns.items() if k not in ("side", "trade_id")}
    found = table(Block(0, range(2), columns, cells.text, 1)).columns
    assert (found.side.tolist(), found.id, found.received) == ([0, 0], None, None)


def test_a_column_that_makes_no_sense_is_told_with_its_name_and_the_remedy() -> None:
    with pytest.raises(DataError, match=r"a.csv: column 'px' holds .*: --column price=NAME"):
        table(block(2, price=[[1.0], [2.0]]))
    unknown = Layout(LAYOUT.names, {})
    with pytest.raises(DataError, match=r"'ts_ns' holds plain numbers; .* --column ts=ts_ns:ms"):
        read(FILE, unknown, block(2), range(2), None)
