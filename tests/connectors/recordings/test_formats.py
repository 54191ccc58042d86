"""Formats: each ending opens its reader, and what is wrong with a whole column is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.recordings.columns import Wanted
from connectors.recordings.files import FORMATS, DataError, find
from connectors.recordings.formats import READERS, open_file
from connectors.recordings.naming import Markets
from tests.connectors.recording_rig import WRITERS, trade

ROWS = [trade(n) for n in range(200)]


def test_every_format_that_an_ending_means_has_a_reader() -> None:
    assert set(FORMATS.values()) == set(READERS)


@pytest.mark.parametrize("ending", FORMATS)
def test_a_file_is_read_as_its_ending_says(tmp_path: Path, ending: str) -> None:
    path = WRITERS[FORMATS[ending]](tmp_path / f"a{ending}", ROWS)
    [file] = find([path])
    reader = open_file(file, Wanted(), Markets())
    assert type(reader) is READERS[FORMATS[ending]]
    assert sum(len(block) for block in reader.blocks()) == len(ROWS)


def test_an_unknown_ending_is_told_with_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"x")
    with pytest.raises(DataError) as error:
        find([tmp_path / "a.xlsx"])
    assert str(error.value) == (
        f"{tmp_path / 'a.xlsx'}: unknown ending; data files end in .parquet, .csv, .jsonl, "
        ".ndjson, and the texts also with .gz, .zst, .bz2, .xz, .lz4 behind it"
    )


def test_a_time_without_a_unit_is_told_when_the_file_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("time,symbol,price,size\n" + "1700000000000,A,1,1\n" * 3)
    [file] = find([path])
    with pytest.raises(DataError, match=r"column 'time' holds plain numbers; .* ts=time:ms"):
        open_file(file, Wanted(), Markets())
    open_file(file, Wanted({"ts": "time:ms"}), Markets())


def test_a_file_needs_no_symbols_where_it_is_of_one_market(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ts_ns,price,size\n1,1,1\n")
    [file] = find([path])
    with pytest.raises(DataError, match="no column 'symbol'"):
        open_file(file, Wanted(), Markets())
    open_file(file, Wanted(), Markets("okx:A"))
