"""Run something in a fresh process, and see what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Took:
    """What a run found, and the most memory it had."""

    found: dict[str, float]
    megabytes: float

    @property
    def speed(self) -> float:
        """Trades a second, from opening the file to the last number."""
        return self.found["trades"] / self.found["seconds"]


def plain_loop(data: Path) -> Took:
    """Run job J as a plain loop."""
    return _run(["-m", "benchmarks.loop", str(data)])


def replay(flow: str, data: Path, batch: int, processes: int = 1) -> Took:
    """Replay a flow, without history."""
    options = ["--batch", str(batch), "--processes", str(processes), "--no-history", "--json"]
    return _run(["-m", "infra", "replay", f"flows/{flow}.py", "--data", str(data), *options])


def typical(runs: list[Took]) -> float:
    """Return the median speed."""
    return median(run.speed for run in runs)


def _run(arguments: list[str]) -> Took:
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    with process.stdout as pipe:
        said = pipe.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        msg = f"{' '.join(arguments)} ended with {process.returncode}"
        raise RuntimeError(msg)
    return Took(json.loads(said), usage.ru_maxrss / 1024)
