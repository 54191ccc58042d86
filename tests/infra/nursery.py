"""Start `deck` in no time: each command is a fork of a process that has imported it all.

What is killed is a process like any other; only its imports, a second and more, were done before.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.context import ForkServerProcess
from pathlib import Path

_COMMANDS = ["trade_command", "executor", "ingest", "commands", "topics"]
_IMPORTED = ["tests.infra.hasty_deck", *(f"infra.{name}" for name in _COMMANDS)]


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
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_IMPORTED)
        words = [str(argument) for argument in arguments]
        process = context.Process(target=_deck, args=(words, self.home, dict(self.environment)))
        process.start()
        return process

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


def stop(process: ForkServerProcess, said: str = "") -> None:
    """Stop a command as a user does, and see that it ends well."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)
    process.join()
    assert process.exitcode == 0, said


def _deck(words: list[str], home: Path, environment: Mapping[str, str]) -> None:
    os.environ.pop("CLICKHOUSE_URL", None)
    os.environ.update({"TAPEDECK_HOME": str(home), "COLUMNS": "", **environment})
    os.chdir(home)
    said = os.open(home / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    import_module("tests.infra.hasty_deck")  # here, so that only these take snapshots often
    sys.argv = ["deck", *words]
    import_module("infra.deck").main()
