"""Some of what `make chaos` does, so that it goes on to hold.

Of its seeds 1 to 10 these bring each kind of fault, one process and two, a flow that learns and one
that does not.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import before, behind


@pytest.mark.parametrize("seed", [1, 6, 7, 10])
def test_what_goes_wrong_behind_the_log_changes_no_row_of_history(
    tmp_path: Path, seed: int
) -> None:
    behind.run(seed, tmp_path / "home")


@pytest.mark.parametrize("seed", [3, 5, 7, 9])
def test_whatever_goes_wrong_before_the_log_no_order_is_doubled_and_a_replay_is_the_same(
    tmp_path: Path, seed: int
) -> None:
    before.run(seed, tmp_path / "home")
