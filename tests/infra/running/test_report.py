"""The closing table: what it says of what was refused."""

from __future__ import annotations

from collections import Counter
from io import StringIO

from rich.console import Console

from connectors.tally import MarketTally
from infra.running.report import Report, summary, tables


def report(refusals: dict[str, int]) -> Report:
    tally = MarketTally(Counter({"Signal": 9}), refusals=Counter(refusals))
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
