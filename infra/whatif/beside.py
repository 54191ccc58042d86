"""Two or three runs side by side: what differs in their settings, figures and positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from infra.currencies import mixed
from infra.times import write_time
from infra.whatif.pairs import Pairs, pair
from infra.whatif.sides import Held, Side
from infra.whatif.values import NOTHING

LISTED = 5
"""How many positions of each kind are told one by one."""


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


_FIGURES: Mapping[str, Callable[[Side], str]] = {
    "positions": lambda side: f"{len(side.held):,}",
    "won": lambda side: _number(side.won, ".1%"),
    "gross": lambda side: f"{side.gross_return:+.2%}",
    "return": lambda side: f"{side.net_return:+.2%}",
    "PnL": lambda side: f"{side.pnl:+,.2f}",
    "fees": lambda side: f"{side.fees:,.2f}",
    "drawdown": lambda side: f"{side.drawdown:,.2f}",
    "signals": lambda side: f"{side.counts['signals']:,}",
    "refused": lambda side: f"{side.counts['refused']:,}",
    "faults": lambda side: f"{side.counts['faults']:,}",
    "model's log loss": lambda side: _number(side.log_loss, ".4f"),
}


def differing(sides: Sequence[Side]) -> dict[str, list[str]]:
    """Return the settings that are not the same in all runs, and what each has."""
    names = dict.fromkeys(name for side in sides for name in side.settings)
    was = {name: value for side in sides for name, value in side.was.items()}
    found = {
        name: [side.settings.get(name, was.get(name, NOTHING)) for side in sides] for name in names
    }
    return {name: values for name, values in found.items() if len(set(values)) > 1}


def tables(sides: Sequence[Side]) -> Iterator[Table]:
    """Yield what is to be seen: settings, figures, and the positions that are not the same."""
    grid = _grid("side by side", ["", *(f"{side.label}\n{side.run.run[:8]}" for side in sides)])
    for name, values in differing(sides).items():
        grid.add_row(name, *values)
    grid.add_section()
    for name, figure in _FIGURES.items():
        cells = [figure(side) for side in sides]
        if set(cells) - {"–", "0"}:
            grid.add_row(name, *cells)
    yield grid
    one, other = sides[-2:]
    pairs = pair(one.held, other.held)
    if pairs.different or pairs.only_one or pairs.only_other:
        yield _positions(one.label, other.label, pairs)


def lines(sides: Sequence[Side]) -> Iterator[str]:
    """Yield what is to be said of them."""
    one, other = sides[-2:]
    pairs = pair(one.held, other.held)
    yield (
        f"of the same decisions: {pairs.both:,} positions in both, {pairs.same:,} of them the same "
        f"and {len(pairs.different):,} with another end; {len(pairs.only_one):,} only in "
        f"{one.label}, {len(pairs.only_other):,} only in {other.label}"
    )
    if apart := mixed(held.market for side in sides for held in side.held):
        yield f"PnL, fees and drawdown add up {apart} as if these were one: look at the returns"
    if len(sides) > 2:  # noqa: PLR2004 - a live run stands in front of two
        yield from _gap(*sides[:2])


def _gap(live: Side, paper: Side) -> Iterator[str]:
    """Yield what a live run made less or more than the same run on paper."""
    found, fees = pair(live.held, paper.held), paper.fees - live.fees
    yield (
        f"execution gap: {live.label} made {live.pnl - paper.pnl:+,.2f} beside the same run on "
        f"paper, {fees:+,.2f} of it by fees; {found.gap * 1e4:+.2f} bps a position, over "
        f"{found.both:,} that both had"
    )
    if live.fees and not paper.fees:
        yield "on paper nothing was paid: --set fees_bps=... to what the account pays"


def plain(sides: Sequence[Side]) -> dict[str, Any]:
    """Return the comparison as plain values."""
    one, other = sides[-2:]
    pairs = pair(one.held, other.held)
    return {
        "runs": [
            {
                "label": side.label, "run": side.run.run, "flow": side.run.flow,
                "mode": side.run.mode, "settings": dict(side.settings),
                "positions": len(side.held), "won": side.won, "pnl": float(side.pnl),
                "fees": float(side.fees), "gross_return": side.gross_return,
                "net_return": side.net_return, "drawdown": float(side.drawdown),
                "log_loss": side.log_loss, **side.counts,
            }
            for side in sides
        ],
        "settings": differing(sides),
        "both": pairs.both,
        "same": pairs.same,
        "different": [[_plain(a), _plain(b)] for a, b in pairs.different],
        "only": [[*map(_plain, pairs.only_one)], [*map(_plain, pairs.only_other)]],
        "gap": pair(sides[0].held, sides[1].held).gap,
    }  # fmt: skip


def _plain(held: Held) -> dict[str, Any]:
    return {**held._asdict(), "pnl": float(held.pnl), "fees": float(held.fees)}


def _positions(one: str, other: str, pairs: Pairs) -> Table:
    columns = ["decided", "market", "side", one, other]
    grid = _grid(f"positions that are not the same, the first {LISTED} of each kind", columns)
    listed: list[tuple[Held | None, Held | None]] = [
        *pairs.different[:LISTED],
        *((held, None) for held in pairs.only_one[:LISTED]),
        *((None, held) for held in pairs.only_other[:LISTED]),
    ]
    for decision, *ends in sorted((_decision(a or b), _told(a), _told(b)) for a, b in listed):
        grid.add_row(*decision, *ends)
    return grid


def _decision(held: Held | None) -> tuple[str, str, str]:
    assert held is not None  # noqa: S101 - one of two has it
    return write_time(held.decided), held.market, held.side


def _told(held: Held | None) -> str:
    return f"{held.pnl:+,.2f} {held.why}" if held is not None else "–"


def _grid(title: str, columns: Sequence[str]) -> Table:
    grid = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        grid.add_column(name, justify="right" if number and len(columns) < 5 else "left")  # noqa: PLR2004
    return grid
