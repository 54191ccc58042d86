"""The one process that runs a deployment's flow, as its parent has it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import TypeAlias

from infra.deploy.told import CRASHED, GO, At, Failed, Over, Ready, Said

Message: TypeAlias = Ready | At | Said | Over | Failed

_PIECE = 1 << 16
_ROOT = Path(__file__).parents[2]


class Child:
    """A process that runs a flow, what it tells us, and what it prints.

    It imports what it needs, says that it is ready, and begins when it is told to. When we die it
    hears that its input ends, and drains.

    Parameters
    ----------
    name
        The deployment's.

    """

    def __init__(self, name: str) -> None:
        self.told, theirs = Pipe(duplex=False)
        self.output, written = os.pipe()
        os.set_blocking(self.output, False)
        # It holds the reading end, too: if we die, what the flow prints is no error in it.
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "infra.deploy.flow", name, str(theirs.fileno())],
            stdin=subprocess.PIPE, stdout=written, stderr=written,
            pass_fds=(theirs.fileno(), self.output), start_new_session=True, cwd=_ROOT,
        )  # fmt: skip
        theirs.close()
        os.close(written)
        self.pid = self.process.pid
        self._rest = b""

    @property
    def watched(self) -> list[Connection | int]:
        """What to wait for: it tells something, prints something, or is over."""
        return [self.told, self.output]

    @property
    def ready(self) -> bool:
        """Whether it waits for us; or is over, which is told when it is to go."""
        return self.told.poll()

    def go(self, crashed: bool) -> None:
        """Let it begin; say whether the one before crashed."""
        assert self.process.stdin is not None  # noqa: S101 - it is a pipe
        with suppress(BrokenPipeError):
            os.write(self.process.stdin.fileno(), CRASHED if crashed else GO)

    def heard(self) -> Iterator[Message]:
        """Yield what it has told us by now.

        Raises
        ------
        EOFError
            When it is over.

        """
        try:
            while self.told.poll():
                message: Message = self.told.recv()
                yield message
        except OSError as error:  # killed in the middle of a word
            raise EOFError from error

    def printed(self) -> list[str]:
        """Return the lines that it has printed by now."""
        with suppress(BlockingIOError):
            while piece := os.read(self.output, _PIECE):
                self._rest += piece
        *lines, self._rest = self._rest.split(b"\n")
        return [line.decode("utf-8", "replace") for line in lines]

    def stop(self) -> None:
        """Ask it to drain; it may be over already."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its processes at once; what they kept is whole."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def bury(self) -> int:
        """Give back what it holds; return how it ended."""
        self.kill()  # what is left of it
        status = self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.told.close()
        os.close(self.output)
        return status


def cause(status: int) -> str:
    """Say in words how a process ended.

    Examples
    --------
    >>> cause(-9), cause(1)
    ('killed by SIGKILL', 'ended with status 1')

    """
    if status < 0:
        return f"killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"
