"""The processes of a run: one that is watched here, or several that divide the markets."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import NamedTuple, TypeAlias

from infra.problems import AGAIN, ReplayError, explained
from infra.worker import Done, Job, Share

_TICK_SECONDS = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Position(NamedTuple):
    """How far a replay is: bytes of its files or messages of its log, and trades."""

    read: int = 0
    total: int = 0
    trades: int = 0


Watcher: TypeAlias = Callable[[Position], None]
"""Is told how far a replay is, a few times a second."""


@dataclass
class _Failed:
    """What a process says when it cannot go on."""

    why: str
    ours: bool
    """Whether it is a bug; then `why` is its traceback."""


def alone(share: Share, watch: Watcher) -> list[Done]:
    """Run the one share in this process; the first signal lets it end where it is."""
    with _signals(share.stop):
        return [_watched(share, watch)]


def together(job: Job, watch: Watcher) -> list[Done]:
    """Run each share in a process of its own. If one fails, all end."""
    context = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    processes = []

    def stop() -> None:
        for pipe in pipes:
            with suppress(OSError):
                pipe.send("stop")

    try:
        with _signals(stop):
            for number in range(job.processes):
                ours, theirs = context.Pipe()
                process = context.Process(target=_process, args=(job, number, theirs), daemon=True)
                with _deaf():
                    process.start()
                theirs.close()
                pipes.append(ours)
                processes.append(process)
            return _collect(job, pipes, watch)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _collect(job: Job, pipes: list[Connection], watch: Watcher) -> list[Done]:
    """Watch all processes, until each has said what became of it."""
    at = [Position() for _ in pipes]
    done: dict[int, Done] = {}
    while len(done) < len(pipes):
        working = {pipe: number for number, pipe in enumerate(pipes) if number not in done}
        for pipe in wait(working):
            number = working[pipe]  # type: ignore[index]
            try:
                said = pipes[number].recv()
            except (EOFError, OSError):
                again = AGAIN if job.store is not None else "run it again"
                raise ReplayError(f"process {number} of {len(pipes)} died: {again}") from None
            if isinstance(said, Position):
                at[number] = said
            elif isinstance(said, Done):
                done[number] = said
            elif said.ours:
                raise RuntimeError(f"in process {number} of {len(pipes)}:\n{said.why}")
            else:
                raise ReplayError(said.why)
        watch(Position(*map(sum, zip(*at, strict=True))))
    return [done[number] for number in range(len(pipes))]


def _process(job: Job, number: int, pipe: Connection) -> None:
    """Run one share, and tell the parent; end with it."""
    try:
        with explained(resumable=job.store is not None):
            share = Share(job, number)
            threading.Thread(target=_obey, args=(share, pipe), daemon=True).start()
            done = _watched(share, pipe.send)
        pipe.send(done)
    except ReplayError as error:
        pipe.send(_Failed(str(error), ours=False))
    except BrokenPipeError:
        pass  # the parent is dead
    except BaseException:  # noqa: BLE001 - the parent tells it
        pipe.send(_Failed(traceback.format_exc(), ours=True))


def _obey(share: Share, pipe: Connection) -> None:
    with suppress(EOFError, OSError):
        while pipe.recv() == "stop":
            share.stop()
    os._exit(1)  # the parent is dead: whoever resumes must not find us at work


def _watched(share: Share, watch: Watcher) -> Done:
    """Run a share, and watch it from a thread."""
    progress, over = share.source.progress, threading.Event()

    def look() -> None:
        with suppress(BrokenPipeError):
            while not over.wait(_TICK_SECONDS):
                watch(Position(progress.read, progress.total, progress.trades))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        done = share.play()
    finally:
        over.set()
        watcher.join()
    read = progress.total if done.finished else progress.read
    watch(Position(read, progress.total, progress.trades))
    return done


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Drain on the first TERM or INT, and end at once on the second."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def obey(_number: int, _frame: object) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        stop()

    ours = threading.current_thread() is threading.main_thread()
    for number, handler in before.items():
        if ours and handler is not signal.SIG_IGN:
            signal.signal(number, obey)
    try:
        yield
    finally:
        for number, handler in before.items():
            if ours:
                signal.signal(number, handler)


@contextmanager
def _deaf() -> Iterator[None]:
    """Let what is started here never hear the signals: we do, and tell it what to do."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
