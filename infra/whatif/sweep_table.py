"""A sweep for people and for programs: its cells in order, the walk over its folds, its warning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from rich import box
from rich.table import Table

from connectors.disk import kept
from infra.currencies import mixed
from infra.screen import Misused
from infra.times import write_time
from infra.whatif import luck
from infra.whatif.folds import Fold
from infra.whatif.sweeping import Row, Sweep
from infra.whatif.tried import Figures

SHOWN = 15
"""How many of the best are shown."""
FORMS = (".parquet", ".json", ".csv")
_TOLD = 3
"""How many errors are told one by one."""


def tables(sweep: Sweep) -> Iterator[Table]:
    """Yield the best cells, and the walk."""
    axes = sweep.asked.axes
    title = f"the best of {len(sweep.rows):,} cells, chosen by {sweep.asked.by}"
    if sweep.folds:
        title += f", up to {write_time(sweep.folds[-1].at)}, and from there on"
    grid = _grid(title, [axis.short for axis in axes], ["positions", "won", *_halves(sweep)])
    for row in sweep.rows[:SHOWN]:
        if not row.tried.error:
            cell = dict(row.tried.changes)
            grid.add_row(*(cell[axis.name] for axis in axes), *_figures(row, sweep))
    yield grid
    if sweep.folds:
        yield _walk(sweep)


def _halves(sweep: Sweep) -> list[str]:
    names = ["PnL", *(["return"] if _by_return(sweep) else []), "Sharpe", "drawdown"]
    return [*(f"{name} then" for name in names), "PnL after"] if sweep.folds else names


def _by_return(sweep: Sweep) -> bool:
    return sweep.asked.by == "return"


def _figures(row: Row, sweep: Sweep) -> list[str]:
    past = row.chosen_by
    cells = [
        f"{past.positions:,}", _part(past.won), f"{past.pnl:+,.2f}",
        *([f"{past.net_return:+.2%}"] if _by_return(sweep) else []),
        _ratio(past.sharpe), f"{past.drawdown:,.2f}",
    ]  # fmt: skip
    return [*cells, f"{row.next.pnl:+,.2f}"] if row.next is not None else cells


def _walk(sweep: Sweep) -> Table:
    """Return what would have come of choosing again and again."""
    names = [axis.short for axis in sweep.asked.axes]
    grid = _grid("walking forward", ["from", "until"], [*names, "PnL then", "PnL after"])
    by_number = {row.number: dict(row.tried.changes) for row in sweep.rows}
    for fold in sweep.folds:
        cell = by_number.get(fold.chosen, {}) if fold.chosen is not None else {}
        grid.add_row(
            write_time(fold.at), write_time(fold.end),
            *(cell.get(axis.name, "–") for axis in sweep.asked.axes),
            f"{fold.past.pnl:+,.2f}", f"{fold.next.pnl:+,.2f}",
        )  # fmt: skip
    total = sum(fold.next.pnl for fold in sweep.folds)
    grid.add_section()
    grid.add_row("all", "", *("" for _ in names), "", f"{total:+,.2f}", style="bold")
    return grid


def lines(sweep: Sweep) -> Iterator[str]:
    """Yield what is to be said of a sweep."""
    if warning := luck.said(sweep.luck, len(sweep.rows)):
        yield warning


def troubles(sweep: Sweep) -> Iterator[str]:
    """Yield what went wrong."""
    if apart := mixed({one.market for row in sweep.rows for one in row.tried.positions}):
        yield f"PnL adds up {apart} as if these were one: --by return, or --markets of one currency"
    failed = sweep.failed
    if failed:
        yield f"{len(failed):,} of {len(sweep.rows):,} cells failed; the others went on"
    for row in failed[:_TOLD]:
        cell = ", ".join("=".join(one) for one in row.tried.changes)
        yield f"  {cell}: {row.tried.error}"
    if faults := sum(row.tried.faults > 0 for row in sweep.rows):
        yield (
            f"in {faults:,} cells the flow itself failed, and its markets only left positions "
            f"since: deck replay shows the faults"
        )


def plain(sweep: Sweep) -> dict[str, Any]:
    """Return a sweep as plain values; the same for any number of processes."""
    found = sweep.luck
    return {
        "by": sweep.asked.by,
        "span": sweep.span,
        "cells": rows(sweep),
        "folds": [_fold(fold) for fold in sweep.folds],
        "walk": float(sum(fold.next.pnl for fold in sweep.folds)),
        "luck": None if found is None else vars(found),
        "said": luck.said(found, len(sweep.rows)),
        "failed": len(sweep.failed),
        "finished": sweep.finished,
    }


def rows(sweep: Sweep) -> list[dict[str, Any]]:
    """Return the cells as plain values, the best first."""
    return [
        {
            "cell": row.number, **dict(row.tried.changes),
            **_plain("", row.whole), **_plain("past_", row.past), **_plain("next_", row.next),
            "log_loss": row.tried.log_loss, "faults": row.tried.faults, "error": row.tried.error,
        }
        for row in sweep.rows
    ]  # fmt: skip


def _plain(prefix: str, made: Figures | None) -> dict[str, Any]:
    if made is None:
        return {}
    figures = {**made._asdict(), "pnl": float(made.pnl), "fees": float(made.fees)}
    figures["drawdown"] = float(made.drawdown)
    return {f"{prefix}{name}": value for name, value in figures.items()}


def _fold(fold: Fold) -> dict[str, Any]:
    return {
        "begin": fold.begin, "at": fold.at, "end": fold.end, "chosen": fold.chosen,
        **_plain("past_", fold.past), **_plain("next_", fold.next),
    }  # fmt: skip


def check(path: Path) -> None:
    """See that cells can be written by this name, before they are tried."""
    if path.suffix not in FORMS:
        raise Misused(f"--output {path}: name it {', '.join(FORMS[:-1])} or {FORMS[-1]}")


def write(sweep: Sweep, path: Path) -> None:
    """Write all cells into a file; how its name ends says in which form."""
    with kept("the cells", path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            path.write_bytes(orjson.dumps(plain(sweep), option=orjson.OPT_INDENT_2))
            return
        import pyarrow as pa  # noqa: PLC0415 - only where it is wanted
        from pyarrow import csv, parquet  # noqa: PLC0415 - likewise

        table = pa.Table.from_pylist(rows(sweep))
        if path.suffix == ".csv":
            csv.write_csv(table, path)
        else:
            parquet.write_table(table, path)


def _part(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"


def _grid(title: str, left: Sequence[str], right: Sequence[str]) -> Table:
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in left:
        grid.add_column(name)
    for name in right:
        grid.add_column(name, justify="right")
    return grid
