"""`deck check` catches what was planted, names its line, and lets the good ones pass."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from infra.authors.check_command import say
from infra.authors.found import Found
from infra.authors.looks import looks, pace
from infra.authors.market import Row, simulated
from infra.authors.templates import template
from tests.infra.rig import LEARNED as LEARNED_CROSS
from tests.infra.rig import SMA, Rig

PLAIN, LEARNED = template("planted"), template("planted", learned=True)
HEAD = "def rule(now: Moment) -> Signal | None:\n"
CALL = "    if now.before is None:\n"
Looked: TypeAlias = dict[str, list[Found]]
Look: TypeAlias = Callable[..., Looked]

ALL = {
    "builds", "seeds", "runs", "asked", "clock", "chance", "outside", "sets", "state", "pace",
    "repeats", "look-ahead", "pieces", "memory", "resumes",
}  # fmt: skip
"""All but the one in another process, which takes seconds."""


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return simulated(["sim:BTC/USDT", "sim:ETH/USDT"], 0.7)


@pytest.fixture
def look(rows: list[Row], tmp_path: Path) -> Look:
    """Look at a flow with this text, up to a check."""

    def looked(text: str, until: str = "") -> Looked:
        path = tmp_path / "planted.py"
        path.write_text(text)
        found: Looked = {}
        for one in looks(path, rows, apart=False):
            found.setdefault(one.check, []).append(one)
            if one.check == until:
                break
        return found

    return looked


def bad(found: Looked) -> set[str]:
    return {check for check, ones in found.items() if not all(one.good for one in ones)}


def at(text: str, part: str) -> str:
    """Return where a text has a part, as a place is told."""
    return f"planted.py:{text[: text.index(part)].count(chr(10)) + 1}"


def in_rule(line: str, imports: str = "", top: str = "") -> str:
    """Plant a line in the rule of a flow that is good."""
    text = PLAIN.replace("from datetime", f"{imports}\nfrom datetime", 1)
    return text.replace(HEAD, f"{top}\n\n{HEAD}").replace(CALL, f"    {line}\n{CALL}")


@pytest.mark.parametrize("path", [SMA, LEARNED_CROSS])
def test_the_flows_of_the_house_pass(path: Path) -> None:
    rows = simulated(["sim:BTC/USDT", "sim:ETH/USDT"], 1.1)  # so that their longest window is full
    found = [*looks(path, rows, apart=False)]
    assert {one.check for one in found} == ALL
    assert [one for one in found if not one.good] == []


READ = [
    ("import time", "time.time()", "clock"),
    ("from time import perf_counter_ns as now_ns", "now_ns()", "clock"),
    ("import datetime as dt", "dt.datetime.now(dt.timezone.utc)", "clock"),
    ("from datetime import date", "date.today()", "clock"),
    ("import uuid", "uuid.uuid1()", "clock"),
    ("import random", "random.choice([1, 2])", "chance"),
    ("import os", "os.urandom(8)", "chance"),
    ("import uuid", "uuid.uuid4()", "chance"),
    ("import numpy as np", "np.random.default_rng()", "chance"),
    ("import numpy as np", "np.random.normal()", "chance"),
    ("import socket", "socket.getaddrinfo('127.0.0.1', 1)", "outside"),
    ("from pathlib import Path", "Path(__file__).read_text()", "outside"),
    ("import os", "os.listdir('/')", "outside"),
]


def hidden(call: str) -> str:
    """Let a call be made by a name that a look at the text does not know."""
    function, _, arguments = call.partition("(")
    return f"(lambda f: f({arguments})({function})"


@pytest.mark.parametrize("form", [str, hidden])
def test_what_is_read_beside_the_tape_is_named_with_its_line(
    look: Look, form: Callable[[str], str]
) -> None:
    lines = [form(line) for _, line, _ in READ]
    text = in_rule("\n    ".join(lines), "\n".join(imports for imports, _, _ in READ))
    found = look(text, "state")
    for line, (_, plain, check) in zip(lines, READ, strict=True):
        if form is str or "normal" not in plain:  # numpy's own draws are seen, their line is not
            (one,) = (one for one in found[check] if one.place.endswith(at(text, line)))
            assert one.remedy, line
    assert bad(found) == {"clock", "chance", "outside"}


def test_what_is_read_when_the_file_is_imported_counts_too(look: Look, tmp_path: Path) -> None:
    prices = tmp_path / "tomorrow.csv"
    prices.write_text("price\n1\n")
    text = in_rule("pass", "import pandas as pd", f"TOMORROW = pd.read_csv({str(prices)!r})")
    found = look(text, "state")
    assert bad(found) == {"outside"}
    assert {one.place.rpartition("/")[2] for one in found["outside"]} == {at(text, "TOMORROW")}


def test_arrow_opens_files_by_itself_and_is_caught_all_the_same(look: Look, tmp_path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only this test needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    pq.write_table(pa.table({"price": [1.0]}), tmp_path / "tomorrow.parquet")
    read = f"pq.read_table({str(tmp_path / 'tomorrow.parquet')!r})"
    text = in_rule("pass", "import pyarrow.parquet as pq", f"TOMORROW = {read}")
    assert bad(look(text, "state")) == {"outside"}


def test_a_line_that_the_simulated_hours_never_reach_is_read_all_the_same(look: Look) -> None:
    unreached = [
        ("np.datetime64('now')", "clock"),
        ("Random()", "chance"),
        ("secrets.randbelow(2)", "chance"),
        ("os.environ['SIZE']", "outside"),
        ("urllib.request.urlopen('http://127.0.0.1')", "outside"),
        ("open('tomorrow.csv')", "outside"),
        ("[name for name in {'sma5', 'sma20'}]", "sets"),
        ("sum(NAMES)", "sets"),
    ]
    lines = [*READ, *(("", line, check) for line, check in unreached)]
    imports = "import os, secrets, urllib.request\nfrom random import Random\n"
    planted = "\n        ".join(["if not now.ts:", *(line for _, line, _ in lines)])
    text = in_rule(
        planted, imports + "\n".join(imports for imports, _, _ in READ), "NAMES = {1.0, 0.1}"
    )
    found = look(text, "state")
    for _, line, check in lines:
        if line != "uuid.uuid1()":  # by its name it is chance; it asks the clock
            assert [one for one in found[check] if one.place.endswith(at(text, line))], line


def test_what_only_looks_like_it_is_none(look: Look, tmp_path: Path) -> None:
    fine = [
        "sorted({'sma5', 'sma20'})",
        "any(name == 'sma5' for name in {'sma5', 'sma20'})",
        "{name for name in {'sma5', 'sma20'}}",
        "len(set(now.averages.values))",
        "now.candle.open, 'sma5' in {'sma5'}",
        "Random(now.ts).random()",
        "import colorsys",
        "ZoneInfo('Europe/Berlin')",
    ]
    imports = "from random import Random\nfrom zoneinfo import ZoneInfo"
    assert bad(look(in_rule("\n    ".join(fine), imports), "repeats")) == set()


def test_what_stands_under_main_is_no_part_of_a_flow(look: Look) -> None:
    assert bad(look(PLAIN + 'if __name__ == "__main__":\n    print(open("x"))\n', "state")) == set()


def test_a_lambda_in_the_state_is_named_with_its_line(look: Look) -> None:
    made = "    learns.halved = lambda x: x / 2\n    return learns\n"
    text = LEARNED.replace("return preprocessing", "learns = preprocessing")
    text = text.replace("SGD(0.003))\n", f"SGD(0.003))\n{made}")
    found = look(text)
    assert bad(found) == {"state"}
    (one,) = found["state"]
    assert one.place.endswith(at(text, "lambda x"))
    assert "model.<locals>.<lambda>" in one.says


def test_a_model_without_a_seed_is_named(look: Look) -> None:
    text = LEARNED.replace("import linear_model", "import forest, linear_model").replace(
        "return preprocessing", "return forest.ARFClassifier()  # preprocessing"
    )
    found = look(text)
    assert bad(found) == {"seeds"}
    (one,) = found["seeds"]
    assert "ARFClassifier has no seed" in one.says
    assert one.place.endswith(at(text, 'predict("predict"'))


PEEK = '''
from operators.tape import run
from schemas import Trades

class Peek:
    """Buys when the last price of the whole block is higher."""

    reads = frozenset({Trades})
    shape = ("peek", 1)

    def __init__(self):
        self.state = None

    def __call__(self, event):
        yield event
        if event.columns.price[-1] > event.price[-1]:
            yield Signal(event.market, event.ts.item(-1), "long", 1.0, "base", "peek", "market")

'''


def test_a_step_that_peeks_into_the_block_behind_its_slice_looks_ahead(look: Look) -> None:
    text = PLAIN.replace(HEAD, PEEK + "\n\n" + HEAD).replace(
        'tape = entries("entries", tape, on=Averages, rule=rule)',
        'tape = run("peek", tape, Peek)',
    )
    found = look(text)
    assert bad(found) >= {"look-ahead"}
    assert "cut behind" in found["look-ahead"][0].says
    assert "Signal" in found["look-ahead"][0].says


def test_a_rule_that_knows_another_markets_future_looks_ahead(look: Look) -> None:
    line = (
        "LAST[now.market] = now.candle.close; "
        "return long(SIZE) if int(sum(LAST.values())) % 2 else None"
    )
    text = in_rule(line, top="LAST: dict[str, float] = {}")
    found = look(text)
    assert bad(found) >= {"look-ahead", "pieces", "memory"}
    for check in ("look-ahead", "pieces", "memory"):
        assert found[check][0].place.endswith(at(text, "LAST:"))


def test_a_count_that_outlives_a_run_is_named(look: Look) -> None:
    line = "CALLS.append(1); return long(SIZE) if len(CALLS) in (7, 60) else None"
    text = in_rule(line, top="CALLS = []")
    found = look(text)
    assert "memory" in bad(found)
    assert found["memory"][0].place.endswith(at(text, "CALLS = []"))


COUNTED = "SEEN[now.market] = SEEN.get(now.market, 0) + 1"


def test_a_count_beside_the_state_is_lost_when_a_flow_is_resumed(look: Look) -> None:
    # Made anew with each run, and each market has its own: nothing but an end shows it.
    text = in_rule(f"{COUNTED}; return long(SIZE) if SEEN[now.market] % 8 == 7 else None")
    text = text.replace(
        '    tape = candles("', '    global SEEN\n    SEEN = {}\n    tape = candles("'
    )
    found = look(text)
    assert bad(found) == {"resumes"}
    assert "resumed it concludes other: sim:BTC/USDT" in found["resumes"][0].says


def test_a_variable_that_changes_is_named_though_nothing_came_of_it_yet(look: Look) -> None:
    text = in_rule(COUNTED, top="SEEN = {}")
    found = look(text)
    assert bad(found) == {"memory"}
    assert "SEEN changes while it runs" in found["memory"][0].says
    assert found["memory"][0].place.endswith(at(text, "SEEN = {}"))


def test_a_model_that_all_markets_share_is_named(look: Look) -> None:
    text = LEARNED.replace(
        "    return preprocessing", "    return SHARED\n\n\nSHARED = preprocessing"
    )
    found = look(text)
    assert "memory" in bad(found)
    assert found["memory"][0].place.endswith(at(text, "SHARED = "))


def test_what_hashing_decides_differs_in_another_process(rows: list[Row], tmp_path: Path) -> None:
    path = tmp_path / "hashed.py"
    path.write_text(PLAIN.replace('reason="cross"', 'reason=str(hash("cross"))'))
    found = {one.check: one for one in looks(path, rows)}
    assert {check for check, one in found.items() if not one.good} == {"elsewhere"}
    assert "Signal" in found["elsewhere"].says


def test_a_generator_that_nobody_seeded_does_not_repeat_itself(look: Look) -> None:
    line = "return long(SIZE) if DRAWS.random() > 0.5 else None"
    found = look(in_rule(line, "from random import Random", "DRAWS = Random()"))
    assert "repeats" in bad(found)
    assert "look-ahead" not in found


@pytest.mark.parametrize(
    ("text", "check", "says", "part"),
    [
        ("def strategy(tape)\n", "builds", "SyntaxError", "def strategy"),
        ("\nimport nothing_there\n", "builds", "nothing_there", "import nothing_there"),
        (PLAIN.replace("every=", "ticks=1, every="), "builds", "exactly one", "tape = candles"),
        (in_rule("1 / 0"), "runs", "ZeroDivisionError", "1 / 0"),
        (in_rule("now.prediction"), "runs", "no prediction on the tape", "now.prediction"),
    ],
)
def test_what_fails_is_told_with_its_line(
    look: Look, text: str, check: str, says: str, part: str
) -> None:
    found = look(text)
    assert bad(found) == {check}
    (one,) = found[check]
    assert says in one.says
    assert one.place.endswith(at(text, part))


def test_a_rule_that_is_never_asked_is_told(look: Look) -> None:
    text = in_rule("pass", "from operators import Prediction, Value")
    found = look(text.replace("on=Averages", "on=Prediction"), "asked")
    assert bad(found) == {"asked"}
    [one] = found["asked"]
    assert "no Prediction stood on the tape" in one.says
    assert one.remedy.startswith("put predict(...) in front of it")
    [one] = look(text.replace("on=Averages", "on=Value"), "asked")["asked"]
    assert (one.good, "was not asked" in one.says) == (True, True)
    assert "asked behind" in look(text, "asked")["asked"][0].says


def test_a_step_that_raises_is_told_with_its_line(look: Look) -> None:
    text = PLAIN.replace(HEAD, PEEK + "\n\n" + HEAD).replace("yield event\n", "1 / 0\n")
    text = text.replace('tape = entries("entries", tape, on=Averages, rule=rule)',
                        'tape = run("peek", tape, Peek)')  # fmt: skip
    found = look(text)
    assert bad(found) == {"runs"}
    assert found["runs"][0].place.endswith(at(text, "1 / 0"))


def test_a_flow_is_too_slow_below_a_lively_markets_ticks() -> None:
    assert pace(10_000, 1.0).good
    assert not pace(10_000, 100.0).good
    assert "100 ticks a second" in pace(10_000, 100.0).says


def test_traps_are_gone_when_the_look_is_over(look: Look) -> None:
    found = look(in_rule("pass"), "state")
    before = len(found["clock"])
    time.time()
    assert len(found["clock"]) == before


@pytest.fixture
def timed() -> Iterator[None]:
    """Let somebody take the time whenever garbage is collected, as Hypothesis does."""

    def take(_: str, __: dict[str, int]) -> None:
        time.perf_counter()

    gc.callbacks.append(take)
    yield
    gc.callbacks.remove(take)


@pytest.mark.usefixtures("timed")
def test_what_is_done_while_garbage_is_collected_is_not_the_lines_where_that_happens(
    look: Look,
) -> None:
    left = 'class Left:\n    def __del__(self) -> None:\n        getattr(time, "ti" "me")()\n'
    line = "left = Left(); left.me = left; del left"
    found = look(in_rule(f"{line}; gc.collect()", "import gc, time", left), "clock")
    assert found["clock"][0].good
    found = look(in_rule("left = Left(); del left", "import time", left), "clock")
    assert not found["clock"][0].good


def test_the_command_tells_it_as_json_and_fails_on_a_cross(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(in_rule("time.time(); print('loud')", "import time"))
    said = Rig(tmp_path).deck("check", "late.py", "--hours", "0.6", "--json", status=1)
    found = json.loads(said.out)
    assert [one["check"] for one in found if not one["good"]] == ["clock"]
    (place,) = (one["place"] for one in found if not one["good"])
    assert place.startswith("late.py:")


def test_a_cross_is_said_with_its_place_and_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    say(Found("clock", False, "it calls now()", "mine.py:7", "take now.ts"))
    say(Found("chance", True, "it draws no lots"))
    assert capsys.readouterr().out.splitlines() == [
        "✗ clock      it calls now()",
        "             mine.py:7",
        "             take now.ts",
        "✓ chance     it draws no lots",
    ]
