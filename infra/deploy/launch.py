"""Become a program that is kept running: what the supervisor starts each one with.

    python -m infra.deploy.launch FILE

What the program is stands in a file, for only its owner's eyes: its environment may hold keys.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

LOCK = ".lock"
OURS = ("TAPEDECK_", "CLICKHOUSE_", "EXCHANGE_", "KAFKA_")
"""How the names of variables begin that are for us."""


def environment(kept: Mapping[str, str], ambient: Mapping[str, str]) -> dict[str, str]:
    """Return what a program is given: of ours only what was kept, and all else as it is.

    Examples
    --------
    >>> environment({"KAFKA_BOOTSTRAP": "b:1"}, {"KAFKA_BOOTSTRAP": "a:1", "HOME": "/me"})
    {'HOME': '/me', 'KAFKA_BOOTSTRAP': 'b:1'}

    """
    others = {name: value for name, value in ambient.items() if not name.startswith(OURS)}
    return {**others, **kept}


def main(path: Path) -> None:
    """Wait until nobody else is what we are to be, then be it."""
    hold(path.with_suffix(LOCK))
    program = json.loads(path.read_bytes())
    if program["behind"]:
        _wait(Path(program["behind"]))
    words = [str(word) for word in program["arguments"]]
    os.chdir(Path(__file__).parents[2])
    given = environment(program["kept"], os.environ)
    os.execve(sys.executable, [sys.executable, *words], given)  # noqa: S606 - our own program


def hold(lock: Path) -> None:
    """Wait for one of us whose supervisor died; then say who we are, for as long as we live."""
    held = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    os.ftruncate(held, 0)
    os.pwrite(held, str(os.getpid()).encode(), 0)
    os.set_inheritable(held, True)  # what we become holds it, too


def holder(lock: Path) -> int | None:
    """Return the process that holds a lock, if one does."""
    if not lock.exists():
        return None
    with lock.open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            said = file.read()
            return int(said) if said.isdigit() else None
    return None


def _wait(lock: Path) -> None:
    """Wait until whoever holds a lock is over: it was started by somebody else, and lives on."""
    lock.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock.touch(mode=0o600)
    with lock.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
