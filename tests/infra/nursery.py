"""Start `deck` in no time: each command is a fork of a process that has imported it all.

What is killed is a process like any other; only its imports, a second and more, were done before.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path


@dataclass(frozen=True)
class Nursery:
    """Starts commands in a home.

    Parameters
    ----------
    home
        Where they are at home; what they say is kept in `said` there.
    environment
        What theirs has beside ours.

    """

    home: Path
    environment: Mapping[str, str]

    def start(self, *arguments: str | Path) -> ForkServerProcess:
        """Start a command; it runs until it is stopped or killed."""
        said = self.home / "said"
        return start(arguments, self.home, at_home(self.home, self.environment), out=said, err=said)

    def run(self, *arguments: str | Path) -> None:
        """Run a command to its end."""
        process = self.start(*arguments)
        process.join()
        assert process.exitcode == 0, self.said

    @contextmanager
    def running(self, *arguments: str | Path) -> Iterator[None]:
        """Run a command, and stop it as a user does."""
        process = self.start(*arguments)
        try:
            yield
            stop(process, self.said)
        finally:
            process.kill()

    @property
    def said(self) -> str:
        """What all of them have said."""
        return (self.home / "said").read_text()


@dataclass(frozen=True)
class Started:
    """A command under way, as `subprocess.Popen` has one; what it says goes into two files."""

    process: ForkServerProcess
    _out: Path
    _err: Path

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended."""
        return self.process.exitcode

    def poll(self) -> int | None:
        """Look whether it has ended."""
        return self.process.exitcode

    def wait(self, seconds: float | None = None) -> int:
        """Wait for its end."""
        self.process.join(seconds)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("deck", seconds or 0.0)
        return self.returncode

    @property
    def out(self) -> str:
        """What it has said so far."""
        return self._out.read_text()

    @property
    def err(self) -> str:
        """And what it has said on standard error."""
        return self._err.read_text()

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end, and return all that it has said."""
        self.wait(timeout)
        return self.out, self.err

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def at_home(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of commands in a home: ours, and `more`."""
    ours = {name: value for name, value in os.environ.items() if name != "CLICKHOUSE_URL"}
    return {**ours, "TAPEDECK_HOME": str(home), "COLUMNS": "", **more}


def hatching() -> ForkServerContext:
    """Return what forks a process that has imported all; the first who asks says what that is."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.infra.hatched"])
    return context


def start(
    arguments: Sequence[str | Path | int],
    home: Path,
    environment: Mapping[str, str],
    *,
    into: Path = Path(os.devnull),
    out: Path,
    err: Path,
) -> ForkServerProcess:
    """Start a command that reads `into`, and adds what it says to `out` and `err`."""
    words = [str(argument) for argument in arguments]
    process = hatching().Process(
        target=_deck, args=(words, home, dict(environment), (into, out, err)), name="deck"
    )
    process.start()
    return process


def stop(process: ForkServerProcess, said: str = "") -> None:
    """Stop a command as a user does, and see that it ends well."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    process.join()
    assert process.exitcode == 0, said


def _deck(
    words: list[str], home: Path, environment: dict[str, str], streams: tuple[Path, Path, Path]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(home)
    for number, path in enumerate(streams):
        mode = os.O_WRONLY | os.O_CREAT | os.O_APPEND if number else os.O_RDONLY
        os.dup2(os.open(path, mode), number)
    # multiprocessing has put a reader of nothing here, which need not read the file that 0 now is.
    sys.stdin = os.fdopen(0, closefd=False)
    # Processes of its own import what is main here: they, too, take snapshots often.
    sys.modules["__main__"] = import_module("tests.infra.hasty_deck")
    sys.argv = ["deck", *words]
    import_module("infra.deck").main()
