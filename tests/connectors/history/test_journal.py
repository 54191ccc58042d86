from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from connectors.disk import DiskError
from connectors.history.journal import Journal, read, waiting

ROWS = pa.RecordBatch.from_pylist([{"x": 1}, {"x": 2}])


def test_blocks_wait_in_the_order_they_came_in(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    for table in ("b", "a"):
        first.append(table, ROWS)
    Journal(tmp_path).append("c", ROWS)
    assert [entry.table for entry in waiting(tmp_path)] == ["b", "a", "c"]
    assert [read(entry).to_pylist() for entry in waiting(tmp_path)] == [ROWS.to_pylist()] * 3


def test_what_a_crash_tore_is_removed(tmp_path: Path) -> None:
    (tmp_path / "000000000007.candles.arrow.partial").write_bytes(b"half")
    Journal(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DiskError, match=r"file/journal: rows for history cannot be kept: Not a d"):
        Journal(tmp_path / "file" / "journal")
