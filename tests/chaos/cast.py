"""Who runs in a home: its processes, by what they do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import psutil

Role: TypeAlias = str

_SERVERS = {
    "infra.history.server": "history",
    "infra.log.server": "log",
    "infra.deploy.flow": "worker",
}


def cast(home: Path) -> dict[Role, list[psutil.Process]]:
    """Return the processes of a home, by role, in the order in which they were started."""
    found: dict[Role, list[psutil.Process]] = {}
    for process in sorted(_of(home), key=lambda one: one.pid):
        with suppress(psutil.Error):
            role = _role(process)
            if role is not None:
                found.setdefault(role, []).append(process)
    return found


def killed(home: Path) -> None:
    """End all processes of a home."""
    for process in _of(home):
        with suppress(psutil.Error):
            process.kill()
            process.wait()


def _of(home: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get("TAPEDECK_HOME") == str(home):
                yield process


def _role(process: psutil.Process) -> Role | None:
    words = process.cmdline()
    for module, role in _SERVERS.items():
        if module in words:
            queue = role == "log" and any(word.endswith("/orders") for word in words)
            return "orders" if queue else role
    for command in ("ingest", "executor"):
        if command in words:
            return command
    if any(word.endswith("supervisord") for word in words):
        return "supervisor"
    if any(word.endswith("hasty_parent.py") for word in words):
        return "parent"
    return "worker" if any("spawn_main" in word for word in words) else None
