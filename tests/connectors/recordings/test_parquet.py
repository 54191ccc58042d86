"""Parquet: by row groups, from any row on, and only what is needed."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.recordings.columns import Wanted
from connectors.recordings.files import DataError, find
from connectors.recordings.parquet import ParquetReader
from connectors.recordings.replay import Replay
from schemas import Reject
from tests.connectors.recording_rig import Trade, play, rows_of, trade, write_parquet

numbers = count()


def reader(path: Path) -> ParquetReader:
    return ParquetReader(find([path])[0], Wanted(), one_market=False)


@given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 25), st.data())
def test_blocks_go_on_from_where_any_of_them_began(
    tmp_path_factory: pytest.TempPathFactory,
    rows: int,
    group: int,
    size: int,
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.getbasetemp() / f"{next(numbers)}.parquet"
    file = reader(write_parquet(path, [trade(n) for n in range(rows)], group))
    whole = [(b.first, list(b.numbers), b.columns["trade_id"]) for b in file.blocks(rows=size)]
    assert [n for _, some, _ in whole for n in some] == list(range(rows))
    assert all(ids.to_pylist() == some and len(some) <= size for _, some, ids in whole)
    first, some, _ = data.draw(st.sampled_from(whole))
    again = [(b.first, list(b.numbers)) for b in file.blocks(first, size)]
    assert [n for _, numbers in again for n in numbers] == list(range(first, rows))
    assert again[0][0] == first
    assert len(again[0][1]) >= len(some)


def test_the_first_blocks_are_small_so_that_computing_begins_soon(tmp_path: Path) -> None:
    file = reader(write_parquet(tmp_path / "a.parquet", [trade(n) for n in range(40)]))
    assert [len(b) for b in file.blocks(rows=16)] == [2, 2, 4, 8, 16, 8]
    assert [len(b) for b in file.blocks(2, rows=16)] == [14, 16, 8]


def test_row_groups_without_wanted_symbols_are_not_read(tmp_path: Path) -> None:
    rows = [trade(n, symbol) for symbol in "ABA" for n in range(4)] + [trade(1, "A"), trade(2, "B")]
    path = write_parquet(tmp_path / "a.parquet", rows, group=4)
    read = [list(b.numbers) for b in reader(path).blocks(rows=4, skip=lambda symbol: symbol == "A")]
    assert read == [[4, 5, 6, 7], [12, 13]]


def test_statistics_tell_the_only_symbol_and_the_time(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", [trade(n, ts=n + 5) for n in range(9)], group=2)
    assert reader(path).extent() == ("test:A/USDT", 5, 13)
    write_parquet(path, [trade(0, "A", 5), trade(1, "B", 6)])
    assert reader(path).extent() == (None, 5, 6)
    write_parquet(path, [trade(0, "A", 5), {**trade(1, ts=6), "symbol": None}])
    assert reader(path).extent() == (None, 5, 6)
    assert list(reader(path).blocks(skip=lambda symbol: symbol == "A"))
    times = pa.array([1_700_000_000_123, 1_700_000_000_124], pa.timestamp("ms"))
    pq.write_table(
        pa.table({"time": times, "symbol": ["A"] * 2, "price": [1.0] * 2, "qty": [1.0] * 2}), path
    )
    assert reader(path).extent() == ("A", 1_700_000_000_123_000_000, 1_700_000_000_124_000_000)
    table = pq.read_table(path)
    pq.write_table(table, path, write_statistics=False)
    assert reader(path).extent() is None


def test_columns_of_other_types_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    table = {
        "time": pa.array(["2024-08-08T00:00:01Z", "2024-08-08T00:00:02Z"]),
        "symbol": pa.array(["okx:A"] * 2, pa.large_string()),
        "price": pa.array([Decimal("1.50"), Decimal("2.25")]),
        "amount": pa.array([1, 2], pa.int32()),
        "side": pa.array(["buy", "sell"]).dictionary_encode(),
        "id": pa.array(["x", "7"], pa.large_string()),
        "note": pa.array([{"a": 1}] * 2),
    }
    pq.write_table(pa.table(table), path)
    day = 1_723_075_200 * 10**9
    assert list(rows_of(play(lambda: Replay([path]))["okx:A"])) == [
        Trade("okx:A", day + 10**9, 1.5, 1.0, 1, "x", None),
        Trade("okx:A", day + 2 * 10**9, 2.25, 2.0, -1, "7", None),
    ]


def test_a_bad_row_is_rejected_as_json_with_its_number(tmp_path: Path) -> None:
    rows = [trade(n, ts=n + 5) for n in range(9)]
    rows[7]["price"] = -2.5
    path = write_parquet(tmp_path / "a.parquet", rows, group=3)
    [reject] = [e for e in play(lambda: Replay([path]))["test:A/USDT"] if isinstance(e, Reject)]
    assert reject.why == "a.parquet, row 7: price is -2.5, not a number above 0, and below 1e100"
    assert reject.at == ("a.parquet", 7, 0)
    assert reject.payload == (
        '{"ts_ns":12,"symbol":"test:A/USDT","price":-2.5,"size":1.5,"side":0,"trade_id":7,"event":null}'
    )


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"time": [1], "symbol": ["A"], "price": [1.0], "size": [1.0]},
         "a.parquet: column 'time' holds plain numbers; say what they count: --column ts=time:ms"),
        ({"ts_ns": [1], "symbol": ["A"], "price": [[1.0]], "size": [1.0]},
         "a.parquet: column 'price' holds list<.*>, and not double; map another one: --column pri"),
        ({"ts_ns": [1], "price": [1.0], "size": [1.0]}, "a.parquet: no column 'symbol'; there are"),
        ({"ts_ns": [], "symbol": [], "price": [], "size": []}, "a.parquet: no rows; leave the"),
    ],
)  # fmt: skip
def test_a_file_that_makes_no_sense_is_told_at_once(
    tmp_path: Path, columns: dict[str, list[object]], told: str
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns), path)
    with pytest.raises(DataError, match=told):
        Replay([path])


@pytest.mark.parametrize("keep", [0.5, 0.99])
def test_a_broken_file_is_told(tmp_path: Path, keep: float) -> None:
    path = write_parquet(tmp_path / "a.parquet", [trade(n) for n in range(999)])
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * keep)])
    with pytest.raises(
        DataError, match=r"a\.parquet: a broken Parquet file \(.*\); record or down"
    ):
        Replay([path])


def test_a_file_that_breaks_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", [trade(n) for n in range(9_000)], group=1000)
    source = Replay([path], block=1000)
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 9_000] = b"\xff" * 9_000
    path.write_bytes(whole)
    part = source.build_part("replay", "a.parquet", None)

    def read_all() -> None:
        while True:
            part.next_batch()

    with pytest.raises(DataError, match=r"a\.parquet: a broken Parquet file"):
        read_all()
    part.close()
