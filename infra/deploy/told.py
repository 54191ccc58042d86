"""What the process that runs a flow tells its parent, and hears of it; light, for both read it."""

from __future__ import annotations

import signal
from typing import NamedTuple

from infra.running.far import Far

RESTART = signal.SIGUSR1
"""Asks a parent to have its flow go on in another process, which imports before the one drains."""
GO, CRASHED = b"g", b"c"
"""Tells a process that is ready to begin; the second, that the one before it crashed."""


class Ready(NamedTuple):
    """It has imported all that it needs, and waits until it is told to go."""


class At(NamedTuple):
    """It runs, and is so far."""

    run: str
    fars: list[Far]
    processes: tuple[int, ...]


class Said(NamedTuple):
    """A line for whoever looks after it."""

    text: str


class Over(NamedTuple):
    """It has ended by itself or because it was asked to; nothing is lost."""

    finished: bool
    lines: list[str]


class Failed(NamedTuple):
    """It cannot go on."""

    why: str
    again: bool = True
    """Whether it may help to start it again."""
    crash: bool = False
    """Whether it died of what it read or of itself, and not of what it needs."""
