"""Processes that outlive the command that starts them: how they start, end, and tell of it."""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

import psutil

from infra.secrecy import keep_secrets, without_keys

_START_SECONDS = 60.0


class StartError(Exception):
    """A process did not come up; the text says why."""


def spawn(module: str, arguments: Sequence[str], home: Path) -> None:
    """Start one of our modules, and wait until it says that it is ready.

    Parameters
    ----------
    module, arguments
        What is run, and with what. Its first line is `ready ...` or `failed WHY`.
    home
        Its directory; `crash.log` there takes what it says on standard error.

    Raises
    ------
    StartError
        When it does not get ready.

    """
    crash = home / "crash.log"
    crash.touch(mode=0o600)
    with crash.open("wb") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", module, *arguments],
            cwd=Path(__file__).parents[1],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            env=without_keys(os.environ),
        )
    assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
    with process.stdout as pipe:
        line = _line(pipe, _START_SECONDS)
    if not line.startswith("ready"):
        process.kill()
        process.wait()
        raise StartError(line.removeprefix("failed ") or _last(crash) or "it ended without a word")
    # It outlives us: nobody is to wait for it.
    process.returncode = 0


def end(pid: int, seconds: float) -> None:
    """Ask a process to end; kill it if it takes too long."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.terminate()
        if not ended(pid, seconds):
            process.kill()
            ended(pid, seconds)


def ended(pid: int, seconds: float) -> bool:
    """Wait for a process to end; whether it did."""
    try:
        psutil.Process(pid).wait(seconds)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def hear() -> None:
    """Let TERM and INT reach this process, though who started it may be deaf to them."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTERM, signal.SIGINT))


def say(line: str) -> None:
    """Tell the starter; it may be gone, and nothing more is ever said."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    with suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())
    os.dup2(nowhere, 1)


def log_to(path: str | Path, name: str) -> None:
    """Write what a logger of ours says into a file that does not grow for ever; no secrets."""
    keep_secrets()
    handler = RotatingFileHandler(path, maxBytes=1 << 20, backupCount=2)
    line = logging.Formatter(
        "%(asctime)s.%(msecs)03dZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"
    )
    line.converter = time.gmtime
    handler.setFormatter(line)
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _line(pipe: IO[bytes], seconds: float) -> str:
    """Return the first line of a pipe, or nothing if it ends or stays silent."""
    ready, _, _ = select.select([pipe], [], [], seconds)
    return pipe.readline().decode(errors="replace").strip() if ready else ""


def _last(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
