"""What is looked at in a flow, one thing after the other."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from time import process_time
from typing import NamedTuple

import bytewax.operators as op
import orjson
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource

from infra.authors import asked, lines, steady
from infra.authors.elsewhere import elsewhere
from infra.authors.enough import enough
from infra.authors.found import Found, place
from infra.authors.market import Row, strips
from infra.authors.play import Concluded, build, play, stored
from infra.authors.traps import Caught, Traps, traps
from infra.authors.written import written
from infra.running import flowfile
from infra.running.engine import DamagedError
from infra.running.flowfile import Flow, FlowError
from operators.predict import UnseededError
from schemas import Event

PIECE = 1_000
"""Rows handed over at once, where nothing else is said."""
SLOW = 1_000
"""Ticks a second: a lively market has as many."""

_REMEDIES = {
    "clock": "take the time from the tape: now.ts, or the event's ts",
    "chance": "decide by what is on the tape; a model is given a seed",
    "outside": "put it on the tape (deck values), or write it into the flow file as a constant",
    "sets": "sort it, or write a tuple: each process goes through a set in another order",
}
_NONE = {
    "clock": "it reads no clock",
    "chance": "it draws no lots",
    "outside": "it does no I/O",
    "sets": "nothing depends on the order of a set",
}


def looks(path: Path, rows: Sequence[Row], *, apart: bool = True) -> Iterator[Found]:
    """Look at a flow, also in a process `apart`; what follows from a fault is not looked at."""
    with traps() as caught:
        try:
            flow = flowfile.load(path)
            tape = build(path, flow, op.input("replay", Dataflow(flow.name), TestingSource([])))
        except FlowError as error:
            yield _not_built(path, error)
            return
        yield Found("builds", good=True, says="it is imported, and its steps fit together")
        yield Found("seeds", good=True, says="its models, if any, are seeded")
        draws = _draws()
        try:
            played = _played(path, flow, rows, caught)
        except DamagedError as error:
            yield _not_kept(path, error)
            return
        except Exception as error:  # noqa: BLE001 - a machine in the flow file may raise anything
            yield _failed(path, error)
            return
        if _draws() != draws:
            line = lines.mentioned(path, "random") or 1
            caught.note_line(Caught("chance", "numpy.random", path.absolute(), line))
    for kind, what, line in written(path):
        caught.note_line(Caught(kind, what, path.absolute(), line))
    yield _ran(path, played.concluded)
    yield from asked.looks(tape, played.counts, str(path))
    yield from _caught(caught)
    yield Found("state", good=True, says="its state can be kept in snapshots")
    yield pace(len(rows), played.seconds)
    yield from _in_every_form(path, played.short, played.whole, apart=apart)


class _Played(NamedTuple):
    """What a flow concluded, of the tape and of so much of it as is played again and again."""

    concluded: Concluded
    counts: Counter[type[Event]]
    """How often its rules were asked."""
    seconds: float
    short: Sequence[Row]
    whole: Concluded
    """What it concluded of the short one."""


def _played(path: Path, flow: Flow, rows: Sequence[Row], caught: Traps) -> _Played:
    """Play a flow as fast as it goes, and then as much as is looked at, with traps set."""
    with caught.lifted(), asked.counted() as counts:
        begun = process_time()
        concluded = play(path, flow, strips(rows, PIECE))
        seconds = process_time() - begun
    short = enough(rows, concluded, seconds)
    with stored() as store:
        whole = play(path, flowfile.load(path), strips(short, PIECE), store)
    return _Played(concluded, counts, seconds, short, whole)


def _in_every_form(
    path: Path, rows: Sequence[Row], whole: Concluded, *, apart: bool
) -> Iterator[Found]:
    """Let it have the tape again and again, as it may be handed over."""
    with elsewhere(path, rows) if apart else nullcontext() as other:
        for one in steady.looks(path, rows, whole):
            yield one
            if one.check == steady.REPEATS and not one.good:
                return  # what does not repeat itself here does not do so elsewhere
        if other is not None:
            yield other.look(path, whole)


def _not_built(path: Path, error: FlowError) -> Found:
    cause = error.__cause__ or error
    where = place(path, flowfile.line_of(path, cause))
    if isinstance(cause, UnseededError):
        return Found("seeds", False, str(cause), where, "give it one, such as seed=1")
    return Found("builds", False, str(error), where, "mend that line, and check again")


def _failed(path: Path, error: BaseException) -> Found:
    """Return what is told of a step that raised: the engine's own words stand around it."""
    while error.__cause__ is not None:
        error = error.__cause__
    said = flowfile.explain(path, error)
    return Found("runs", False, said, place(path, flowfile.line_of(path, error)), "mend that line")


def _ran(path: Path, concluded: Concluded) -> Found:
    counts: dict[str, int] = {}
    for line in (line for lines_ in concluded.values() for line in lines_):
        event = orjson.loads(line)
        counts[event["type"]] = counts.get(event["type"], 0) + 1
        if event["type"] == "Fault":
            return _fault(path, event)
    told = ", ".join(
        f"{counts.get(kind, 0):,} {name}"
        for kind, name in (("Candle", "candles"), ("Signal", "signals"), ("Closed", "positions"))
    )
    return Found("runs", good=True, says=f"{told} on a simulated market")


def _fault(path: Path, event: Mapping[str, str]) -> Found:
    own = re.findall(rf"{re.escape(path.name)}:(\d+) in", event["traceback"])
    where = place(path, int(own[-1]) if own else None)
    says = f"its {event['where']} fails: {event['error']}"
    return Found("runs", False, says, where, "mend that line: a market with a fault enters nothing")


def _caught(caught: Traps) -> Iterator[Found]:
    """Say what was read beside the tape: one line of the flow's after the other."""
    for kind, none in _NONE.items():
        ours = [one for one in caught.caught if one.kind == kind]
        for one in ours:
            does = "goes through" if kind == "sets" else "calls"
            yield Found(kind, False, f"it {does} {one.what}", _near(one), _REMEDIES[kind])
        if not ours:
            yield Found(kind, good=True, says=none)


def _near(one: Caught) -> str:
    here = Path.cwd()
    return place(
        one.file.relative_to(here) if one.file.is_relative_to(here) else one.file, one.line
    )


def _draws() -> object:
    """Return where numpy's shared draws are."""
    numpy_random = sys.modules.get("numpy.random")
    return None if numpy_random is None else str(numpy_random.get_state())


def _not_kept(path: Path, error: DamagedError) -> Found:
    where = place(path, lines.named_in(path, str(error)))
    remedy = "use a function or a class of the file's top, not a lambda or one inside another"
    return Found("state", False, str(error), where, remedy)


def pace(rows: int, seconds: float) -> Found:
    """Say whether a flow that took so long for so many rows keeps up with a market."""
    speed = rows / max(seconds, 1e-9)
    says = f"{speed:,.0f} ticks a second"
    remedy = "do less in the rule, features and model, or fewer of them: fewer candles, say"
    return Found("pace", speed >= SLOW, says, "", "" if speed >= SLOW else remedy)
