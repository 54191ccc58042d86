"""Which message goes next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.log import retention as log_retention
from connectors.log.file import open_to_write, place, prepare
from connectors.log.retention import take


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    directory = tmp_path_factory.mktemp("home") / "log"
    prepare(directory)
    with closing(open_to_write(directory, 3)) as file:
        yield file


@given(
    st.lists(st.integers(0, 2), max_size=200),
    st.integers(0, 210),
    st.lists(st.integers(0, 80), min_size=3, max_size=3),
)
def test_all_that_is_older_and_may_go_goes_and_nothing_else(
    file: sqlite3.Connection, homes: list[int], horizon: int, free: list[int]
) -> None:
    expected = [0, 0, 0]
    file.execute("BEGIN")
    try:
        ends = [0, 0, 0]
        for time, number in enumerate(homes):
            row = (place(number, ends[number]), "m", time, b"")
            file.execute("INSERT INTO messages VALUES (?, ?, ?, ?)", row)
            expected[number] += time < horizon and ends[number] < free[number]
            ends[number] += 1
        file.executemany(
            "UPDATE partitions SET end = ? WHERE number = ?", [(e, n) for n, e in enumerate(ends)]
        )
        while take(file, horizon, None, free):
            pass
        kept = file.execute("SELECT first, end FROM partitions ORDER BY number").fetchall()
        assert kept == list(zip(expected, ends, strict=True))
        places = [place for (place,) in file.execute("SELECT place FROM messages ORDER BY place")]
        assert places == [place(n, at) for n, (a, b) in enumerate(kept) for at in range(a, b)]
        times = [time for (time,) in file.execute("SELECT time FROM messages")]
        assert log_retention.oldest(file) == min(times, default=None)
        assert log_retention.newest(file) == max(times, default=None)
    finally:
        file.execute("ROLLBACK")
