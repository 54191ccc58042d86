"""The file of an embedded log: made, opened and checked."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.log.file import FILE, offset_of, open_to_read, open_to_write, place, prepare
from connectors.log.log import LogError


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "log"
    prepare(directory)
    return directory


@given(st.integers(0, 1_000), st.integers(0, 2**47), st.integers(0, 1_000), st.integers(0, 2**47))
def test_places_are_in_the_order_of_partitions_and_of_offsets_in_each(
    one: int, at: int, other: int, there: int
) -> None:
    assert offset_of(place(one, at)) == at
    assert (place(one, at) < place(other, there)) == ((one, at) < (other, there))


def test_the_number_of_partitions_is_for_good(directory: Path) -> None:
    open_to_write(directory, 3).close()
    open_to_write(directory, None).close()
    open_to_write(directory, 3).close()
    with pytest.raises(LogError, match=r"has 3 partitions, and 6 are wanted"):
        open_to_write(directory, 6)


def test_a_file_of_a_newer_format_is_refused(directory: Path) -> None:
    with closing(open_to_write(directory, None)) as file:
        file.execute("PRAGMA user_version = 99")
    for opened in (open_to_read, lambda directory: open_to_write(directory, None)):
        with pytest.raises(LogError, match=r"has format 99, and this version knows 1: use the ne"):
            opened(directory)


def test_a_file_that_is_no_log_is_refused_and_left_as_it_is(directory: Path) -> None:
    path = directory / FILE
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE theirs (x)")
    with pytest.raises(LogError, match=r"is another program's: move it away"):
        open_to_write(directory, None)
    path.write_bytes(b"not a database at all, but long enough to be taken for one" * 100)
    for opened in (open_to_read, lambda directory: open_to_write(directory, None)):
        with pytest.raises(LogError, match=r"damaged, or none .*: put back a copy, or move it aw"):
            opened(directory)
    assert path.read_bytes().startswith(b"not a database")


def test_a_damaged_file_is_told_when_it_is_read(directory: Path) -> None:
    with closing(open_to_write(directory, None)) as file:
        file.execute("PRAGMA journal_mode = DELETE")
    path = directory / FILE
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(LogError, match="damaged"):
        open_to_write(directory, None)


def test_a_file_that_was_only_begun_is_made_by_who_may_write(directory: Path) -> None:
    (directory / FILE).touch(mode=0o600)
    with pytest.raises(LogError, match=r"is not made yet: deck log start"):
        open_to_read(directory)
    open_to_write(directory, None).close()
    open_to_read(directory).close()


def test_nothing_can_be_changed_by_a_reader(directory: Path) -> None:
    open_to_write(directory, None).close()
    with (
        closing(open_to_read(directory)) as file,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        file.execute("DELETE FROM messages")


def test_what_others_may_use_is_refused_with_the_remedy(directory: Path) -> None:
    open_to_write(directory, None).close()
    (directory / FILE).chmod(0o640)
    with pytest.raises(LogError, match=r"others may use .*-rw-r-----.*: chmod 600"):
        open_to_write(directory, None)
    directory.chmod(0o755)
    with pytest.raises(LogError, match=r"others may use .*: chmod 700"):
        prepare(directory)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "deck").touch()
    with pytest.raises(LogError, match=r"deck/log: the log cannot be kept"):
        prepare(tmp_path / "deck" / "log")


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_directory_that_may_not_be_written_is_told(directory: Path) -> None:
    directory.chmod(0o500)
    with pytest.raises(LogError, match="may not be kept there"):
        open_to_write(directory, None)
