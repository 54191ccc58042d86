"""The tape: consecutive events of one market, and the adapter between a machine and the engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias, cast

import bytewax.operators as op
from bytewax.dataflow import Stream
from bytewax.operators import KeyedStream, StatefulBatchLogic

from operators.bulk import Keeping, Shelf
from operators.costs import Costs
from operators.live import Live
from operators.operator import operator
from schemas import Event, Time
from schemas.mendable import Mendable
from schemas.sealed import opened, sealed

Strip: TypeAlias = list[Event]
"""Consecutive events of one market's tape."""


_STREAM = re.compile(r"\.\w+$")


@dataclass(frozen=True)
class Tape(Stream[tuple[str, Strip]]):
    """A keyed stream of strips, what the run makes each order pay, and whether orders go out."""

    costs: Costs = field(default_factory=Costs, compare=False)
    live: Live | None = field(default=None, compare=False)
    since: Time = field(default=0, compare=False)
    """The tape time from which on positions are entered; what is in front of it only warms up."""
    steps: Mapping[str, object] = field(default_factory=dict, compare=False)
    """The shape of each step so far, by its name in the recovery store."""
    machines: tuple[Callable[[], Machine], ...] = field(default=(), compare=False)
    """What makes the machine of each step so far."""
    turn: Turn | None = field(default=None, compare=False)
    """When other settings take effect; None if they are the same all along."""
    shelf: Shelf | None = field(default=None, compare=False)
    """Where large parts of states are kept, such as models; None if with all else."""

    @classmethod
    def of(
        cls, stream: KeyedStream[Strip], costs: Costs, live: Live | None = None, since: Time = 0,
        shelf: Shelf | None = None,
    ) -> Tape:  # fmt: skip
        """Return the stream as a tape that is traded at `costs`: on paper, or `live`."""
        return cls(stream.stream_id, stream._scope, costs, live, since, shelf=shelf)

    def through(
        self, stream: KeyedStream[Strip], shape: object, machine: Callable[[], Machine]
    ) -> Tape:
        """Return what this tape is behind one more step, whose stream and machine these are."""
        return replace(
            self, stream_id=stream.stream_id, _scope=stream._scope,
            steps={**self.steps, _STREAM.sub("", stream.stream_id): shape},
            machines=(*self.machines, machine),
        )  # fmt: skip


class Machine(Protocol):
    """A stateful function of the tape. It must not read a clock, draw a random number or do I/O."""

    state: Any
    """All that changes, and nothing else; it pickles. Settings stand beside it and are not kept."""

    @property
    def reads(self) -> frozenset[type[Event]]:
        """The kinds of events it must be shown; all others pass it by."""
        ...

    @property
    def shape(self) -> object:
        """What the form of `state` depends on: its version, and settings such as windows."""
        ...

    def __call__(self, event: Event) -> Iterable[Event]:
        """Return `event`, whole or cut, and behind each part whatever follows from it."""
        ...


class ShapeChangedError(Mendable, ValueError):
    """A kept state does not fit the machine that should go on from it."""


class Turn(Protocol):
    """Other settings from a time on."""

    def of(self, step: int, machine: Callable[[], Machine]) -> Callable[[], Machine]:
        """Return what makes the machine of a step that turns into this one then."""
        ...


class _Logic(StatefulBatchLogic[Strip, Strip, bytes]):
    def __init__(
        self, step_id: str, machine: Machine, saved: bytes | None, shelf: Shelf | None = None
    ) -> None:
        self.machine = machine
        self.reads = machine.reads
        self._keeping = Keeping(shelf)
        if saved is not None:
            found = self._keeping.opened(opened(saved))
            shape, state = cast("tuple[object, object]", found)
            if shape != machine.shape:
                msg = (
                    f"step {step_id!r} was kept with {shape} and is now {machine.shape}: give the "
                    f"flow its former settings, or start afresh with another recovery directory"
                )
                raise ShapeChangedError(msg)
            machine.state = state

    def on_batch(self, values: list[Strip]) -> tuple[Iterable[Strip], bool]:
        machine, reads = self.machine, self.reads
        strips = []
        for strip in values:
            out: Strip = []
            for event in strip:
                if type(event) in reads:
                    out.extend(machine(event))
                else:
                    out.append(event)
            strips.append(out)
        return strips, StatefulBatchLogic.RETAIN

    def snapshot(self) -> bytes:
        return sealed(self._keeping.kept((self.machine.shape, self.machine.state)))


@operator
def run(step_id: str, tape: Tape, machine: Callable[[], Machine]) -> Tape:
    """Let a new `machine` per market read the tape, from the state of its last snapshot."""
    made = machine if tape.turn is None else tape.turn.of(len(tape.machines), machine)
    first = made()  # so that bad settings are told where the flow is built, not at a trade
    stream = op.stateful_batch(
        "machine", tape, lambda saved: _Logic(step_id, made(), saved, tape.shelf)
    )
    return tape.through(stream, first.shape, made)
