"""The tables of a report: cells as people read them, with what they are sorted by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple, TypeAlias

import orjson

from infra.stories.names import Name
from infra.stories.report.figures import Figures, Rows
from infra.stories.words import bps, lasted, money, percent, short
from infra.times import write_time
from infra.verify.which import Run

Row: TypeAlias = Mapping[str, Any]
_NONE = "–"


class Cell(NamedTuple):
    """One cell."""

    text: str
    key: float | str | None = None
    """What it is sorted by; a number stands at the right."""
    mood: str = ""
    """`good`, `bad` or nothing."""


@dataclass(frozen=True)
class Grid:
    """One table.

    Parameters
    ----------
    title
        What it shows.
    heads
        The names of its columns.
    rows
        Its cells.
    note
        What is to be known of it.
    names
        Of positions: what each row is called on the page, for its script.

    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    names: Sequence[tuple[str, int]] = ()


Column: TypeAlias = Callable[[Row], Cell]


def grids(run: Run, found: Figures, most: int) -> list[Grid]:
    """Return the tables that have rows.

    Parameters
    ----------
    run
        Which run it is.
    found
        Its numbers.
    most
        How many rows a table has at most.

    """
    first = f"The first {most:,}."
    made = [
        _grid("By how they ended", found.reasons, {"left for": _text("why"), **_MADE}),
        _grid(
            "By market", found.markets, {"market": _text("market"), **_MADE},
            first if len(found.markets) == most else "",
        ),
        _grid(
            "By day", found.days, {"day (UTC)": _day, **_MADE},
            first if len(found.days) == most else "",
        ),
        _positions(run, found),
        _grid("What orders cost", found.costs, _COSTS, _FROM_MID),
        _models(found.models),
        _grid("What was refused", found.refused, {"times": _count("times"), "why": _text("why")}),
        _grid("Troubles", found.kinds, _KINDS),
        _grid("The latest troubles", found.troubles, _TROUBLES),
        _settings(found.about),
    ]  # fmt: skip
    return [grid for grid in made if grid.rows]


def _grid(title: str, rows: Rows, columns: Mapping[str, Column], note: str = "") -> Grid:
    cells = [[column(row) for column in columns.values()] for row in rows]
    return Grid(title, [*columns], cells, note)


def _text(name: str) -> Column:
    return lambda row: Cell(str(row[name] or _NONE), str(row[name] or ""))


def _count(name: str) -> Column:
    return lambda row: Cell(f"{row[name]:,}", float(row[name]))


def _time(name: str) -> Column:
    return lambda row: Cell(_NONE if row[name] is None else write_time(row[name]), row[name] or 0)


def _money(name: str, *, signed: bool = True) -> Column:
    def cell(row: Row) -> Cell:
        if row[name] is None:
            return Cell(_NONE, 0.0)
        market = row.get("market") or f":/{row['currency']}"
        text = money(row[name], market, signed=signed)
        return Cell(text, float(row[name]), mood(row[name]) if signed else "")

    return cell


def _bps(name: str) -> Column:
    def cell(row: Row) -> Cell:
        part = row[name]
        return Cell(_NONE, 0.0) if part is None else Cell(bps(part), part, mood(part))

    return cell


def _cost(name: str) -> Column:
    def cell(row: Row) -> Cell:
        cost = row[name]
        return Cell(_NONE, 0.0) if cost is None else Cell(bps(cost / 1e4), cost)

    return cell


def _number(name: str) -> Column:
    return lambda row: Cell(
        _NONE if row[name] is None else short(row[name]), float(row[name] or 0.0)
    )


def _day(row: Row) -> Cell:
    day: date = row["day"]
    return Cell(day.isoformat(), day.isoformat())


def mood(number: float) -> str:
    """Return what a number means to whoever earns it."""
    return "good" if number > 0 else "bad" if number < 0 else ""


_MADE: dict[str, Column] = {
    "positions": _count("positions"),
    "won": lambda row: Cell(percent(row["share"]), row["share"]),
    "PnL": _money("pnl"),
    "fees": _money("fees", signed=False),
    "mean return": _bps("net"),
    "best": _bps("best"),
    "worst": _bps("worst"),
    "held, mean": lambda row: Cell(lasted(int(row["held"])), row["held"]),
}
_COSTS: dict[str, Column] = {
    "market": _text("market"),
    "order": _text("action"),
    "orders": _count("orders"),
    "with a book": _count("known"),
    "expected": _cost("expected"),
    "realised": _cost("realised"),
    "worse by": _cost("worse"),
    "fees": _money("fees", signed=False),
}
_FROM_MID = (
    "Basis points from the mid of the book that the expectation came from; above 0 is worse. "
    "Fees are in the quote currency."
)
_KINDS: dict[str, Column] = {
    "kind": _text("kind"), "times": _count("times"), "last (UTC)": _time("at"),
}  # fmt: skip
_TROUBLES: dict[str, Column] = {
    "at (UTC)": _time("at"), "market": _text("market"), "kind": _text("kind"),
    "what": _text("what"),
}  # fmt: skip
_POSITIONS: dict[str, Column] = {
    "market": _text("market"),
    "": _count("position"),
    "side": _text("side"),
    "opened (UTC)": _time("opened"),
    "amount": _number("amount"),
    "entry": _number("entry"),
    "for": _text("reason"),
    "closed (UTC)": _time("closed"),
    "exit": _number("exit"),
    "left for": _text("why"),
    "PnL": _money("pnl"),
    "return": _bps("net_return"),
}


def _positions(run: Run, found: Figures) -> Grid:
    rows = found.positions
    whole = max(sum(row["positions"] for row in found.totals), len(rows))
    shown = "All" if whole == len(rows) else f"The latest {len(rows):,} of {whole:,}"
    first = Name(run.run, rows[0]["market"], rows[0]["position"]) if rows else ""
    note = (
        f"{shown}. A click shows it above; its story: deck explain {first}; all of them: "
        f"deck history show positions --run {run.run[:8]} --last 0"
    )
    made = _grid("Positions", rows, _POSITIONS, note)
    names = [(row["market"], row["position"]) for row in rows]
    return Grid(made.title, made.heads, made.rows, made.note, names)


def _models(rows: Rows) -> Grid:
    """Return what each market's model scored at the end, whatever its scores are called."""
    metrics = [(row["market"], dict(row["metrics"])) for row in rows]
    names = list(dict.fromkeys(name for _, scores in metrics for name in scores))
    cells = [
        [Cell(market, market), *(_score(scores.get(name)) for name in names)]
        for market, scores in metrics
    ]
    return Grid("What the models knew at the end", ["market", *names], cells)


def _score(score: float | None) -> Cell:
    if score is None:
        return Cell(_NONE, 0.0)
    return Cell(f"{score:,.0f}" if score == int(score) else f"{score:.4g}", score)


def _settings(about: Rows) -> Grid:
    """Return what the run was started with, nested names with dots between."""
    rows = [
        [Cell(name, name), Cell(value, value)]
        for row in about
        for name, value in _flat("", orjson.loads(row["settings"]))
    ]
    return Grid("Settings", ["name", "value"], rows)


def _flat(above: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            pair
            for name, inner in value.items()
            for pair in _flat(f"{above}.{name}" if above else name, inner)
        ]
    return [] if value in (None, "") else [(above, str(value))]
