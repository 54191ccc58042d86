"""Positions in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.disk import DiskError
from connectors.log.positions import note, noted


def test_what_is_noted_is_found_again_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "positions.json"
    assert noted(path) == {}
    for positions in ({"log/0": 7}, {"log/0": 8, "ö/1": 2**62}):
        note(path, positions)
        assert noted(path) == positions
    assert [*tmp_path.iterdir()] == [path]


def test_a_place_that_takes_no_note_is_told(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="what was read of the log cannot be kept"):
        note(tmp_path / "gone" / "positions.json", {})
