"""A flow with settings of every kind, a tape for it, and what plays it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from connectors.log.sqlite_writer import SqliteWriter
from infra.history.history import History
from infra.running.replay import replay
from infra.running.sources import Files
from infra.running.worker import Job
from operators import Costs

FLOW = '''
"""Cross of two averages, all of whose numbers have names."""

from dataclasses import dataclass
from datetime import timedelta

from operators import (
    Averages, Barriers, Costs, Moment, Signal, Tape, averages, candles, entries, long, quote, trade,
)

FAST, SLOW = 2, 5
WINDOWS = (FAST, SLOW)
COSTS = Costs(fees_bps=2, latency_ms=50)
STOP = 0.002
BARRIERS = Barriers(stop_loss=STOP, take_profit=0.003, timeout=timedelta(minutes=30))
SIZE = quote(1_000)
LIMITS = {"above": 0.0}


def cross(now: Moment) -> Signal | None:
    """Long when the fast average crosses above the slow one."""
    if now.before is None:
        return None
    was, sma = now.before.averages.values, now.averages.values
    fast, slow = f"sma{FAST}", f"sma{SLOW}"
    if was[fast] <= was[slow] and sma[fast] > sma[slow] + LIMITS["above"]:
        return long(SIZE, reason="cross")
    return None


def always(now: Moment) -> Signal | None:
    """Long."""
    return long(SIZE, reason="always")


def strategy(tape: Tape) -> Tape:
    """Candles, averages, the rule, the trade."""
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, sma=WINDOWS)
    tape = entries("entries", tape, on=Averages, rule=cross)
    return trade("trade", tape, barriers=BARRIERS)
'''


@dataclass(frozen=True)
class Bench:
    """A flow and a tape, in a home with a history.

    Parameters
    ----------
    directory
        Where files are written.
    history
        Where runs are kept.
    tape
        The recording.

    """

    directory: Path
    history: History
    tape: Path

    def flow(self, *edits: tuple[str, str], name: str = "cross") -> Path:
        """Write the flow, edited."""
        text = FLOW
        for old, new in edits:
            assert old in text
            text = text.replace(old, new)
        place = self.directory / f"edited{abs(hash(edits))}" if edits else self.directory
        place.mkdir(exist_ok=True)
        path = place / f"{name}.py"
        path.write_text(text)
        return path

    def job(self, flow: Path | None = None, costs: Costs | None = None) -> Job:
        return Job(
            flow=flow or self.flow(),
            origin=Files((self.tape,)),
            costs=costs or Costs(fees_bps=2, latency_ms=50),
            settings=self.history.settings,
        )

    def played(self, job: Job) -> tuple[str, list[bytes]]:
        """Replay a job; return its run, and the events."""
        out = self.directory / "events.jsonl"
        done = replay(job, None, out, lambda _: None)
        return done.run, out.read_bytes().splitlines()

    def unkept(self, job: Job) -> list[bytes]:
        """Replay a job without history; return the events."""
        return self.played(replace(job, history=False))[1]


def log_of(tape: Path, directory: Path) -> Path:
    """Write a recording into a log."""
    with closing(SqliteWriter(directory, 2)) as writer:
        lines = tape.read_bytes().splitlines()
        writer.write([(orjson.loads(line)["market"], line) for line in lines], {})
    return directory


def closings(lines: Iterable[bytes]) -> list[dict[str, object]]:
    """Return the closed positions among events."""
    return [told for told in map(orjson.loads, lines) if told["type"] == "Closed"]
