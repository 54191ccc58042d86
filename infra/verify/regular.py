"""Checkpoints that are kept by themselves: where a run's code changes, and every so often."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import orjson

from connectors.disk import DiskError
from infra.recovery.layout import RUN
from infra.verify.checkpoints import CODE, VERIFY, Checkpoints

EVERY, MOST = "1d", 8
"""How often one is kept, and how many."""
_AGAIN = 600 * 10**9
"""When it is tried again, if the disk did not take it."""


def keep_end(store: Path, code: tuple[str, str]) -> None:
    """Keep where a run ended with its former code, if it is to go on with another.

    Parameters
    ----------
    store
        Its recovery store, in which nobody is at work.
    code
        The hash of its flow file now, and our version.

    Raises
    ------
    DiskError
        When it cannot be kept.

    """
    book = Checkpoints(store)
    if book.running() not in (None, code):
        book.take(CODE, code)


class Regular:
    """Keeps a checkpoint of a run every so often, by our clock, while it goes on.

    Parameters
    ----------
    store
        The run's recovery store.
    every
        Nanoseconds from one to the next.
    most
        How many are kept.
    log
        Is told of what went wrong.

    """

    def __init__(self, store: Path, every: int, most: int, log: logging.Logger) -> None:
        self._book, self._every, self._most, self._log = Checkpoints(store), every, most, log
        self._due = 0

    def look(self) -> None:
        """Take one if it is time."""
        now = time.time_ns()
        if now < self._due:
            return
        self._due = self._latest() + self._every
        if now < self._due:
            return
        self._due = now + min(self._every, _AGAIN)
        try:
            if self._book.take("regular") is not None:
                self._book.thin(self._most)
        except DiskError as error:
            self._log.warning("no checkpoint was kept: %s", error)

    def _latest(self) -> int:
        """Return when the last one was taken; when the run began, if none was."""
        taken = [one.at for one in self._book.kept() if one.why != VERIFY]
        if taken:
            return taken[-1]
        try:
            return int(orjson.loads((self._book.store / RUN).read_bytes())["started"])
        except (OSError, ValueError, KeyError):
            return time.time_ns()
