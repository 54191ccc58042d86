"""The processes of a run: one that is watched here, or several that divide the work."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Protocol, TypeVar, cast

from connectors.scrub import scrubbed
from infra.running.problems import ReplayError, explained
from infra.running.signals import deaf, hearing, speak_to_nobody
from infra.secrecy import keep_secrets

R_co = TypeVar("R_co", covariant=True)
A_co = TypeVar("A_co", covariant=True)
R = TypeVar("R")
A = TypeVar("A")

_TICK_SECONDS = 0.1


class Work(Protocol[R_co, A_co]):
    """What one process does."""

    def run(self) -> R_co:
        """Do it, to its end or until `stop`."""
        ...

    def stop(self) -> None:
        """Let it end where it is."""
        ...

    def at(self) -> A_co:
        """Return how far it is; from any thread."""
        ...


@dataclass
class _Said:
    """What a process says: how far it is, what it has made, or why it cannot go on."""

    what: str
    content: object


def alone(work: Work[R, A], watch: Callable[[list[A]], None]) -> list[R]:
    """Do it in this process; the first signal lets it end where it is."""
    with hearing(work.stop):
        return [_watched(work, lambda at: watch([at]))]


def together(
    make: Callable[[int], Work[R, A]],
    count: int,
    watch: Callable[[list[A]], None],
    again: str | None = None,
) -> list[R]:
    """Do it in `count` processes, each with its number. If one fails, all end.

    Parameters
    ----------
    make
        Makes the work of a process, there; it pickles.
    count
        How many there are.
    watch
        Is told how far those are that have said so.
    again
        What to do when one dies, if all can go on where they were.

    Raises
    ------
    ReplayError
        When one cannot go on.

    """
    context = multiprocessing.get_context("spawn")
    pipes: list[Connection] = []
    processes = []

    def stop() -> None:
        for pipe in pipes:
            with suppress(OSError):
                pipe.send("stop")

    # It starts with the first process, and whatever starts with it hears the signals again.
    resource_tracker.ensure_running()
    try:
        with hearing(stop):
            for number in range(count):
                ours, theirs = context.Pipe()
                arguments = (make, number, theirs, again is not None)
                process = context.Process(target=_process, args=arguments, daemon=True)
                with deaf():
                    process.start()
                theirs.close()
                pipes.append(ours)
                processes.append(process)
            return cast("list[R]", _collect(pipes, watch, again or "run it again"))
    finally:
        for process in processes:
            process.kill()
            process.join()


def _collect(
    pipes: Sequence[Connection], watch: Callable[[list[A]], None], again: str
) -> list[object]:
    """Watch all processes, until each has said what became of it."""
    at: dict[int, object] = {}
    done: dict[int, object] = {}
    while len(done) < len(pipes):
        working = {pipe: number for number, pipe in enumerate(pipes) if number not in done}
        for pipe in wait(working):
            number = working[pipe]  # type: ignore[index]
            try:
                said = pipes[number].recv()
            except (EOFError, OSError):
                raise ReplayError(f"process {number} of {len(pipes)} died: {again}") from None
            if said.what == "at":
                at[number] = said.content
            elif said.what == "done":
                done[number] = said.content
            elif said.what == "bug":
                raise RuntimeError(f"in process {number} of {len(pipes)}:\n{said.content}")
            else:
                raise ReplayError(said.content)
        watch(cast("list[A]", list(at.values())))
    return [done[number] for number in range(len(pipes))]


def _process(
    make: Callable[[int], Work[R, A]], number: int, pipe: Connection, resumable: bool
) -> None:
    """Do the work of one process, and tell the parent; end with it."""
    keep_secrets()
    try:
        with explained(resumable=resumable):
            work = make(number)
            threading.Thread(target=_obey, args=(work.stop, pipe), daemon=True).start()
            done = _watched(work, lambda at: pipe.send(_Said("at", at)))
        pipe.send(_Said("done", done))
    except ReplayError as error:
        pipe.send(_Said("failed", str(error)))
    except BrokenPipeError:
        pass  # the parent is dead
    except BaseException as error:  # noqa: BLE001 - the parent tells it
        pipe.send(_Said("bug", scrubbed(error)))


def _obey(stop: Callable[[], None], pipe: Connection) -> None:
    with suppress(EOFError, OSError):
        while pipe.recv() == "stop":
            speak_to_nobody()
            stop()
    os._exit(1)  # the parent is dead: whoever resumes must not find us at work


def _watched(work: Work[R, A], watch: Callable[[A], None]) -> R:
    """Do the work, and watch it from a thread."""
    over = threading.Event()

    def look() -> None:
        with suppress(BrokenPipeError):
            while not over.wait(_TICK_SECONDS):
                watch(work.at())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        done = work.run()
    finally:
        over.set()
        watcher.join()
    watch(work.at())
    return done
