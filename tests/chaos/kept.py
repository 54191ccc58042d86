"""A process that is started again whenever it has ended, as a supervisor does."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class Kept:
    """Keeps a command running, in a home.

    Parameters
    ----------
    command
        What is run.
    home
        Where; what it says is kept in `said` there.
    environment
        What its environment has beside ours.
    given_up
        The exit code of a command that must not be started again.

    """

    def __init__(
        self,
        command: Sequence[str | Path],
        home: Path,
        environment: Mapping[str, str],
        given_up: int | None = None,
    ) -> None:
        self._command, self._home, self._given_up = [*map(str, command)], home, given_up
        outside = {name: value for name, value in os.environ.items() if name != "CLICKHOUSE_URL"}
        self._environment = {**outside, **environment, "TAPEDECK_HOME": str(home), "COLUMNS": ""}
        self._start()

    def look(self) -> None:
        """Start it again if it has ended."""
        ended = self.process.poll()
        if ended is not None:
            assert ended != self._given_up, self.said
            self._start()

    @property
    def over(self) -> bool:
        """Whether it has ended, and well."""
        return self.process.poll() == 0

    @property
    def said(self) -> str:
        """What all commands of its home have said."""
        return (self._home / "said").read_text()

    def stop(self, number: signal.Signals, seconds: float) -> None:
        """Ask it to end, if it has not, and see that it ends well."""
        if self.process.poll() is None:
            self.process.send_signal(number)
            ended = self.process.wait(seconds)
            # One that was just started may not hear signals yet.
            assert ended in (0, -number), f"{self._command} ended with {ended}: {self.said}"

    def close(self) -> None:
        """End it, if it has not."""
        self.process.kill()
        self.process.wait()

    def _start(self) -> None:
        with (self._home / "said").open("ab") as said:
            self.process = subprocess.Popen(
                self._command, env=self._environment, cwd=self._home, stdin=subprocess.DEVNULL,
                stdout=said, stderr=said,
            )  # fmt: skip
