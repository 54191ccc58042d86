"""Waiting for something new in an embedded log without looking at it again and again."""

from __future__ import annotations

import select
import socket
import time
from contextlib import suppress
from pathlib import Path

from connectors.log.wire import dial, listening

_BLIND_SECONDS = 0.005
"""From one look to the next while no writer rings."""
_ANSWER_SECONDS = 5.0
_GULP = 1 << 16


class Bell:
    """Rings when a log's writer has written something; for one thread.

    Parameters
    ----------
    directory
        The log's.

    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._socket: socket.socket | None = None

    def wait(self, seconds: float) -> None:
        """Return when something was written since the last time, or so many seconds later.

        It may return though there is nothing: whoever waits looks in any case.
        """
        if self._socket is None:
            self._listen(seconds)
            return  # what was written before it listened is looked at first
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        if poll.poll(seconds * 1_000):
            self._hear()

    def close(self) -> None:
        """Give back what it holds."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _listen(self, seconds: float) -> None:
        """Find the writer; where there is none, pass a little time."""
        try:
            connection = dial(self.directory, _ANSWER_SECONDS)
        except OSError:
            time.sleep(min(seconds, _BLIND_SECONDS))
            return
        self._socket = connection
        with suppress(OSError):
            connection.sendall(listening())
        self._hear()  # that it listens

    def _hear(self) -> None:
        """Take in what was rung; who is gone, or does not know listeners, rings no more."""
        assert self._socket is not None  # noqa: S101 - it listens
        try:
            heard = self._socket.recv(_GULP)
        except OSError:
            heard = b""
        if not heard:
            self.close()
            time.sleep(_BLIND_SECONDS)
