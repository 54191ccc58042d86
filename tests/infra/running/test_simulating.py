"""`deck simulate`: what it says when it is done."""

from __future__ import annotations

from pathlib import Path

from tests.infra.rig import Rig


def test_a_simulated_recording_is_told_with_what_plays_it(tmp_path: Path) -> None:
    said = Rig(tmp_path).deck("simulate", "t.parquet", "--days", "0.01", "--markets", "A/B").out
    assert said.endswith(" trades of 1 market: deck replay FLOW --data t.parquet\n")
