"""What orders are measured with: a noting exchange and `deck`, in processes of their own.

Each is in a session of its own, so that Ctrl-C reaches us only, and we stop it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.runs import ROOT
from infra.settings import Settings
from tests.standin.account import KEY, SECRET

PURSE = "main:sandbox"
_ACCOUNT = ("--broker", "sandbox", "--account", "main")
_STOP_SECONDS = 30.0


class Exchange:
    """A noting exchange that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid
        self.url = self._line()

    def arrived(self) -> dict[str, int]:
        """Return when each order was first asked for, in ns, by its client id."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        print(file=self._process.stdin, flush=True)
        found: dict[str, int] = json.loads(self._line())
        return found

    def _line(self) -> str:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError("the exchange ended: see what it said above")
        return line


@contextmanager
def started_exchange(markets: int) -> Iterator[Exchange]:
    """Run a noting exchange."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.order_exchange", str(markets)],
        cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    with process:
        try:
            yield Exchange(process)
        finally:
            process.kill()


@contextmanager
def started_deck(settings: Settings, url: str, module: str, *command: str) -> Iterator[int]:
    """Run a command of an account at an exchange, and stop it as users do; its process's number."""
    environment = {
        **os.environ,
        "TAPEDECK_HOME": str(settings.home),
        "EXCHANGE_URLS": f"binance={url}",
        "TAPEDECK_ACCOUNT_MAIN_EXCHANGE": "binance",
        "TAPEDECK_ACCOUNT_MAIN_KEY": KEY,
        "TAPEDECK_ACCOUNT_MAIN_SECRET": SECRET,
    }
    with (settings.home / f"{command[0]}.txt").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *command, *_ACCOUNT], cwd=ROOT, env=environment,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        with process:
            try:
                yield process.pid
            finally:
                _end(process, command[0])


def said(settings: Settings) -> str:
    """Return the last of what the commands said."""
    texts = (path.read_text(errors="replace")[-1_000:] for path in settings.home.glob("*.txt"))
    return "\n".join(text.strip() for text in texts)


def _end(process: subprocess.Popen[bytes], name: str) -> None:
    process.terminate()  # who runs us in the background has SIGINT ignored, and so has it
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"deck {name} did not end within {_STOP_SECONDS:.0f} s", file=sys.stderr)
    finally:
        process.kill()
