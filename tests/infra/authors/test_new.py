"""`deck new` writes a flow that runs, and overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.authors.market import simulated, strips
from infra.authors.new_command import written
from infra.authors.play import play
from infra.authors.templates import template
from infra.running import flowfile
from infra.screen import Misused
from tests.infra.rig import Rig


def test_what_it_writes_runs_and_it_says_what_comes_next(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    said = rig.deck("new", "mine", "--learned")
    assert "deck check flows/mine.py" in said.out
    path = tmp_path / "flows" / "mine.py"
    tape = strips(simulated(["sim:BTC/USDT"], 1.0))
    (events,) = play(path, flowfile.load(path), tape).values()
    assert sum(b'"Candle"' in event for event in events) == 59


def test_a_flow_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("mine")
    with pytest.raises(Misused, match=r"mine\.py is there already"):
        written("mine", tmp_path)
    assert path.read_text() == "mine"


def test_it_is_written_where_it_is_told_under_its_name(tmp_path: Path) -> None:
    path = written("mine.py", tmp_path / "new" / "place")
    assert path == tmp_path / "new" / "place" / "mine.py"
    assert path.read_text().startswith('"""mine: ')


@pytest.mark.parametrize("name", ["a b", "class", "../mine", "_mine", "1st", ""])
def test_a_name_that_no_module_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Misused, match="called as a Python module is"):
        written(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("learned", [False, True])
def test_a_flow_to_begin_with_is_short_and_says_its_name(learned: bool) -> None:
    lines = template("mine", learned=learned).splitlines()
    assert lines[0].startswith('"""mine: ')
    assert len(lines) <= 50
