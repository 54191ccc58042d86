"""A run that traded, as its recovery store tells of it: enough to replay it as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson

from infra.recovery.layout import RUN
from infra.recovery.reached import reached
from infra.recovery.starts import Start, noted
from infra.recovery.store import StoreError
from infra.running import flowfile
from infra.running.sources import FromHistory, FromKafka, FromLog
from infra.running.worker import Job
from infra.settings import Settings
from infra.trading.switches import Broker
from infra.trading.trading import Trading
from infra.verify.as_read import AnyLog, AsRead

_BROKER = "--broker"
_SHORTEST = 4
"""Letters of a run's id that are enough."""
_UNKNOWN = "0s"
"""What was read first, where nobody noted it: nothing but what came."""


@dataclass(frozen=True)
class PastRun:
    """A run of `deck trade`, or of a deployment.

    Parameters
    ----------
    store
        Its recovery store.
    flow, run, started
        Which one it is, and when it first began, in nanoseconds.
    processes
        How many the store is made for.
    source
        The option that says where its tape was read.
    options
        What else decided which tape it was, and who filled its orders.
    events, history
        Whether its conclusions were kept in its store, and in history.

    """

    store: Path
    flow: str
    run: str
    started: int
    processes: int
    source: str
    options: Mapping[str, str]
    events: bool
    history: bool

    @classmethod
    def read(cls, store: Path) -> PastRun:
        """Read what a store tells.

        Raises
        ------
        StoreError
            When it is damaged, or of a replay.

        """
        path = store / RUN
        try:
            said = orjson.loads(path.read_bytes())
            told = cls(store, **{name: said[name] for name in _TOLD})
        except (OSError, orjson.JSONDecodeError, TypeError, KeyError) as error:
            raise StoreError(f"{path} cannot be read: {error!r}; name another run") from error
        if _BROKER not in told.options:
            raise StoreError(f"{store} is of deck replay: only a run of deck trade has a past")
        return told

    @property
    def starts(self) -> list[Start]:
        """With what it was started, each time that changed."""
        return noted(self.store)

    @property
    def log(self) -> FromLog | FromKafka:
        """The log it read, if that is the one of this installation."""
        return FromKafka() if self.source == FromKafka.option else FromLog()

    def job(self, flow: Path, log: AnyLog | None = None) -> Job:
        """Return what replays it: the same tape, the same trading, and no orders that go out.

        Parameters
        ----------
        flow
            The flow file.
        log
            The log it read, a copy, or what history keeps of it.

        Raises
        ------
        StoreError
            When it is a run of another flow, or has kept nothing yet.

        """
        if flow.stem != self.flow:
            raise StoreError(f"the run {self.run[:8]} is one of {self.flow}, not {flow.stem}")
        kept = reached(self.store, self.flow, self.processes)
        if not kept:
            raise StoreError(f"{self.store} has no snapshot yet: wait a second, or let it run")
        if log == FromHistory():  # it may keep others, too
            log = FromHistory(min(kept).rpartition("/")[0])
        markets = self.options["--markets"]
        return Job(
            flow=flow,
            origin=AsRead(log or self.log, kept),
            since=self.starts[0].since if self.starts else _UNKNOWN,
            markets=tuple(markets.split(",")) if markets else (),
            costs=flowfile.load(flow).costs,
            run=self.run,
            started=self.started,
            history=False,
            trading=Trading(Broker(self.options[_BROKER]), self.options["--account"]),
        )

    def differs(self, flow: str) -> str | None:
        """Say that it ran with other code than a replay now would, if it did.

        Parameters
        ----------
        flow
            The hash of the flow file now.

        """
        now = Start.now(flow, "")
        if not self.starts:
            return f"an earlier Tapedeck did not note with what code {self.run[:8]} ran"
        others = {start.code for start in self.starts} - {now.code}
        if not others:
            return None
        was = ", ".join(sorted(" of Tapedeck ".join(code) for code in others))
        is_ = " of Tapedeck ".join(now.code)
        return f"the run had other code ({was}) than there is now ({is_}): what differs may be that"


_TOLD = ("flow", "run", "started", "processes", "source", "options", "events", "history")


def find(name: str, settings: Settings, option: str = "--as") -> PastRun:
    """Return the run that is meant: by its store, a deployment's name, its id, or its flow.

    Parameters
    ----------
    name
        A directory; the name of a deployment, or of a store of `deck trade`; how the run's id
        begins; or the name of a flow that one run has.
    option
        What asked for it.

    Raises
    ------
    StoreError
        When there is none, or more than one.

    """
    home = settings.home
    for store in (home / "deployments" / name / "store", home / "trading" / name, Path(name)):
        if (store / RUN).is_file():
            return PastRun.read(store)
    found = [run for run in _runs(home) if run.flow == name or _begins(run, name)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{run.run[:8]} of {run.flow}" for run in found or _runs(home))
    which = "means several runs" if found else "is no run, deployment or store"
    raise StoreError(f"{option} {name}: {which}; there are {known or 'none'}")


def _begins(run: PastRun, name: str) -> bool:
    return len(name) >= _SHORTEST and run.run.startswith(name)


def _runs(home: Path) -> Iterator[PastRun]:
    """Yield the runs that traded here, but for those that were given a store of their own."""
    for pattern in ("deployments/*/store", "trading/*"):
        for store in sorted(home.glob(pattern)):
            if (store / RUN).is_file():
                yield PastRun.read(store)
