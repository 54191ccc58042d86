"""Replay: a tape through a flow, in as many processes as wanted, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from connectors.disk import DiskError
from connectors.events_file import gather
from connectors.history.clickhouse import UNREACHABLE, reason, refusal
from connectors.tally import MarketTally
from infra.history.history import writer
from infra.recovery import starts, warmth
from infra.recovery.store import Store
from infra.running import flowfile, processes, report
from infra.running.far import Far
from infra.running.problems import AGAIN, ReplayError, explained
from infra.running.report import Report
from infra.running.runs import Notes
from infra.running.scratch import drain, left_in, scratch
from infra.running.sources import Files, Origin
from infra.running.worker import Done, Job, Share, form_of, steps_of
from infra.verify.checkpoints import Checkpoints

Watcher = Callable[[list[Far]], None]
"""Is told how far each process of a replay is, a few times a second."""
Teller = Callable[[str], None]
"""Is told at once what the user should know."""


def replay(
    job: Job, store: Path | None, events: Path | None, watch: Watcher, tell: Teller | None = None
) -> Report:
    """Replay a tape through a flow.

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
    tell
        Is told what the user should know before the end.

    Raises
    ------
    ReplayError
        When it cannot begin, or not go on.

    """
    with explained(resumable=store is not None):
        _check_events(events, job.origin)
        _check_alone(job)
        job = replace(job, events=events is not None)
        with _placed(job, store) as (job, resumed):
            live = job.trading is not None and job.origin.endless and not resumed
            warm = warmth.said(steps_of(job)) if live else ""
            # The last to load the flow, whose classes are pickled by their names.
            share = Share(job, 0)
            share.dataflow()  # so that whatever is wrong with it is told before anything starts
            if warm:
                (tell or _nobody)(f"warm-up: {warm}")
            notes = Notes(job, share.flow, writer(job.settings)) if job.history else None
            if notes:
                _begin(job, notes, tell or _nobody)
            try:
                done = _play(job, share, watch)
                told = _report(job, share.flow.name, done, resumed=resumed)
                if events is not None and told.finished:
                    gather([job.scratch / str(n) / "events" for n in range(job.processes)], events)
            except BaseException:
                if notes:
                    with suppress(DiskError):  # it may be what failed
                        notes.end("failed", {})
                raise
            if notes:
                status = "finished" if told.finished else "stopped"
                stretches = dict(read for part in done for read in part.stretches.items())
                trouble = notes.end(status, report.summary(told), stretches)
                told = replace(told, trouble=told.trouble or trouble or left_in(job.scratch))
            return told


def _nobody(_line: str) -> None:
    """Nobody wants to know."""


def _play(job: Job, share: Share, watch: Watcher) -> list[Done]:
    if job.processes == 1:
        return processes.alone(share, watch)
    again = None if job.store is None else AGAIN
    return processes.together(partial(Share, job), job.processes, watch, again)


def _begin(job: Job, notes: Notes, tell: Teller) -> None:
    """Note that the run begins, and take in what earlier ones left behind."""
    if trouble := notes.begin():
        tell(f"history cannot be reached ({trouble}): the run goes on, its rows wait on disk")
        return
    try:
        moved, refused = drain(job.settings.home, notes.connect)
    except UNREACHABLE as error:
        tell(f"history cannot be reached ({reason(error)}): the run goes on, rows wait on disk")
        return
    if moved:
        tell(f"history took in {moved} blocks of rows that earlier runs had left on disk")
    if why := refusal(refused):
        tell(f"history: of earlier runs, {why}; they stay in {job.settings.home / 'runs'}")


def _check_alone(job: Job) -> None:
    """See that whoever trades with an account is one process: its executor hears it as one."""
    if job.trading is not None and job.trading.queue is not None and job.processes > 1:
        raise ReplayError(
            f"--processes {job.processes}: a flow with an account is one process, so that its "
            f"executor notices when it falls silent: leave it out, or divide the markets among "
            f"several flows"
        )


def _check_events(events: Path | None, origin: Origin) -> None:
    """See that the file of events can be written, before it takes an hour to find out."""
    if events is None:
        return
    if events.is_dir():
        raise ReplayError(f"--events {events}: a directory; name a file in it")
    if not events.absolute().parent.is_dir():
        raise ReplayError(f"--events {events}: there is no directory {events.parent}; make it")
    data = origin.paths if isinstance(origin, Files) else ()
    if events.resolve() in {path.resolve() for path in data}:
        raise ReplayError(f"--events {events}: that is the data; name another file")


@contextmanager
def _placed(job: Job, store: Path | None) -> Iterator[tuple[Job, bool]]:
    """Give a job its place on disk, and its run."""
    if store is None:
        with scratch(job.settings.home) as (new, directory):
            run, started = job.run or new, job.started or time.time_ns()  # it may be a past one
            yield replace(job, run=run, started=started, scratch=directory), False
        return
    held = Store(store, form_of(job), job.onward)
    try:
        placed = replace(job, run=held.run, started=held.started, scratch=store, store=store)
        held.fit(lambda: placed.origin.open(placed.settings, (0, 1), placed.batch, placed.window))
        if job.trading is not None:
            start = starts.Start.now(flowfile.load(job.flow).code_version, job.since)
            placed = replace(placed, since=starts.note(store, start).since)
            Checkpoints(store).keep_flow(job.flow, start.flow)
        yield placed, held.resumed
    finally:
        held.close()


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
