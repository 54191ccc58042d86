"""The ladder's pages print what they say, and its flows are good ones."""

from __future__ import annotations

import doctest
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.authors.looks import looks
from infra.authors.market import Row, simulated
from infra.deck import command_line
from infra.running import flowfile
from schemas import MINUTE
from tests.docs.pages import DOCS, ROOT, blocks, commands

PAGES = sorted((DOCS / "ladder").glob("[0-9]*.md"))
FLOWS = sorted((ROOT / "flows" / "ladder").glob("rung*.py"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the flows in it, in which the pages are followed one by one."""
    home = tmp_path_factory.mktemp("ladder")
    (home / "flows").symlink_to(ROOT / "flows")
    return home


@pytest.fixture
def there(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in that directory."""
    monkeypatch.chdir(home)
    monkeypatch.setenv("TAPEDECK_HOME", str(home))
    return home


def typed(line: str) -> str:
    """Return what a line prints; `deck` is played in this process, which is seconds faster."""
    first, pipe, rest = line.partition(" | ")
    if not first.startswith("deck "):
        first, rest = "cat", line
    said = "" if first == "cat" else deck(shlex.split(first)[1:])
    if pipe or first == "cat":
        said = subprocess.run(
            ["bash", "-c", rest], input=said, capture_output=True, text=True, check=True
        ).stdout
    return "\n".join(each.rstrip() for each in said.rstrip().splitlines())


def deck(arguments: list[str]) -> str:
    said = CliRunner().invoke(command_line(arguments), arguments, catch_exceptions=False)
    assert said.exit_code == 0, said.output
    return said.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_typed_prints_what_the_page_says(there: Path, page: Path) -> None:
    if not (there / "ticks.parquet").exists():  # each page can be followed by itself
        deck(["simulate", "ticks.parquet", "--days", "1"])
    for line, prints in commands(page):
        if not line.startswith("deck check"):  # each flow is looked at below, on a shorter tape
            same = doctest.OutputChecker().check_output(
                f"{prints}\n", f"{typed(line)}\n", doctest.ELLIPSIS
            )
            assert same or not prints, f"{page.name}: {line}\n{typed(line)}"


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return simulated(["sim:BTC/USDT", "sim:ETH/USDT"], 1.2)


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.stem)
def test_a_rung_passes_every_look(rows: list[Row], flow: Path) -> None:
    assert [one for one in looks(flow, rows, apart=False) if not one.good] == []


def test_the_first_eight_rungs_have_a_flow_each_and_the_index_names_all() -> None:
    index = (DOCS / "ladder" / "README.md").read_text("utf-8")
    assert len(PAGES) == 10
    assert len(FLOWS) == 8
    assert [name for name in [*(p.name for p in PAGES), *(f.name for f in FLOWS)]
            if name not in index] == []  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_the_code_that_is_run(page: Path) -> None:
    flows = [flow.read_text("utf-8") for flow in (*FLOWS, ROOT / "flows" / "learned_cross.py")]
    for shown in blocks(page, "python"):
        assert any(shown.strip() in flow for flow in flows), shown


def test_values_decide_where_a_rung_says_so() -> None:
    flowfile.load(FLOWS[-1])
    module = sys.modules["flows.rung8_values"]
    now = module.Moment("okx:BTC/USDT:USDT", MINUTE, {}, None, None, None, None)
    before = module.Moment("okx:BTC/USDT:USDT", 0, {}, None, None, None, None)
    before.latest_averages = module.Averages(now.market, 0, {"ema20": 1.0, "ema60": 2.0})
    now.latest_averages = module.Averages(now.market, 0, {"ema20": 3.0, "ema60": 2.0})
    now.before = before
    assert module.rule(now).action == "long"
    now.values = {"funding": 0.001}
    assert module.rule(now) is None
