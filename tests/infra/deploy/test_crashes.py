"""What crashes three times at one place is given up."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.deploy.crashes import Crashes

HERE = {"log/0": {"first": 7}, "log/1": {"first": 3}}


def test_the_third_crash_at_one_position_is_one_too_many_whoever_counts(tmp_path: Path) -> None:
    assert [Crashes(tmp_path).note(HERE) for _ in range(4)] == [False, False, True, True]


def test_the_order_of_partitions_makes_no_other_position(tmp_path: Path) -> None:
    turned = dict(reversed(HERE.items()))
    assert [Crashes(tmp_path).note(at) for at in (HERE, turned, HERE)] == [False, False, True]


def test_a_step_further_counts_anew(tmp_path: Path) -> None:
    crashes = Crashes(tmp_path)
    further = {**HERE, "log/1": {"first": 4}}
    assert not any(crashes.note(at) for at in (HERE, HERE, further, further, HERE, HERE))
    assert crashes.note(HERE)


def test_what_is_forgotten_counts_anew(tmp_path: Path) -> None:
    crashes = Crashes(tmp_path, limit=2)
    assert not crashes.note(HERE)
    crashes.forget()
    crashes.forget()
    assert not crashes.note(HERE)
    assert crashes.note(HERE)


@pytest.mark.parametrize("torn", [b"", b"{", b"[]", b'{"positions": 3}'])
def test_a_torn_file_counts_as_none(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "crashes.json").write_bytes(torn)
    assert [Crashes(tmp_path).note(HERE) for _ in range(3)] == [False, False, True]
