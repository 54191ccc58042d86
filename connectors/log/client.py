"""Hand messages to an embedded log's writing process: each goes in once, even if it is killed."""

from __future__ import annotations

import secrets
import select
import socket
import time
from collections import deque
from contextlib import suppress
from itertools import islice
from pathlib import Path

from connectors.log.log import LogError
from connectors.log.wire import MAX_MESSAGE, dial, frame, hello, read_answers

UNDER_WAY_BYTES = 8 << 20
PATIENCE_SECONDS = 15.0
"""How long a writer that went away may take to come back."""

_SILENCE_SECONDS = 60.0
_RETRY_SECONDS = 0.05
_GULP = 1 << 16
_FRAMES = 64


class LogClient:
    """Appends to an embedded log through the one process that writes it; for one thread.

    If that process ends, what it did not take is sent again to the next one, which knows what the
    one before took. An error is for good: what was not flushed may be there or not.

    Parameters
    ----------
    directory
        The log's.
    under_way
        How many bytes may be handed over and not yet durable; an `append` waits beyond it.
    patience
        How many seconds to wait for another writer.

    Raises
    ------
    LogError
        When no writer runs.

    """

    def __init__(
        self,
        directory: Path,
        under_way: int = UNDER_WAY_BYTES,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.directory = directory
        self._most, self._patience = under_way, patience
        self._id = secrets.token_bytes(16)
        self._known = False
        self._number = 0
        self._unacked: deque[bytes] = deque()
        self._under_way = 0
        self._unsent: deque[memoryview] = deque()
        self._answers = bytearray()
        self._trouble = ""
        try:
            self._socket = self._dialled()
        except OSError as error:
            raise LogError(
                f"nobody writes to the log in {directory} ({error.strerror}): deck log start"
            ) from error

    def append(self, market: str, message: bytes) -> None:
        """Hand over a message; wait only when too many are under way."""
        if len(message) > MAX_MESSAGE:
            raise LogError(
                f"{market}: {len(message):,} bytes; a message has at most {MAX_MESSAGE:,}"
            )
        self._number += 1
        sent = frame(self._number, market, message)
        self._unsent.append(memoryview(sent))
        self._unacked.append(sent)
        self._under_way += len(sent)
        self._move(self._most)

    def flush(self) -> None:
        """Return when all that was handed over is durable, each once and in order."""
        self._move(0)

    def close(self) -> None:
        """Flush, and give back what it holds."""
        try:
            if not self._trouble:
                self.flush()
        finally:
            self._socket.close()

    def _move(self, most: int) -> None:
        """Send, and hear what is durable, until at most so many bytes are under way."""
        if self._trouble:
            raise LogError(self._trouble)
        try:
            while True:
                try:
                    self._send()
                    self._hear()
                except ConnectionError:
                    if self._unacked:
                        self._return()
                if self._under_way <= most:
                    return
                self._wait()
        except LogError as error:
            self._trouble = str(error)
            self._socket.close()
            raise

    def _send(self) -> None:
        with suppress(BlockingIOError):
            while self._unsent:
                sent = self._socket.sendmsg(islice(self._unsent, _FRAMES))
                while sent and sent >= len(self._unsent[0]):
                    sent -= len(self._unsent.popleft())
                if sent:
                    self._unsent[0] = self._unsent[0][sent:]

    def _hear(self) -> None:
        try:
            while True:
                self._answers += _received(self._socket)
        except BlockingIOError:
            pass
        finally:  # what it said before it went away counts, too
            last = read_answers(self._answers)
            if last is not None:
                self._drop(last)

    def _drop(self, last: int) -> None:
        """Forget what is durable."""
        while self._number - len(self._unacked) < last:
            self._under_way -= len(self._unacked.popleft())

    def _wait(self) -> None:
        """Wait until the socket has something to hear, or room for what is to be sent."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | (select.POLLOUT if self._unsent else 0))
        if not poll.poll(_SILENCE_SECONDS * 1_000):
            raise LogError(
                f"the writer of the log in {self.directory} said nothing for "
                f"{_SILENCE_SECONDS:.0f} seconds: look at its disk; deck log stop, deck log start"
            )

    def _return(self) -> None:
        """Connect to the next writer, and send it what the one before did not take."""
        self._socket.close()
        deadline = time.monotonic() + self._patience
        while True:
            try:
                self._socket = self._dialled()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise LogError(
                        f"the writer of the log in {self.directory} is gone, and "
                        f"{len(self._unacked):,} messages may not be in it: deck log start, then "
                        f"go on behind the last one that the log has"
                    ) from error
            else:
                return
            time.sleep(_RETRY_SECONDS)

    def _dialled(self) -> socket.socket:
        """Connect, and hear what the writer has of us."""
        connection = dial(self.directory, _SILENCE_SECONDS)
        try:
            connection.sendall(hello(self._id, again=self._known))
            self._answers = bytearray()
            while (last := read_answers(self._answers)) is None:
                self._answers += _received(connection)
            connection.setblocking(False)
        except BaseException:
            connection.close()
            raise
        self._known = True
        self._drop(last)
        self._unsent = deque(memoryview(sent) for sent in self._unacked)
        return connection


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(_GULP)
    if not data:
        raise ConnectionResetError("the writer has closed the connection")
    return data
