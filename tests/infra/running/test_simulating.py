"""`deck simulate`: what it says when it is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.running.simulating import _next_steps
from tests.infra.rig import Rig


def test_a_simulated_recording_is_told_with_what_plays_it(tmp_path: Path) -> None:
    said = Rig(tmp_path).deck("simulate", "t.parquet", "--days", "0.01", "--markets", "A/B").out
    assert said.endswith(" trades of 1 market: deck replay FLOW --data t.parquet\n")


@pytest.mark.parametrize("found", [True, False])
def test_who_has_no_deck_on_the_path_is_told_how_to_come_by_it(
    found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deck = tmp_path / "deck"
    deck.touch(mode=0o755 if found else 0o644)
    monkeypatch.setenv("PATH", str(tmp_path))
    _next_steps(Path("flows/cross.py"), tmp_path / "ticks.parquet")
    said = capsys.readouterr().out
    assert "deck explain" in said
    assert (". .venv/bin/activate" in said) is not found
