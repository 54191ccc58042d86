"""What is on a shelf is there, whole, or is told to be gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.shelf import Shelf, ShelfError, names


def test_what_was_put_there_is_found_by_its_name_and_only_by_its_owner(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "large")
    one, other = shelf.put(b"forest"), shelf.put(b"forest")
    assert one != other
    assert Shelf(tmp_path / "large").get(one) == b"forest"
    assert (tmp_path / "large" / one).stat().st_mode & 0o777 == 0o600
    shelf.drop(one)
    assert shelf.get(other) == b"forest"
    with pytest.raises(ShelfError, match=r"is missing: put back the whole directory"):
        shelf.get(one)
    shelf.drop(one)  # it is gone already


def test_a_file_that_was_changed_is_not_believed(tmp_path: Path) -> None:
    name = Shelf(tmp_path).put(b"forest")
    (tmp_path / name).write_bytes(b"forfst")
    with pytest.raises(ShelfError, match="is damaged"):
        Shelf(tmp_path).get(name)


def test_only_what_states_hold_stays_and_what_they_hold_must_be_there(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    one, other = shelf.put(b"a"), shelf.put(b"b")
    (tmp_path / "large-half.partial").touch()
    state = b"\x80\x04" + one.encode() + b"."
    assert [*names([state])] == [one]
    shelf.tidy([state])
    assert [path.name for path in tmp_path.iterdir()] == [one]
    with pytest.raises(ShelfError, match=other):
        shelf.tidy([state, other.encode()])
    Shelf(tmp_path / "none").tidy([])
