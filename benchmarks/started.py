"""What taking in is measured with: a load exchange and `deck ingest`, in processes of their own.

Each is in a session of its own, so that Ctrl-C reaches us only, and we stop it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from benchmarks.load import SYMBOLS
from benchmarks.runs import ROOT
from infra.settings import Settings

_STOP_SECONDS = 30.0


@dataclass(frozen=True)
class Load:
    """What an exchange sends: trades and updates of books a second, of all markets together."""

    markets: int
    rate: float
    books: float


class State(TypedDict):
    """How far an exchange is."""

    ready: bool
    """Whether all that can be listened to is."""
    trades: int
    """Sent so far."""
    time: float
    """When that was, in seconds of some clock."""


class Exchange:
    """A load exchange that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid
        self.url = f"http://127.0.0.1:{int(self._line())}"

    def ask(self, line: str = "state") -> State:
        """Return how far it is; `pause` stops it."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        print(line, file=self._process.stdin, flush=True)
        found: State = json.loads(self._line())
        return found

    def _line(self) -> str:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load exchange ended: see what it said above")
        return line


@contextmanager
def started_exchange(load: Load) -> Iterator[Exchange]:
    """Run a load exchange."""
    numbers = map(str, (load.markets, load.rate, load.books))
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load", *numbers],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    with process:
        try:
            yield Exchange(process)
        finally:
            process.kill()


class Ingest:
    """A `deck ingest` that runs, as a user's does."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self._process, self._output = process, output
        self.pid = process.pid

    def check(self) -> None:
        """See that it has not ended."""
        if self._process.poll() is not None:
            said = self._output.read_text(errors="replace").strip()
            raise RuntimeError(f"deck ingest ended by itself: {said[-1_000:]}")


@contextmanager
def started_ingest(settings: Settings, load: Load, url: str) -> Iterator[Ingest]:
    """Take in all markets of a load exchange, without history."""
    markets = ",".join(f"binance:{SYMBOLS.format(n)}/USDT" for n in range(load.markets))
    command = ["-m", "infra", "ingest", "--markets", markets, "--no-history"]
    environment = {**os.environ, "TAPEDECK_HOME": str(settings.home)}
    environment["EXCHANGE_URLS"] = f"binance={url}"
    if settings.kafka is not None:
        command.append("--kafka")
        environment["KAFKA_TOPIC"] = settings.kafka.topic
    path = settings.home / "ingest.txt"
    with path.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, env=environment,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        with process:
            try:
                yield Ingest(process, path)
            finally:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # who runs us in the background has SIGINT ignored, and so has ingest
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"deck ingest did not end within {_STOP_SECONDS:.0f} s", file=sys.stderr)
    finally:
        process.kill()
