"""The engine as we run it: no stories of its panics, and its errors told as what they mean."""

from __future__ import annotations

import os
import pickle
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from bytewax._bytewax import cli_main
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir

from connectors.disk import DiskError
from infra.running.problems import AFRESH
from schemas.mendable import Mendable

SNAPSHOT_EVERY = timedelta(seconds=1)
"""What a crash repeats, at most."""
_NEVER = timedelta(days=1)

_STDERR = 2
_PANIC = re.compile(rb"thread '.*' panicked at ")
_FULL = re.compile(r"code: DiskFull")
_FAILED = re.compile(r"code: (SystemIoFailure|CannotOpen|ReadOnly)")
_DAMAGED = re.compile(r"code: (DatabaseCorrupt|NotADatabase)|recovery partition")
_UNPICKLED = (pickle.PickleError, AttributeError, TypeError, ImportError)


class DamagedError(Mendable, ValueError):
    """Kept snapshots cannot be read, or the flow's state cannot be kept; the text says why."""


def prepare(snapshots: Path) -> None:
    """Make a directory for the snapshots of one process ready."""
    with _quiet(), _told(snapshots):
        init_db_dir(snapshots, 1)  # type: ignore[no-untyped-call]


def run(flow: Dataflow, snapshots: Path | None) -> None:
    """Run a flow to the end of its input, from its last snapshot on if there are any.

    Raises
    ------
    DiskError
        When snapshots cannot be kept.
    DamagedError
        When they cannot be read.

    """
    recovery = None
    if snapshots is not None:
        recovery = RecoveryConfig(snapshots, timedelta(0))  # type: ignore[no-untyped-call]
    with _quiet(), _told(snapshots):
        cli_main(  # type: ignore[no-untyped-call]
            flow,
            workers_per_process=1,
            epoch_interval=_NEVER if recovery is None else SNAPSHOT_EVERY,
            recovery_config=recovery,
        )


@contextmanager
def _told(snapshots: Path | None) -> Iterator[None]:
    """Tell what an error of the engine's means to the user, where it means anything."""
    try:
        yield
    except BaseException as error:
        text, cause = str(error), error.__cause__
        if _FULL.search(text):
            raise DiskError(
                f"{snapshots}: the disk is full, snapshots cannot be kept: free some space"
            ) from error
        if _FAILED.search(text):
            raise DiskError(
                f"{snapshots}: snapshots cannot be kept: look at its disk, its limits (ulimit -f), "
                f"and who may write to it"
            ) from error
        if _DAMAGED.search(text):
            raise DamagedError(
                f"the snapshots in {snapshots} are damaged: put back the whole directory, or "
                f"{AFRESH}"
            ) from error
        if "snapshot" in text and isinstance(cause, _UNPICKLED):
            raise DamagedError(
                f"the flow's state cannot be kept: {cause}: what its model holds must pickle"
            ) from error
        raise


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the stories of panics from stderr: what they are about is raised, too."""
    into, out = os.pipe()
    real = os.dup(_STDERR)
    python = sys.stderr
    if python is not None and _number(python) == _STDERR:
        python.flush()
        sys.stderr = os.fdopen(os.dup(real), "w", 1, errors="backslashreplace")
    os.dup2(out, _STDERR)
    os.close(out)
    pump = threading.Thread(target=_pump, args=(os.fdopen(into, "rb"), real), daemon=True)
    pump.start()
    try:
        yield
    finally:
        os.dup2(real, _STDERR)
        pump.join()
        os.close(real)
        if sys.stderr is not python:
            sys.stderr.close()
            sys.stderr = python


def _pump(source: BinaryIO, real: int) -> None:
    """Hand on what comes in front of a panic's story."""
    panicking = False
    with source:
        for line in source:
            panicking = panicking or _PANIC.match(line) is not None
            if not panicking:
                os.write(real, line)


def _number(file: object) -> int | None:
    try:
        return int(file.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return None
