"""Replay: recorded ticks through a flow, in as many processes as wanted, and what came of it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import TypeAlias

from bytewax.errors import BytewaxRuntimeError
from clickhouse_connect.driver.exceptions import ClickHouseError

from connectors.events_file import gather
from connectors.files import DataError
from connectors.journal import JournalError
from connectors.tally import MarketTally
from infra import flowfile, runs
from infra.history import History
from infra.history_home import HistoryError
from infra.store import Store, StoreError
from infra.worker import Done, Job, Share
from operators.tape import ShapeChangedError

_TICK_SECONDS = 0.1
_EXPECTED = (DataError, JournalError, StoreError, ShapeChangedError, flowfile.FlowError, HistoryError)
"""What is not our bug: its text is what the user needs."""


class ReplayError(Exception):
    """A replay that could not go on; its text says why and what to do."""


@dataclass(frozen=True)
class Report:
    """What a replay did."""

    run: str
    flow: str
    markets: dict[str, MarketTally]
    trades: int
    seconds: float
    resumed: bool
    finished: bool
    trouble: str | None


@dataclass
class Position:
    """How far a replay is: bytes of its files, and trades."""

    read: int = 0
    total: int = 0
    trades: int = 0


Watcher: TypeAlias = Callable[[Position], None]
"""Is told how far a replay is, a few times a second."""


def replay(job: Job, store: Path | None, events: Path | None, watch: Watcher) -> Report:
    """Replay recorded ticks through a flow.

    Parameters
    ----------
    job
        What is replayed; where it keeps its files is filled in here.
    store
        The recovery directory: the run is resumed from it, if it was begun there.
    events
        Where the file of all derived events goes.
    watch
        Is told how far it is.

    Raises
    ------
    ReplayError
        When it cannot begin, or not go on.

    """
    with _explained(job), _placed(job, store, keep_events=events is not None) as (job, resumed):
        share = Share(job, 0)
        share.dataflow()  # so that whatever is wrong with it is told before anything starts
        if job.history:
            runs.begin(job, share.flow)
        done = _alone(share, watch) if job.processes == 1 else _together(job, watch)
        report = _report(job, share.flow.name, done, resumed=resumed)
        if events is not None and report.finished:
            gather([job.scratch / str(n) / "events" for n in range(job.processes)], events)
        if job.history and report.trouble is None:
            runs.end(job, share.flow, "finished" if report.finished else "stopped")
        return report


@contextmanager
def _placed(job: Job, store: Path | None, *, keep_events: bool) -> Iterator[tuple[Job, bool]]:
    """Give a job its place on disk, and its run."""
    job = replace(job, events=keep_events)
    if store is None:
        run = uuid.uuid4().hex
        scratch = job.settings.home / "runs" / run
        scratch.mkdir(parents=True, mode=0o700)
        try:
            yield replace(job, run=run, scratch=scratch), False
        finally:
            if not any(scratch.glob("*/journal/*.arrow")):
                shutil.rmtree(scratch)
        return
    kept = Store(
        store, job.flow.stem, job.processes, events=keep_events, history=job.history
    )
    try:
        yield replace(job, run=kept.identity.run, scratch=store, store=store), kept.resumed
    finally:
        kept.close()


def _alone(share: Share, watch: Watcher) -> list[Done]:
    """Run in this process, and watch from a thread."""
    progress, over = share.replay.progress, threading.Event()

    def look() -> None:
        while not over.wait(_TICK_SECONDS):
            watch(Position(progress.read, progress.total, progress.trades))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        with _signals(share.stop):
            done = share.play()
    finally:
        over.set()
        watcher.join()
    watch(Position(progress.total, progress.total, progress.trades))
    return [done]


def _together(job: Job, watch: Watcher) -> list[Done]:
    """Run each share in a process of its own. If one fails, all end."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for number in range(job.processes):
        ours, theirs = context.Pipe()
        process = context.Process(target=_process, args=(job, number, theirs), daemon=True)
        process.start()
        theirs.close()
        pipes.append(ours)
        processes.append(process)

    def stop() -> None:
        for pipe in pipes:
            pipe.send("stop")

    try:
        with _signals(stop):
            return _collect(pipes, watch)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _collect(pipes: list[Connection], watch: Watcher) -> list[Done]:
    at = [Position() for _ in pipes]
    done: dict[int, Done] = {}
    while len(done) < len(pipes):
        for pipe in wait([pipe for n, pipe in enumerate(pipes) if n not in done]):
            number = pipes.index(pipe)  # type: ignore[arg-type]
            try:
                said = pipes[number].recv()
            except EOFError:
                msg = f"process {number} of {len(pipes)} died: {_AGAIN}"
                raise ReplayError(msg) from None
            if isinstance(said, Position):
                at[number] = said
            elif isinstance(said, Done):
                done[number] = said
            else:
                raise ReplayError(said)
        watch(Position(*(sum(values) for values in zip(*map(_numbers, at), strict=True))))
    return [done[number] for number in range(len(pipes))]


def _process(job: Job, number: int, pipe: Connection) -> None:
    """Run one share, and tell the parent; end with it."""
    try:
        with _explained(job):
            share = Share(job, number)
            threading.Thread(target=_obey, args=(share, pipe), daemon=True).start()
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
            [done] = _alone(share, pipe.send)
        pipe.send(done)
    except ReplayError as error:
        pipe.send(str(error))


def _obey(share: Share, pipe: Connection) -> None:
    try:
        while pipe.recv() == "stop":
            share.stop()
    except (EOFError, OSError):
        os._exit(1)  # the parent is dead: whoever resumes must not find us at work


@contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    """Drain on the first TERM or INT, and end at once on the second."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def obey(number: int, frame: object) -> None:
        for signal_number in before:
            signal.signal(signal_number, signal.SIG_DFL)
        stop()

    if threading.current_thread() is threading.main_thread():
        for number in before:
            if before[number] is not signal.SIG_IGN:
                signal.signal(number, obey)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _explained(job: Job) -> Iterator[None]:
    """Turn what is expected to go wrong into one error that says what to do."""
    try:
        yield
    except _EXPECTED as error:
        raise ReplayError(_said(job, error)) from error
    except (BytewaxRuntimeError, ClickHouseError, OSError) as error:
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, _EXPECTED):
            cause = cause.__cause__ or cause.__context__
        if cause is None and not isinstance(error, (ClickHouseError, OSError)):
            raise
        raise ReplayError(_said(job, cause or error)) from error


def _said(job: Job, error: BaseException) -> str:
    resume = f"; then {_AGAIN}" if job.store is not None else ""
    if isinstance(error, OSError):
        return f"{error}: free some space, or look who may write there{resume}"
    return str(error)


def _numbers(position: Position) -> tuple[int, int, int]:
    return (position.read, position.total, position.trades)


def _report(job: Job, flow: str, done: list[Done], *, resumed: bool) -> Report:
    markets: dict[str, MarketTally] = {}
    for part in done:
        markets.update(part.markets)
    return Report(
        run=job.run,
        flow=flow,
        markets=dict(sorted(markets.items())),
        trades=sum(part.trades for part in done),
        seconds=max(part.seconds for part in done),
        resumed=resumed,
        finished=all(part.finished for part in done),
        trouble=next((part.trouble for part in done if part.trouble), None),
    )


_AGAIN = "run the same command again, it goes on where it was"
