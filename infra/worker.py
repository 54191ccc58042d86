"""One process of a run: its share of the markets, through the flow, to the outlets."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax._bytewax import cli_main
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig
from clickhouse_connect.driver.client import Client

from connectors.clickhouse import History
from connectors.events_file import EventsFile
from connectors.journal import Journal
from connectors.outlets import Outlet, Outlets
from connectors.replay import Replay
from connectors.tally import MarketTally, Tally
from infra import flowfile
from infra.history import History as Server
from infra.history_home import HistoryError
from infra.settings import Settings
from operators import Costs, Tape, conclude, enter

SNAPSHOT_EVERY = timedelta(seconds=1)
"""What a crash repeats, at most."""


@dataclass(frozen=True)
class Job:
    """What a replay does. It pickles, so that each process can be told."""

    flow: Path
    data: tuple[Path, ...]
    market: str | dict[str, str] | None
    columns: dict[str, str] = field(default_factory=dict)
    batch: int = 65_536
    processes: int = 1
    costs: Costs = field(default_factory=Costs)
    run: str = ""
    store: Path | None = None
    """The recovery store, whose snapshots are kept and resumed from."""
    scratch: Path = Path()
    """Where the files of this run are kept: the store, or a temporary directory."""
    events: bool = False
    history: bool = True
    settings: Settings = field(default_factory=Settings.from_environment)


@dataclass
class Done:
    """What became of a process's share."""

    markets: dict[str, MarketTally]
    trades: int
    seconds: float
    trouble: str | None = None
    """Why history has not got all of it yet."""
    finished: bool = True


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
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.flow = flowfile.load(job.flow)
        self.replay = Replay(
            job.data, job.market, job.columns or None, job.batch, (number, job.processes)
        )
        self.tally = Tally()
        self.history: History | None = None
        self.stopped = threading.Event()

    def dataflow(self) -> Dataflow:
        """Return the whole flow, from the files to the outlets."""
        flow = Dataflow(self.flow.name)
        tape = Tape.of(op.input("replay", flow, self.replay), self.job.costs)
        tape = enter("enter", tape, self.flow.name)
        try:
            tape = self.flow.strategy(tape)
        except Exception as error:  # noqa: BLE001 - whatever the user's flow raises is the user's
            raise flowfile.FlowError(flowfile.explain(self.job.flow, error)) from error
        if not isinstance(tape, Tape):
            msg = f"{self.job.flow}: strategy() returned {tape!r}, not the tape: return it"
            raise flowfile.FlowError(msg)
        op.output("outlets", conclude("conclude", tape), Outlets(self._outlets))
        return flow

    def play(self) -> Done:
        """Run to the end of the data, or until `stop`."""
        flow = self.dataflow()
        _tune_memory()
        cli_main(
            flow,
            workers_per_process=1,
            epoch_interval=SNAPSHOT_EVERY,
            recovery_config=self._recovery(),
        )
        trouble = self.history.mover.trouble if self.history is not None else None
        return Done(
            self.tally.markets, self.replay.progress.trades, self.tally.seconds, trouble,
            finished=not self.stopped.is_set(),
        )  # fmt: skip

    def stop(self) -> None:
        """Let it end where it is; what was kept can be resumed."""
        self.stopped.set()
        self.replay.stop()

    def _outlets(self) -> Sequence[Outlet]:
        outlets: list[Outlet] = [self.tally]
        if self.job.events:
            outlets.append(EventsFile(self.directory / "events"))
        if self.job.history:
            journal = Journal(self.directory / "journal")
            connect = _writer(self.job.settings)
            self.history = History(connect, journal, self.flow.name, self.job.run)
            outlets.append(self.history)
        return outlets

    def _recovery(self) -> RecoveryConfig | None:
        if self.job.store is None:
            return None
        return RecoveryConfig(self.directory / "snapshots", timedelta(0))


def _writer(settings: Settings) -> Callable[[], Client]:
    def connect() -> Client:
        try:
            return Server(settings).client("writer")
        except HistoryError as error:
            raise ConnectionError(str(error)) from error

    return connect


def _tune_memory() -> None:
    """Let the collector look less often: events are many, and none of them are cycles."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 10, 50)
