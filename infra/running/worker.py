"""One process of a run: its share of the markets, through the flow, to the outlets."""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.operators import KeyedStream
from bytewax.testing import TestingSource

from connectors.disk import kept
from connectors.events_file import EventsFile
from connectors.executor.order_queue import OrdersOutlet
from connectors.history.clickhouse import History
from connectors.history.journal import Journal
from connectors.log.log import Bounds
from connectors.log.source import LogSource
from connectors.outlets import Outlet, Outlets
from connectors.recordings.replay import Replay
from connectors.recordings.tracks import Item
from connectors.shelf import Shelf
from connectors.tally import MarketTally, Tally
from connectors.window import Window
from infra.history.history import writer
from infra.log.places import Place
from infra.metrics.flow_gauges import FlowGauges
from infra.metrics.gauges import NOTHING, Labels
from infra.metrics.meter import Meter
from infra.notices.notices import Notices
from infra.notices.notify import Notifier, chats
from infra.recovery import layout, store
from infra.recovery.form import Form
from infra.recovery.store import Onward
from infra.running import engine, flowfile
from infra.running.far import Far
from infra.running.sources import Origin
from infra.settings import Settings
from infra.times import parse_time
from infra.trading.board import TradeBoard
from infra.trading.trading import Trading
from infra.whatif.asked import Fork
from infra.whatif.hooks import Panel
from operators import Costs, Live, Tape, conclude, enter
from operators.tape import Strip
from operators.turning import Turned

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Options of glibc's mallopt."""


@dataclass(frozen=True)
class Job:
    """What a replay does. It pickles, so that each process can be told."""

    flow: Path
    origin: Origin
    """Where its tape is read."""
    since: str = ""
    until: str = ""
    """The stretch of time, as it was written; how long ago counts from when it first began."""
    markets: tuple[str, ...] = ()
    """Only these; all, if there are none."""
    batch: int = 65_536
    processes: int = 1
    costs: Costs = field(default_factory=Costs)
    run: str = ""
    started: int = 0
    """When it first began, in nanoseconds."""
    store: Path | None = None
    """The recovery store, whose snapshots are kept and resumed from."""
    scratch: Path = Path()
    """Where the files of this run are kept: the store, or a temporary directory."""
    events: bool = False
    history: bool = True
    settings: Settings = field(default_factory=Settings.from_environment)
    trading: Trading | None = None
    """Who fills its orders, from when it began on; None for a replay."""
    onward: Onward = Onward.SAME
    """What becomes of what its store has kept, if the flow is another one now."""
    fork: Fork | None = None
    """What is other than in the flow file, if anything is."""

    @property
    def panel(self) -> Panel | None:
        """By which its settings are set, if any are."""
        return None if self.fork is None else Panel(self.fork.changes)

    @property
    def window(self) -> Window:
        """What of the tape is let through."""
        since, until = (
            parse_time(text, self.started) if text else None for text in (self.since, self.until)
        )
        return Window(since, until, self.markets, heads=self.trading is not None)

    @property
    def mode(self) -> str:
        """What the table of runs calls it."""
        if self.fork is not None:
            return self.fork.kind
        return "replay" if self.trading is None else self.trading.broker.value

    def options(self) -> dict[str, str]:
        """Return what decides which tape it is, and what becomes of it."""
        markets = {"--markets": ",".join(self.markets)}
        if self.trading is not None:  # since when it trades is kept
            return {**self.origin.options(), **self.trading.options(), **markets}
        stretch = {"--since": self.since, "--until": self.until}
        return {**self.origin.options(), **stretch, **markets}


@dataclass
class Done:
    """What became of a process's share."""

    markets: dict[str, MarketTally]
    trades: int
    seconds: float
    trouble: str | None = None
    """Why history has not got all of it yet."""
    finished: bool = True
    stretches: Mapping[str, Bounds] = field(default_factory=dict)
    """From where to where it read each partition of a log."""


class Share:
    """The markets of one process.

    Parameters
    ----------
    job
        What is replayed.
    number
        Which of the job's processes this is.

    """

    def __init__(self, job: Job, number: int) -> None:
        self.job = job
        self.directory = job.scratch / str(number)
        with kept("a run's files", self.directory):
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.flow = flowfile.load(job.flow, job.panel)
        opening = time.perf_counter()
        share = (number, job.processes)
        self.source = job.origin.open(job.settings, share, job.batch, job.window)
        self.tally = Tally(time.perf_counter() - opening)
        self.history: History | None = None
        self.board = self.meter = None
        if job.trading is not None:
            self.board = TradeBoard(self.flow.name, job.run)
            self.meter = Meter(self.flow.name, job.run, lambda: self.source.progress.kept)
        followed = job.trading is not None and job.origin.endless  # a replay tells nobody
        self.notifier = Notifier(self.flow.name, chats(job.settings.notify) if followed else [])
        info = None if number else (self.flow.name, job.run, job.mode)
        self._gauges = None if self.meter is None else self._measuring(self.meter, info)
        self.stopped = threading.Event()
        self._over = False

    def dataflow(self, outlets: Sequence[Outlet] = ()) -> Dataflow:
        """Return the whole flow, from the source to the outlets."""
        flow = Dataflow(self.flow.name)
        stream = op.input("replay", flow, self.source)
        if self.board is not None:
            stream = op.flat_map_batch("seen", stream, self._seen)
        tape = tape_of(self.job, self.flow, stream)
        begun = self.directory / layout.BEGUN
        op.output("outlets", conclude("conclude", tape), Outlets(outlets, begun.touch))
        return flow

    def run(self) -> Done:
        """Run to the end of the tape, or until `stop`."""
        with closing(store.alone(self.directory)):
            if self.job.store is not None:
                parts = self.source.list_parts()
                store.check_parts(self.directory, parts, self.job.origin.gone)
            outlets = self._outlets()
            flow = self.dataflow(outlets)
            tune()
            try:
                self.tally.start()
                engine.run(flow, self._snapshots())
                for outlet in outlets:
                    outlet.close()
                self._over = not self.stopped.is_set()
            except BaseException:
                if self.history is not None:
                    self.history.mover.abandon()
                raise
        return Done(
            self.tally.markets, self.source.progress.trades, self.tally.seconds,
            self.history.mover.trouble if self.history is not None else None,
            finished=self.job.origin.endless or not self.stopped.is_set(),
            stretches={} if isinstance(self.source, Replay) else self.source.stretches,
        )  # fmt: skip

    def at(self) -> Far:
        """Return how far it is."""
        progress = self.source.progress
        read = progress.total if self._over else progress.read
        lines = self.board.lines if self.board is not None else {}
        made = [market.pnl for market in list(self.tally.markets.values())]
        return Far(
            read, progress.total, progress.trades, lines, sum(made, Decimal(0)),
            self._gauges.at() if self._gauges is not None else NOTHING, self._behind(),
        )  # fmt: skip

    def stop(self) -> None:
        """Let it end where it is; what was kept can be resumed."""
        self.stopped.set()
        self.source.stop()

    def _outlets(self) -> Sequence[Outlet]:
        outlets: list[Outlet] = [self.tally]
        trading = self.job.trading
        if trading is not None and trading.queue is not None:
            outlets.insert(0, self._orders(trading.queue, trading.purse))  # they are urgent
        if self.board is not None:
            outlets.append(self.board)
        if self.job.events:
            outlets.append(EventsFile(self.directory / "events"))
        if self.job.history:
            journal = Journal(self.directory / "journal")
            connect = writer(self.job.settings)
            self.history = History(connect, journal, self.flow.name, self.job.run)
            outlets.append(self.history)
        if self.meter is not None:
            outlets.append(Notices(self.notifier, self.directory, self.job.started))
            outlets.append(self.meter)  # the last to be kept knows how long that took
        return outlets

    def _seen(self, items: list[Item]) -> list[Item]:
        """Show what comes to those who take note of it."""
        assert self.board is not None  # noqa: S101 - they are there together
        assert self.meter is not None  # noqa: S101 - as above
        return self.meter.seen(self.board.seen(items))

    def _measuring(self, meter: Meter, info: Labels | None) -> FlowGauges:
        return FlowGauges(
            meter,
            lambda: self.tally.markets,
            lambda: self.board.lines if self.board is not None else {},
            self.directory / "journal" if self.job.history else None,
            lambda: self.history.mover.trouble if self.history is not None else None,
            self._behind,
            self.notifier.gauges,
            info,
        )

    def _behind(self) -> int | None:
        lags = self.source.lags if isinstance(self.source, LogSource) else {}
        return sum([*lags.values()]) if lags else None

    def _orders(self, queue: Place, purse: str) -> OrdersOutlet:
        orders = OrdersOutlet(queue.appender(), purse, self.flow.name, self.job.run)
        if isinstance(self.source, LogSource):
            self.source.pulse = orders.live
        return orders

    def _snapshots(self) -> Path | None:
        return None if self.job.store is None else self.directory / layout.SNAPSHOTS


def steps_of(job: Job) -> dict[str, str]:
    """Return the shape of each step of a job's flow, by its name in a recovery store."""
    return {name: repr(shape) for name, shape in built(job).steps.items()}


def built(job: Job, panel: Panel | None = None) -> Tape:
    """Return the tape of a job's flow, behind its last step, to look at: nothing comes on it."""
    flow = flowfile.load(job.flow, panel or job.panel)
    stream: KeyedStream[Strip] = op.input("replay", Dataflow(flow.name), TestingSource([]))
    return tape_of(job, flow, stream)


def tape_of(job: Job, flow: flowfile.Flow, stream: KeyedStream[Strip]) -> Tape:
    """Let a flow's strategy have a stream as its tape.

    Raises
    ------
    FlowError
        When it does not take it.

    """
    real = job.trading is not None and job.trading.real
    # A rehearsal reads all that there is, and trades from its first event on.
    since = 0 if job.trading is None or not job.since else job.started
    shelf = None if job.store is None else Shelf(job.store / layout.SHELF)
    tape = Tape.of(stream, job.costs, Live(since) if real else None, since, shelf)
    tape = enter("enter", tape, flow.name, job.run if real else "")
    if job.fork is not None and job.fork.at is not None:
        tape = replace(tape, turn=Turned(_former(job, job.fork).machines, job.fork.at))
    try:
        tape = flow.strategy(tape)
    except Exception as error:
        raise flowfile.FlowError(flowfile.explain(job.flow, error)) from error
    if not isinstance(tape, Tape):
        msg = f"{job.flow}: strategy() returned {tape!r}, not the tape: return it"
        raise flowfile.FlowError(msg)
    return tape


def _former(job: Job, fork: Fork) -> Tape:
    """Return the tape of a job's flow as it is until it is set otherwise."""
    until = replace(fork, changes=fork.former, at=None)
    return built(replace(job, fork=until, costs=fork.former_costs))


def form_of(job: Job) -> Form:
    """Return what the store of a job is made for."""
    return Form(
        job.flow.stem, job.processes, job.events, job.history, job.origin.option, job.options(),
        steps_of(job),
    )  # fmt: skip


def tune() -> None:
    """Make the most of the machine; what comes out does not depend on it."""
    # Events are many, and none of them are cycles: the collector need not look often.
    gc.freeze()
    gc.set_threshold(100_000, 10, 50)
    # The thread that reads ahead hardly needs Python: its turn comes sooner.
    sys.setswitchinterval(0.001)
    # Arrays come and go by the megabyte: glibc keeps their memory, and need not clear it anew.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, 1 << 25)
        mallopt(_TRIM_THRESHOLD, 1 << 28)
