"""Whether a flow concludes the same of the same tape, however it is handed over.

The flow is played again and again: cut at random points, in other pieces, with each market alone,
twice in one process, and ended and resumed half-way. What it concludes may never change.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import orjson

from infra.authors import lines
from infra.authors.found import Found, place
from infra.authors.market import Row, strips
from infra.authors.play import Concluded, differing, play, stored
from infra.running import flowfile
from schemas import SECOND, Trades

REPEATS = "repeats"
"""The look without which no other can be judged."""
CUTS = 3
_BATCHES = (1, 7)
_NOT_AHEAD = (
    "use only the event at hand and what was in front of it: not the columns behind a slice, not "
    "another market, not a variable of the module"
)
_TOLERANCE = 2 * SECOND
"""So much earlier than its cause's stamp an event may be stamped, and a bit more."""


def looks(path: Path, rows: Sequence[Row], whole: Concluded) -> Iterator[Found]:
    """Look at what a flow concludes of a tape in other forms; `whole` is what it is to be."""
    once, again, changed = _twice(path, rows)
    if said := differing(whole, once):
        remedy = "see what the checks above say, and what hashing may shuffle, such as a set"
        yield Found(REPEATS, False, f"two runs differ: {said}", str(path), remedy)
        return  # nothing can be compared with it
    yield Found(REPEATS, good=True, says="two runs conclude the same")
    blame = changed.place if changed else str(path)
    yield _ahead(path, rows, blame)
    yield _pieces(path, rows, whole, blame)
    yield _memory(path, rows, whole, again, changed)
    yield _resumes(path, rows, whole, blame)


def _afresh(path: Path, rows: Sequence[Row], batch: int | None) -> Concluded:
    return play(path, flowfile.load(path), strips(rows, batch))


def _ahead(path: Path, rows: Sequence[Row], blame: str) -> Found:
    """Cut the tape: what is in front of the cut must not tell of what is behind it."""
    draw = Random(1)  # noqa: S311 - the same cuts for everyone
    # Without books slices are long, and whoever looks into their columns sees far.
    bare = [row for row in rows if isinstance(row.event, Trades)]
    for tape in (rows, bare):
        whole = _afresh(path, tape, None)
        for n in (draw.randrange(len(tape) // 10, len(tape)) for _ in range(CUTS)):
            short = _afresh(path, tape[:n], None)
            if said := differing(_until(whole, short, tape[:n]), short):
                says = f"cut behind row {n:,} of {len(tape):,} it concludes other: {said}"
                return Found("look-ahead", False, says, blame, _NOT_AHEAD)
    says = f"cut at {2 * CUTS} random points, the tape gives the same up to each"
    return Found("look-ahead", good=True, says=says)


def _until(whole: Concluded, short: Concluded, rows: Sequence[Row]) -> Concluded:
    """Return what the whole tape gives, as far as a short one must give it, too."""
    last = {row.market: row.ts - _TOLERANCE for row in rows}
    return {
        market: [
            line
            for n, line in enumerate(events)
            if n < len(short.get(market, [])) or orjson.loads(line)["ts"] < last.get(market, 0)
        ]
        for market, events in whole.items()
    }


def _pieces(path: Path, rows: Sequence[Row], whole: Concluded, blame: str) -> Found:
    for batch in _BATCHES:
        if said := differing(whole, _afresh(path, rows, batch)):
            says = f"handed over {batch} rows at a time it concludes other: {said}"
            remedy = "let nothing depend on where slices begin and end"
            return Found("pieces", False, says, blame, remedy)
    return Found("pieces", good=True, says="handed over 1, 7 or 1,000 rows at a time: the same")


def _memory(
    path: Path, rows: Sequence[Row], whole: Concluded, again: Concluded, changed: _Variable | None
) -> Found:
    """See that all it remembers of a market is in its state."""
    remedy = "let it be computed from the Moment, or keep it in the state of a machine or model"
    for said, found in (
        ("run a second time in one process", again),
        ("with each market in a process of its own", _divided(path, rows)),
    ):
        if differs := differing(whole, found):
            says = f"{said} it concludes other: {differs}"
            return Found("memory", False, says, changed.place if changed else str(path), remedy)
    if changed:
        says = f"{changed.name} changes while it runs: all markets share it, and no crash spares it"
        return Found("memory", False, says, changed.place, remedy)
    return Found("memory", good=True, says="each market alone, and a second run: the same")


def _resumes(path: Path, rows: Sequence[Row], whole: Concluded, blame: str) -> Found:
    """End it half-way, and let it go on from its snapshot, as after a crash."""
    items = strips(rows, 1_000)
    with stored() as store:
        found = play(path, flowfile.load(path), items[: len(items) // 2], store=store)
        for market, events in play(path, flowfile.load(path), items, store=store).items():
            found[market] = found.get(market, []) + events
    if said := differing(whole, found):
        says = f"ended half-way and resumed it concludes other: {said}"
        remedy = "keep what lasts in the state of a machine or model: all else begins anew"
        return Found("resumes", False, says, blame, remedy)
    return Found("resumes", good=True, says="ended half-way, and resumed from a snapshot: the same")


def _divided(path: Path, rows: Sequence[Row]) -> Concluded:
    """Let each market be alone."""
    found: Concluded = {}
    for market in {row.market: None for row in rows}:
        found |= _afresh(path, [row for row in rows if row.market == market], 1_000)
    return found


class _Variable(NamedTuple):
    name: str
    place: str


def _twice(path: Path, rows: Sequence[Row]) -> tuple[Concluded, Concluded, _Variable | None]:
    """Return what two runs in one process conclude, and the first variable that they change."""
    flow = flowfile.load(path)
    before = _variables(path)
    once = play(path, flow, strips(rows, 1_000))
    after = _variables(path)
    changed = (name for name, value in before.items() if after.get(name) != value)
    found = (_Variable(name, place(path, lines.assigned(path, name))) for name in changed)
    return once, play(path, flow, strips(rows, 1_000)), next(found, None)


def _variables(path: Path) -> dict[str, object]:
    module = vars(sys.modules[f"flows.{path.stem}"])
    return {
        name: _frozen(value)
        for name, value in module.items()
        if not name.startswith("__") and not callable(value)
    }


def _frozen(value: object) -> object:
    """Return what a value is at this moment; a model's text says nothing of what it has learnt."""
    try:
        return pickle.dumps(value)
    except Exception:  # noqa: BLE001 - anything may stand in a module, and refuse in its own way
        return repr(value)
