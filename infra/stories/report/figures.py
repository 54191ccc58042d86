"""The numbers of a report, asked of history: each list is a table of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from clickhouse_connect.driver.client import Client

from connectors.tally import plain_reason
from infra.stories.report.questions import QUESTIONS
from infra.verify.which import Run

Rows: TypeAlias = list[dict[str, Any]]
"""What a question was answered with, a dictionary a row."""


@dataclass(frozen=True)
class Figures:
    """Every number of a report, as rows of its tables; their names are those of the questions."""

    about: Rows
    span: Rows
    totals: Rows
    falls: Rows
    markets: Rows
    days: Rows
    reasons: Rows
    positions: Rows
    costs: Rows
    models: Rows
    calibration: Rows
    expectations: Rows
    hours: Rows
    gap: Rows
    refused: Rows
    kinds: Rows
    troubles: Rows


def figures(client: Client, run: Run, most: int) -> Figures:
    """Ask for the numbers of a run.

    Parameters
    ----------
    client
        Reads history.
    run
        Which.
    most
        Rows of a table.

    """
    given = {"flow": run.flow, "run": run.run, "most": most}
    found: dict[str, Rows] = {
        name: client.query_arrow(question, given, use_strings=True).to_pylist()
        for name, question in QUESTIONS.items()
    }
    found["refused"] = _by_kind(found["refused"])
    return Figures(**found)


def _by_kind(refused: Rows) -> Rows:
    """Put refusals together that differ in their figures only."""
    times: dict[str, int] = {}
    for row in refused:
        why = plain_reason(row["why"])
        times[why] = times.get(why, 0) + row["times"]
    return [{"why": why, "times": count} for why, count in sorted(times.items(), key=_most)]


def _most(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]
