"""What goes wrong behind the log: in the end history is, row for row, that of a run in peace.

A deployment reads a log that grows. Its processes, its history and its disk suffer; the log does
not.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from typing import TypeAlias

import orjson

from connectors.log.sqlite_writer import SqliteWriter
from infra.deploy import status as states
from infra.deploy.deployment import Deployment, Place
from infra.deploy.keeper import GAVE_UP
from infra.running.sources import FromLog
from tests.chaos.again import NAME, Lived, history, see_replay
from tests.chaos.cast import cast, killed
from tests.chaos.faults import ALL, Fault, draw, strike
from tests.chaos.kept import Kept
from tests.chaos.trouble import Troubles
from tests.infra.rig import LEARNED, SMA, recording

PARENT = (sys.executable, Path(__file__).with_name("hasty_parent.py"), NAME)
PATIENCE = 120.0
_FLOWS = (SMA, LEARNED)
_CHOICES = [
    (kind, role)
    for role in ("worker", "parent", "history")
    for kind in ALL
    if (kind, role) != ("end", "worker")  # the parent asks it so to drain: it is no death
]
_FEED_SECONDS = 5.0

Tape: TypeAlias = "Sequence[tuple[str, bytes]]"
"""Markets and messages, in order."""


def run(seed: int, home: Path) -> Lived:
    """Live through what a seed brings, and see that history is the same as in peace.

    Parameters
    ----------
    seed
        Draws the flow, the processes and the faults.
    home
        A directory that is made; another one is made beside it.

    """
    random = Random(seed)
    flow, processes = random.choice(_FLOWS), random.randint(1, 2)
    lived = live(home, flow, processes, draw(random, _CHOICES, random.randint(2, 5)))
    assert {"candles", "closed", "halts"} <= lived.rows.keys()
    see_replay(home, FromLog(Place(home, NAME).tape), lived.rows)
    return lived


def live(home: Path, flow: Path, processes: int, faults: Sequence[Fault]) -> Lived:
    """Let a deployment read a tape to its end while faults happen, and return what it left."""
    home.mkdir(mode=0o700)
    place, begun = Place(home, NAME), time.monotonic()
    patient = {"deaths": "99"}
    place.save(Deployment(NAME, str(flow), "replay:made", processes=processes, options=patient))
    struck: list[str] = []
    with ExitStack() as held:
        held.callback(killed, home)
        troubles = held.enter_context(closing(Troubles(home)))
        log = held.enter_context(closing(SqliteWriter(place.tape)))
        parent = held.enter_context(closing(Kept(PARENT, home, troubles.environment, GAVE_UP)))
        _until(states.RUNNING, parent, place)
        for after in _fed(log, _tape(home)):
            parent.look()
            while faults[len(struck) :] and faults[len(struck)].after <= after:
                fault = faults[len(struck)]
                met = strike(fault, cast(home).get(fault.role, ()), troubles)
                struck.append(str(fault) if met else f"({fault})")
        place.fed.touch()
        _until(states.FINISHED, parent, place)
        status = states.load(place.status)
        restarts = status.restarts if status else 0
        return Lived(history(home), time.monotonic() - begun, restarts, struck)


def _tape(home: Path) -> Tape:
    """Return a tape with every kind of outside event on it."""
    lines = recording(home / "made.jsonl").read_bytes().splitlines()
    return [(orjson.loads(line)["market"], line) for line in lines]


def _fed(log: SqliteWriter, tape: Tape) -> Iterator[float]:
    """Write a tape into a log as time passes, and yield how much of it is there, from 0 to 1."""
    begun, put = time.monotonic(), 0
    while put < len(tape):
        due = int(len(tape) * (time.monotonic() - begun) / _FEED_SECONDS)
        log.write(tape[put:due])
        put = min(due, len(tape))
        yield put / len(tape)
        time.sleep(0.01)  # the tape's time passes


def _until(state: str, parent: Kept, place: Place) -> None:
    """Wait until a deployment is in a state; one that has finished has no parent."""
    deadline = time.monotonic() + PATIENCE
    while not (_state(place) == state and (state != states.FINISHED or parent.over)):
        assert time.monotonic() < deadline, f"outran its time: {states.load(place.status)}"
        parent.look()
        time.sleep(0.02)  # others do all of it


def _state(place: Place) -> str:
    status = states.load(place.status)
    return status.state if status else ""
