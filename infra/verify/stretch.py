"""One stretch of a run: what it kept at a checkpoint, and its log from there to the next, again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, cast

import orjson
from bytewax.inputs import StatefulSourcePartition

from connectors.log.offsets import State
from connectors.recordings.tracks import Item
from connectors.shelf import Shelf
from infra.recovery import snapshots
from infra.recovery.division import SINK, SOURCE
from infra.recovery.layout import BEGUN, RUN, SHELF, SNAPSHOTS
from infra.recovery.snapshots import Kept, Key
from infra.recovery.starts import Start
from infra.recovery.store import Onward, StoreError
from infra.running.problems import explained
from infra.running.replay import Watcher, replay
from infra.running.sources import FromHistory
from infra.running.worker import Job, steps_of
from infra.settings import Settings
from infra.verify.as_read import AnyLog, AsRead
from infra.verify.checkpoints import CODE, Checkpoint, Checkpoints, link_all
from infra.verify.past_run import PastRun
from infra.verify.sameness import Sameness, Spot
from operators.bulk import Keeping
from schemas.sealed import opened

NUMBER = "conclude.number"
"""The step that numbers what was concluded: its state is the next number, and no pickle."""


class Unverifiable(StoreError):
    """A stretch that cannot be replayed; the text says why."""


@dataclass(frozen=True)
class Stretch:
    """What a run did from one checkpoint to a later one.

    Parameters
    ----------
    run
        The run.
    since, until
        The checkpoints; the run's beginning, if there is none.
    flow, flow_hash
        The flow file that ran, and its hash.
    settings
        Whose log and history they are.
    log
        Where its log is read; None is where the run read it.

    """

    run: PastRun
    since: Checkpoint | None
    until: Checkpoint
    flow: Path
    flow_hash: str
    settings: Settings
    log: AnyLog | None = None

    @property
    def positions(self) -> dict[str, tuple[int, int]]:
        """From which offset to which each partition is read, if anything is read of it."""
        since = _read_of(states_of(self.since), self.run.flow)
        found = {
            name: (since[name]["first"] if name in since else _began(state), state["first"])
            for name, state in _read_of(states_of(self.until), self.run.flow).items()
        }
        return {name: (first, end) for name, (first, end) in found.items() if end > first}

    @property
    def markets(self) -> set[str]:
        """Those of which anything was read by its end."""
        kept = _read_of(states_of(self.until), self.run.flow)
        return {market for state in kept.values() for market in state["markets"]}

    @property
    def origin(self) -> AnyLog:
        """The log that is read."""
        return self.log or self.run.log

    def again(self, place: Path, watch: Watcher) -> Path:
        """Replay it, in an empty directory, and return the file of its events.

        Raises
        ------
        ReplayError
            When it cannot be replayed.

        """
        before = states_of(self.since)
        job = self._job(before)
        store, events = place / "store", place / "events.jsonl"
        _prepare(store, self._identity(job), [self._readable(job, kept) for kept in before])
        if self.since is not None:
            link_all(self.since.directory / SHELF, store / SHELF)
        replay(job, store, events, watch)
        return events

    def read(self, market: str) -> Iterator[StatefulSourcePartition[Item, State]]:
        """Yield the partitions of its log, each where the stretch begins, with one market."""
        before = states_of(self.since)
        job, since = self._job(before), _read_of(before, self.run.flow)
        window = replace(job.window, markets=(market,))
        source = self._origin(before).open(job.settings, (0, 1), job.batch, window)
        for name in source.list_parts():
            yield source.build_part("read", name, since.get(name))

    def end(self, place: Path) -> list[Kept]:
        """Return the states in which the replay ended."""
        return [_own(snapshots.read(path)) for path in sorted(place.glob(f"store/*/{SNAPSHOTS}"))]

    def _readable(self, job: Job, kept: Kept) -> Kept:
        """Return what a process goes on from: history has no partitions in which nothing is."""
        with explained(resumable=False):
            parts = job.origin.open(job.settings, (0, 1), job.batch, job.window).list_parts()
        source = f"{self.run.flow}.{SOURCE}"
        return {
            key: state
            for key, state in kept.items()
            if not _outlet(key) and (key.step != source or key.name in parts)
        }

    def _job(self, before: Sequence[Kept]) -> Job:
        origin = self._origin(before)
        job = self.run.job(self.flow, origin.log)
        known = self.since.identity if self.since else {"processes": self.run.processes}
        return replace(
            job,
            settings=self.settings,
            origin=origin,
            processes=known["processes"],
            onward=Onward.ADOPT,  # what another code took over then, it takes over now
        )

    def _origin(self, before: Sequence[Kept]) -> AsRead:
        kept = _read_of(states_of(self.until), self.run.flow)
        log = self.origin
        if log == FromHistory():  # it may keep others, too
            log = FromHistory(min(kept).rpartition("/")[0])
        return AsRead(log, kept, _read_of(before, self.run.flow))

    def _identity(self, job: Job) -> bytes:
        """Return what says that the run itself goes on, in a store of its own."""
        said = (self.since or self.until).identity
        changed = {
            "events": True, "history": False, "source": job.origin.option,
            "processes": job.processes, "options": job.options(),
        }  # fmt: skip
        if self.since is None:
            changed["steps"] = steps_of(job)
        return orjson.dumps({**said, **changed})


def states_of(checkpoint: Checkpoint | None) -> list[Kept]:
    """Return what each process had kept; nothing at the beginning."""
    if checkpoint is None:
        return []
    numbers = range(checkpoint.identity["processes"])
    return [snapshots.read(checkpoint.directory / str(number)) for number in numbers]


def stretches(
    run: PastRun, points: Sequence[Checkpoint], settings: Settings, log: AnyLog | None
) -> list[Stretch]:
    """Return the stretches between checkpoints, from the run's beginning on."""
    book = Checkpoints(run.store)
    first = run.starts[0].flow if run.starts else points[0].flow_hash
    found = []
    for since, until in zip([None, *points], points, strict=False):
        ran = since.flow_hash if since else first
        found.append(Stretch(run, since, until, book.flow(run.flow, ran), ran, settings, log))
    return found


def went_on(points: Sequence[Checkpoint], starts: Sequence[Start]) -> list[Checkpoint]:
    """Leave out the checkpoints behind which other code was to go on, and was refused.

    It is taken before the store is asked whether it can go on with that code. A start that could
    is noted behind it, and in front of the next such checkpoint.
    """
    changes = [one.at for one in points if one.why == CODE]
    until = dict(zip(changes, [*changes[1:], math.inf], strict=False))
    return [
        one
        for one in points
        if one.why != CODE or any(one.at <= start.at < until[one.at] for start in starts)
    ]


def ends(stretch: Stretch, place: Path) -> tuple[bytes, Spot | None]:
    """Return a hash of the states in which a replay ended, and where they differ from the run's."""
    ours = _Ends.of(stretch.end(place), place / "store")
    theirs = _Ends.of(states_of(stretch.until), stretch.until.directory)
    same = Sameness()
    for step, market in sorted({*ours.states, *theirs.states}):
        one, other = (states.opened(Key(step, market)) for states in (ours, theirs))
        if found := same.spot(one, other):
            return b"", found._replace(path=f"{market}, step {_short(step)}{found.path}")
    digests = [same.digest((*key, ours.opened(key))) for key in sorted(ours.states)]
    return same.digest(digests), None


class _Ends(NamedTuple):
    """The states of a run at one moment, and the shelf with what is large of them."""

    states: Mapping[Key, bytes]
    shelf: Shelf

    @classmethod
    def of(cls, kept: Sequence[Kept], store: Path) -> _Ends:
        return cls(_by_key(kept), Shelf(store / SHELF))

    def opened(self, key: Key) -> object:
        """Return a state as its machine has it; None if there is none."""
        if key not in self.states:
            return None
        content = opened(cast("bytes", snapshots.plain(self.states[key])))
        return content if key.step.endswith(NUMBER) else Keeping(self.shelf).opened(content)


def places(checkpoint: Checkpoint) -> dict[str, tuple[int, dict[str, int]]]:
    """Return where each partition was."""
    kept = _read_of(states_of(checkpoint), checkpoint.flow)
    return {name: (state["first"], state["done"]) for name, state in kept.items()}


def numbers(checkpoint: Checkpoint | None) -> dict[str, int]:
    """Return how many events each market had at a checkpoint."""
    return {
        market: int(opened(cast("bytes", snapshots.plain(state))))
        for (step, market), state in _by_key(states_of(checkpoint)).items()
        if step.endswith(NUMBER)
    }


def _prepare(store: Path, identity: bytes, before: Sequence[Kept]) -> None:
    """Make a store from which the run goes on."""
    store.mkdir(mode=0o700)
    for number in range(orjson.loads(identity)["processes"]):
        own = store / str(number) / SNAPSHOTS
        own.mkdir(parents=True, mode=0o700)
        snapshots.prepare(own)
        if before:
            snapshots.write(own, before[number])
            if before[number]:
                (own.parent / BEGUN).touch()
    (store / RUN).write_bytes(identity)


def _read_of(kept: Sequence[Kept], flow: str) -> dict[str, State]:
    """Return what was read of each partition."""
    return {
        key.name: cast("State", snapshots.plain(state))
        for states in kept
        for key, state in states.items()
        if key.step == f"{flow}.{SOURCE}"
    }


def _began(state: State) -> int:
    return state["first"] - state["counts"][3]


def _own(kept: Kept) -> Kept:
    return {key: state for key, state in kept.items() if not _outlet(key)}


def _by_key(kept: Sequence[Kept]) -> Mapping[Key, bytes]:
    """Return the states of all markets: where a source stands is no part of them."""
    return {
        key: state
        for states in kept
        for key, state in states.items()
        if not _outlet(key) and not key.step.endswith(f".{SOURCE}")
    }


def _outlet(key: Key) -> bool:
    return key.step.endswith(f".{SINK}")


def _short(step: str) -> str:
    """Return a step's name as its flow has it."""
    return step.split(".")[1]
