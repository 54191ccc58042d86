"""The pages that are made from the code are up to date, and say what is true."""

from __future__ import annotations

import pickle
import re
import sys
from pathlib import Path

import pytest

import operators
from infra.authors.docstrings import told
from infra.authors.event_pages import UNITS, event_pages
from infra.authors.market import simulated, strips
from infra.authors.operator_pages import STEPS, TAKEN
from infra.authors.pages import made, write
from infra.running import flowfile
from operators import Averages, Costs, Prediction
from operators.averages import MovingAverages
from operators.candles import ThresholdCandles, TimeCandles
from operators.entries import Entries
from operators.entry import Entry
from operators.predict import Predict
from operators.tape import Machine
from operators.trade import Trade
from schemas import DERIVED, MINUTE, OUTSIDE, Event
from tests.infra.rig import LEARNED, ROOT

_LIMIT = re.compile(r"State: at most (\d+) kB")


def test_the_pages_say_what_the_code_says() -> None:
    stale = [
        str(path)
        for path, text in made().items()
        if not (page := ROOT / "docs" / path).exists() or page.read_text("utf-8") != text
    ]
    assert stale == [], "make docs"


def test_a_page_of_what_is_no_more_is_removed(tmp_path: Path) -> None:
    (tmp_path / "operators").mkdir()
    (tmp_path / "operators" / "gone.md").write_text("gone")
    write(tmp_path)
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*.md")} == made().keys()


def test_each_public_name_of_operators_has_a_page() -> None:
    named = {*STEPS, *(getattr(thing, "__name__", "") for of in TAKEN.values() for thing in of)}
    events = {kind.__name__ for kind in (*DERIVED, *OUTSIDE)}
    seen_by_no_author = {"Live", "Tape", "Model"}
    assert {*operators.__all__} - named - events - seen_by_no_author == set()


@pytest.mark.parametrize("kind", [*OUTSIDE, *DERIVED])
def test_each_event_is_told_of_with_its_numbers_units(kind: type[Event]) -> None:
    (text,) = (page for page in event_pages().values() if f"\n## {kind.__name__}\n" in page)
    rows = text.split(f"\n## {kind.__name__}\n")[1].split("\n## ")[0].splitlines()
    money = [row for row in rows if re.search(r"`(float|Decimal)[^`]*` \|", row)]
    bare = [row for row in money if row.split(" | ")[3].strip() == "" and "`value`" not in row]
    assert bare == []


def test_no_unit_is_of_a_field_that_there_is_not() -> None:
    text = "\n".join(event_pages().values())
    assert [name for name in UNITS if f"| `{name}` |" not in text] == []


def test_states_are_as_small_as_their_pages_say() -> None:
    flowfile.load(LEARNED)
    flow = sys.modules["flows.learned_cross"]
    machines: list[Machine] = [
        Entry("learned_cross"),
        ThresholdCandles("count", 50),
        TimeCandles(MINUTE),
        MovingAverages({"sma": (5, 20, 60)}),
        Predict(Averages, flow.model, flow.BARRIERS, Costs()),
        Entries(Prediction, flow.cross),
        Trade(flow.BARRIERS, Costs()),
    ]
    sizes = dict.fromkeys(map(type, machines), 0)
    for _, strip in strips(simulated(["sim:BTC/USDT"], 3.0), 50):
        passed: list[Event] = strip
        for machine in machines:
            passed = [
                out
                for event in passed
                for out in (machine(event) if type(event) in machine.reads else [event])
            ]
            sizes[type(machine)] = max(sizes[type(machine)], len(pickle.dumps(machine.state)))
    limited = {kind: _LIMIT.search(told(kind).sections["Notes"]) for kind in sizes}
    assert sum(limit is not None for limit in limited.values()) == 5
    assert [
        (kind, sizes[kind])
        for kind, limit in limited.items()
        if limit and sizes[kind] > 1000 * int(limit[1])
    ] == []
