"""A market that is fed into a log and a flow that trades it on paper, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.processor import Processor, Used
from benchmarks.runs import ROOT
from connectors.log.holder import holder
from infra.log.log import MarketLog
from infra.settings import Settings

_STOP_SECONDS = 60.0
_CAUGHT_UP_SECONDS = 300.0
_NEAR_MS = 1_000.0
_LOOK_SECONDS = 0.5


class Piped:
    """A process of ours that answers each line with a line."""

    def __init__(self, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def line(self) -> str:
        """Return what it says next."""
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe
        said = self.process.stdout.readline()
        if not said:
            raise RuntimeError("it ended: see what it said above")
        return said

    def ask(self, line: str = "") -> str:
        """Say something, and return the answer."""
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        print(line, file=self.process.stdin, flush=True)
        return self.line()

    def end(self) -> float:
        """Stop it with TERM; return how many seconds that took."""
        begun = time.time()
        self.process.terminate()
        self.process.wait(_STOP_SECONDS)
        return time.time() - begun


@contextmanager
def _ended(piped: Piped) -> Iterator[Piped]:
    with piped.process:
        try:
            yield piped
        finally:
            piped.process.kill()


class Came(NamedTuple):
    """What came to the outlets in some seconds."""

    number: int
    p50: float
    p99: float


class Flow:
    """A flow at work."""

    def __init__(self, piped: Piped, begun: float) -> None:
        self._piped = piped
        self.pid = piped.process.pid
        self.started = float(piped.line()) - begun
        """Seconds from its start to the first event that it handled."""

    def came(self) -> Came:
        """Return what came to the outlets since the last call."""
        return Came(**json.loads(self._piped.ask()))

    def until_now(self) -> None:
        """Wait until it has read what was before."""
        deadline = time.monotonic() + _CAUGHT_UP_SECONDS
        while not 0 <= self.came().p50 < _NEAR_MS:
            if time.monotonic() > deadline:
                raise RuntimeError("the flow does not catch up")
            time.sleep(_LOOK_SECONDS)

    def stop(self) -> float:
        """Stop it; return how many seconds that took."""
        return self._piped.end()


class Feed:
    """A feed at work."""

    def __init__(self, piped: Piped) -> None:
        self._piped = piped
        self.pid = piped.process.pid
        piped.line()  # the past is in the log

    def sent(self) -> int:
        """Return how many trades it has sent so far."""
        return int(self._piped.ask())

    def at(self, rate: float) -> None:
        """Send so many a second from now on."""
        self._piped.ask(f"{rate}")


@contextmanager
def feeding(settings: Settings, markets: int, minutes: int = 0, each: int = 10) -> Iterator[Feed]:
    """Feed so many markets into the log, behind so many minutes of `each` trades."""
    words = [str(settings.home), *map(str, (markets, minutes, each))]
    with _ended(Piped(["benchmarks.scale_feed", *words])) as piped:
        yield Feed(piped)


@contextmanager
def trading(settings: Settings, flow: str, store: Path | None, *words: str) -> Iterator[Flow]:
    """Trade on paper; without a store, without snapshots."""
    begun = time.time()
    line = [str(settings.home), flow, str(store or "-"), *words]
    with _ended(Piped(["benchmarks.scale_flow", *line])) as piped:
        yield Flow(piped, begun)


def processor(settings: Settings, feed: Feed, flow: Flow) -> Processor:
    """Watch the processor time of all that takes part."""
    pids = {"feed": feed.pid, "flow": flow.pid}
    if (writer := holder(MarketLog(settings).directory)) is not None:
        pids["log writer"] = writer.pid
    return Processor(pids)


class Step(NamedTuple):
    """What was seen at a rate."""

    rate: float
    came: Came
    used: Used
    sent: float
    """Trades a second that were really sent."""

    def holds(self) -> bool:
        """Tell whether it could go on so."""
        return self.came.p99 < _NEAR_MS and self.sent > 0.98 * self.rate


def at_rate(settings: Settings, feed: Feed, flow: Flow, rate: float, seconds: float) -> Step:
    """Feed at a rate, a second to get there and so many to look."""
    feed.at(rate)
    time.sleep(1.0)
    watched = processor(settings, feed, flow)
    flow.came()
    begun, before = time.monotonic(), feed.sent()
    time.sleep(seconds)
    passed, after = time.monotonic() - begun, feed.sent()
    return Step(rate, flow.came(), watched.used(), (after - before) / passed)
