"""The closing tables: what they say of what was traded, learned and refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from io import StringIO

from rich.console import Console

from connectors.tally import MarketTally
from infra.running.closing import tables
from infra.running.report import Report, summary, troubles
from operators.scores import RegressorScores


def report(refusals: dict[str, int], **known: float) -> Report:
    counts = Counter({"Signal": 9, "Opened": 3, "Closed": 3, "Outcome": 4})
    tally = MarketTally(counts, refusals=Counter(refusals), metrics=known)
    return Report("1f", "demo", {"A": tally, "B": tally}, 1, 1.0, False, True, None)


def shown(report: Report) -> str:
    console = Console(file=StringIO(), width=80)
    for table in tables(report, 80):
        console.print(table)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_the_closing_tables_say_why_signals_became_no_positions() -> None:
    text = shown(report({"already long": 3, "the market is halted": 1}))
    lines = [line.split() for line in text.splitlines()]
    assert lines.index(["6", "already", "long"]) < lines.index(
        ["2", "the", "market", "is", "halted"]
    )
    assert summary(report({"x": 1}))["refusals"] == {"x": 2}


def test_nothing_is_said_where_nothing_was_refused() -> None:
    assert "refused" not in shown(report({}))


def test_rare_reasons_are_told_together() -> None:
    text = shown(report({f"reason {letter}": 20 - n for n, letter in enumerate("abcdefghij")}))
    assert "reason h" in text
    assert "reason i" not in text
    assert ["46", "other", "reasons"] in [line.split() for line in text.splitlines()]


def test_a_regressor_is_told_by_its_error_and_that_of_saying_nothing() -> None:
    scores = RegressorScores()
    for expected, happened in ((0.002, 0.001), (-0.001, -0.002), (0.001, 0.002), (0.001, 0.0)):
        scores.update(expected, happened)
    text = shown(report({}, **scores.numbers()))
    assert "AUC" not in text
    assert text.splitlines()[-2].split() == ["all", "8", "10.0", "bps", "15.0", "bps", "75.0%"]


def test_positions_that_are_still_open_have_a_column_where_there_are_any() -> None:
    told = report({})
    assert " open " not in shown(told)
    told.markets["A"] = MarketTally(Counter({"Opened": 2}), held=True)
    assert summary(told)["open"] == 1
    assert " open " in shown(told)


def test_faults_are_told_with_the_first_of_them() -> None:
    told = report({})
    told.markets["B"] = MarketTally(
        Counter({"Fault": 2}), fault="KeyError: 'x' (cross.py:3 in rule)"
    )
    assert troubles(told, kept=False) == [
        "faults in the flow, whose markets only leave positions since: 2; --events FILE shows "
        "them, or a run with history",
        "the first, of B: KeyError: 'x' (cross.py:3 in rule)",
    ]


def test_rows_that_could_not_be_read_are_told_with_the_first_of_them() -> None:
    told = report({})
    told.markets["B"] = MarketTally(Counter({"Reject": 2}), reject="t.csv, line 9: price is nan")
    assert troubles(told, kept=False) == [
        "rows that could not be read: 2; --events FILE shows them, or a run with history",
        "the first, of B: t.csv, line 9: price is nan",
    ]


def test_money_of_several_currencies_is_not_added_up() -> None:
    made = MarketTally(Counter({"Closed": 1}), pnl=Decimal("1.5"), fees=Decimal("0.25"))
    one = Report("1f", "demo", {"m:A/USD": made, "m:B/USD": made}, 1, 1.0, False, True, None)
    assert shown(one).splitlines()[-2].split()[-2:] == ["+3.00", "0.50"]
    assert (summary(one)["pnl"], summary(one)["fees"]) == (3.0, 0.5)
    two = replace(one, markets={"m:A/USD": made, "m:A/BTC": made})
    assert shown(two).splitlines()[-2].split()[-2:] == ["–", "–"]
    assert (summary(two)["pnl"], summary(two)["fees"]) == (None, None)
