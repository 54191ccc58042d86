"""Files: which are meant, and what is told of those that cannot be."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.recordings.files import DataError, find


def test_a_directory_means_its_data_files_in_order_of_name(tmp_path: Path) -> None:
    for name in ("b.parquet", "a.csv.gz", "c.NDJSON", "notes.txt", ".hidden.csv", "d.parquet.gz"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "more.csv").mkdir()
    found = [(file.name, file.format, file.packing, file.size) for file in find([tmp_path])]
    assert found == [
        ("a.csv.gz", "csv", "gzip", 1), ("b.parquet", "parquet", None, 1),
        ("c.NDJSON", "jsonl", None, 1),
    ]  # fmt: skip


def test_names_are_as_long_as_it_takes_to_tell_files_apart(tmp_path: Path) -> None:
    paths = [tmp_path / part / "x.csv" for part in ("a/1", "b/1", "b/2")]
    for path in (*paths, tmp_path / "y.csv"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    names = [file.name for file in find([*paths, tmp_path / "y.csv"])]
    assert names == ["a/1/x.csv", "b/1/x.csv", "2/x.csv", "y.csv"]


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda at: [], "no data given: name a file or a directory"),
        (lambda at: [at / "no.csv"], "no.csv: no such file; check the path"),
        (lambda at: [at / "empty.csv"], "empty.csv: an empty file; record it again, or leave it"),
        (lambda at: [at / "a.txt"], r"a.txt: unknown ending; data files end in .parquet, .csv"),
        (lambda at: [at / "nothing"], "nothing: a directory without data; its files should end"),
        (lambda at: [at / "a.csv", at / "." / "a.csv"], "a.csv: given twice; give each file once"),
        (lambda at: [at / "a.csv", at], "a.csv: given twice"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_name_and_the_remedy(
    tmp_path: Path, make: object, told: str
) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "a.txt").write_text("x")
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "nothing").mkdir()
    with pytest.raises(DataError, match=told):
        find(make(tmp_path))  # type: ignore[operator]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_of_somebody_else_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(DataError, match="cannot be read: permission denied; check who may"):
        find([path])


def test_a_fingerprint_changes_with_the_content(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    prints = set()
    for content in (b"x" * 200_000, b"y" + b"x" * 199_999, b"x" * 199_999 + b"y", b"x" * 200_001):
        path.write_bytes(content)
        prints.add(find([path])[0].fingerprint())
    assert len(prints) == 4
