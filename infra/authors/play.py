"""Play a tape through a flow, here and now, and return what it concluded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import bytewax.operators as op
import orjson
from bytewax.dataflow import Dataflow
from bytewax.operators import KeyedStream
from bytewax.testing import TestingSink, TestingSource

from connectors.events_file import line
from connectors.recordings.tracks import Item
from infra.running import engine
from infra.running.flowfile import Flow
from infra.running.sources import Files
from infra.running.worker import Job, tape_of
from infra.settings import Settings
from infra.times import write_time
from operators import conclude
from operators.tape import Strip, Tape
from schemas.tables import Record

Concluded: TypeAlias = dict[str, list[bytes]]
"""A line for each event, by market."""


def build(path: Path, flow: Flow, stream: KeyedStream[Strip]) -> Tape:
    """Let a flow have a stream as its tape.

    Raises
    ------
    FlowError
        When it does not take it.

    """
    job = Job(path, Files(()), costs=flow.costs, history=False, settings=Settings(Path()))
    return tape_of(job, flow, stream)


def play(path: Path, flow: Flow, items: Sequence[Item], store: Path | None = None) -> Concluded:
    """Play a tape through a flow, in this thread.

    Parameters
    ----------
    path, flow
        The flow, and where it stands.
    items
        The tape.
    store
        Where the flow's state is kept, and what it goes on from; see `stored`.

    Raises
    ------
    DamagedError
        When its state cannot be kept.

    """
    records: list[list[Record]] = []
    dataflow = Dataflow(flow.name)
    stream = op.input("replay", dataflow, TestingSource(items))
    concluded = op.map("records", conclude("conclude", build(path, flow, stream)), lambda kv: kv[1])
    op.output("out", concluded, TestingSink(records))
    engine.run(dataflow, store)
    lines: Concluded = {}
    for piece in records:
        for record in piece:
            lines.setdefault(record.event.market, []).append(line(record))
    return lines


@contextmanager
def stored() -> Iterator[Path]:
    """Give a place for the state of a flow, for as long as it is looked at."""
    with TemporaryDirectory(prefix="tapedeck-") as directory:
        engine.prepare(Path(directory))
        yield Path(directory)


def differing(one: Concluded, other: Concluded) -> str:
    """Say which event is the first that is not the same; nothing if all are."""
    for market in sorted(one.keys() | other.keys()):
        ours, theirs = one.get(market, []), other.get(market, [])
        for n in range(max(len(ours), len(theirs))):
            a, b = ours[n : n + 1], theirs[n : n + 1]
            if a != b:
                return f"{market}: {_short(a)}, then {_short(b)}"
    return ""


def _short(lines: list[bytes]) -> str:
    if not lines:
        return "nothing"
    event = orjson.loads(lines[0])
    return f"{event['type']} {event['seq']} at {write_time(event['ts'])}"
