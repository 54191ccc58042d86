"""Some of what `make chaos` does, so that it goes on to hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import before, behind


@pytest.mark.parametrize("seed", range(1, 11))
def test_what_goes_wrong_behind_the_log_changes_no_row_of_history(
    tmp_path: Path, seed: int
) -> None:
    behind.run(seed, tmp_path / "home")


@pytest.mark.parametrize("seed", range(1, 11))
def test_whatever_goes_wrong_before_the_log_no_order_is_doubled_and_a_replay_is_the_same(
    tmp_path: Path, seed: int
) -> None:
    before.run(seed, tmp_path / "home")
