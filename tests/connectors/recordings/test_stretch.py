"""What a recorded file says of itself."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.recordings.files import DataError
from connectors.recordings.stretch import Stretch, archived, file_name, stretch_of


def write(path: Path, stretch: Stretch | None) -> Path:
    table = pa.table({"x": [1]})
    pq.write_table(table.replace_schema_metadata(stretch.metadata() if stretch else None), path)
    return path


@given(
    st.builds(
        Stretch, st.text(st.characters(codec="utf-8")), st.integers(0, 2**62),
        st.integers(0, 2**62), st.dictionaries(
            st.text(st.characters(codec="utf-8")),
            st.tuples(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1)),
        ),
    )
)  # fmt: skip
def test_a_file_gives_back_what_it_holds(
    tmp_path_factory: pytest.TempPathFactory, stretch: Stretch
) -> None:
    path = write(tmp_path_factory.getbasetemp() / "stretch.parquet", stretch)
    assert stretch_of(pq.read_metadata(path)) == stretch


def test_another_file_holds_no_part_of_a_log(tmp_path: Path) -> None:
    path = write(tmp_path / file_name("log/0", 0), None)
    assert stretch_of(pq.read_metadata(path)) is None
    assert archived(tmp_path) == {}


def test_what_is_archived_ends_with_the_last_file_of_each_partition(tmp_path: Path) -> None:
    for partition, first in (("log/0", 0), ("log/0", 10), ("log/0", 9), ("log/10", 4)):
        stretch = Stretch(partition, first, first + 1, {})
        write(tmp_path / file_name(partition, first), stretch)
    write(tmp_path / "other.parquet", None)
    (tmp_path / f"{file_name('log/0', 11)}.part").touch()
    assert archived(tmp_path) == {"log/0": 11, "log/10": 5}


def test_a_damaged_recording_is_told(tmp_path: Path) -> None:
    path = tmp_path / file_name("log/0", 0)
    path.write_bytes(b"PAR1")
    with pytest.raises(DataError, match=rf"{path}: a damaged recording \(.*\): move it away"):
        archived(tmp_path)
