"""What processor time processes take, by name, and what is left for others."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import NamedTuple

import psutil

OTHERS = "others"
"""All else on the machine: the system's own work for us, a broker, and who else is there."""
_CORES = os.cpu_count() or 1
_FULL = 90.0


class Used(NamedTuple):
    """Percent of one core, and MB of memory, by name."""

    percent: dict[str, float]
    megabytes: dict[str, float]

    def bottleneck(self) -> str:
        """Name what has no processor time left, or is nearest to it."""
        ours = {name: used for name, used in self.percent.items() if name != OTHERS}
        most = max(ours, key=ours.__getitem__)
        if ours[most] >= _FULL:
            return f"{most}: its core is full"
        if sum(self.percent.values()) >= _FULL * _CORES:
            return f"the machine: all {_CORES} cores are full"
        return f"no core is full; {most} uses most"


class Processor:
    """Watches some processes from now on.

    Parameters
    ----------
    pids
        By name.

    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._processes = {name: psutil.Process(pid) for name, pid in pids.items()}
        self._begun, self._before = time.monotonic(), self._seconds()
        psutil.cpu_percent()  # the next call tells of the time since this one

    def used(self) -> Used:
        """Return what they have taken since."""
        passed = time.monotonic() - self._begun
        percent = {
            name: 100 * (seconds - self._before[name]) / passed
            for name, seconds in self._seconds().items()
        }
        percent[OTHERS] = max(psutil.cpu_percent() * _CORES - sum(percent.values()), 0.0)
        memory = {name: p.memory_info().rss / 1e6 for name, p in self._processes.items()}
        return Used(percent, memory)

    def _seconds(self) -> dict[str, float]:
        times = {name: process.cpu_times() for name, process in self._processes.items()}
        return {name: found.user + found.system for name, found in times.items()}
