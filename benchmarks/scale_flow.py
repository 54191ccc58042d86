"""A flow on the embedded log as `deck trade` runs it on paper, measured; a process of its own.

Its first line says when the first event was handled, in seconds of the system's clock. Each line
on standard input is answered with what came to the outlets since the last one. TERM stops it.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import sys
import threading
import time
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import infra.running.replay
from connectors.outlets import Outlet
from connectors.recordings.tracks import Item
from infra.running.sources import FromLog
from infra.running.worker import Job, Share
from infra.settings import Settings
from infra.trading.trading import Trading
from schemas import Candle
from schemas.tables import Record

_FUNCTIONS = 15


class Meter:
    """An outlet that looks at the clock when something concluded gets there."""

    def __init__(self) -> None:
        self.latencies = array("d")
        """Milliseconds since the trade that was behind it was put into the log."""
        self._begun = False

    def begin(self) -> None:
        """Say when the first event came."""
        if not self._begun:
            self._begun = True
            print(time.time(), flush=True)

    def resume(self, state: Mapping[str, object] | None) -> None:
        """Begin."""

    def write(self, records: list[Record]) -> None:
        """Take a market's next records."""
        now = time.time_ns()
        for _, event in records:
            if isinstance(event, Candle):
                self.latencies.append((now - event.ts) / 1e6)

    def snapshot(self) -> Mapping[str, object] | None:
        """Keep nothing."""
        return None

    def close(self) -> None:
        """Finish."""

    def answer(self) -> None:
        """Tell what came since the last line, for each line."""
        seen = 0
        for _ in sys.stdin:
            found = np.array(self.latencies[seen:])
            seen += len(found)
            p50, p99 = np.percentile(found, (50, 99)).tolist() if len(found) else (-1.0, -1.0)
            print(json.dumps({"number": len(found), "p50": p50, "p99": p99}), flush=True)


METER = Meter()


class _Measured(Share):
    def _seen(self, items: list[Item]) -> list[Item]:
        METER.begin()
        return list(super()._seen(items))

    def _outlets(self) -> Sequence[Outlet]:
        return [*super()._outlets(), METER]


def main(home: Path, flow: Path, store: Path | None, warm_up: str, *, profiled: bool) -> None:
    """Trade on paper until TERM."""
    infra.running.replay.Share = _Measured  # type: ignore[attr-defined]
    threading.Thread(target=METER.answer, daemon=True).start()
    origin = FromLog(follow=True)
    job = Job(
        flow=flow, origin=origin, since=warm_up, settings=Settings(home), trading=Trading(),
        history=False,
    )  # fmt: skip
    profile = cProfile.Profile()
    if profiled:
        profile.enable()
    infra.running.replay.replay(job, store, None, lambda _: None)
    if profiled:
        profile.disable()
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(_FUNCTIONS)


if __name__ == "__main__":
    words = sys.argv[1:]
    kept = None if words[2] == "-" else Path(words[2])
    main(Path(words[0]), Path(words[1]), kept, words[3], profiled="profile" in words)
