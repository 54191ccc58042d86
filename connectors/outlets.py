"""Where a flow's conclusions go: one sink whose outlets keep what they hold with the snapshot."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from schemas.sealed import opened, sealed
from schemas.tables import Record

_PART = "outlets"
_SURE = 3
"""By then the first snapshot was kept: the engine writes it while the next is gathered."""


class Outlet(Protocol):
    """One place that conclusions go to."""

    def resume(self, state: Mapping[str, object] | None) -> None:
        """Go on from what `snapshot` gave; from nothing, if `None`."""
        ...

    def write(self, records: list[Record]) -> None:
        """Take the next records of one market."""
        ...

    def snapshot(self) -> Mapping[str, object] | None:
        """Make durable all that is held, and return what `resume` needs, market by market.

        A number under the name of no market, the empty one, is of all of them: where the markets
        of several processes come together, the largest holds.
        """
        ...

    def close(self) -> None:
        """Finish, when the flow has come to its end; not called if it failed."""
        ...


def _nothing() -> None:
    """Nobody wants to know."""


class _Partition(StatefulSinkPartition[list[Record], bytes]):
    def __init__(
        self, outlets: Sequence[Outlet], saved: bytes | None, begun: Callable[[], None]
    ) -> None:
        self.outlets = outlets
        self._begun, self._count = begun, 0
        none: list[None] = [None] * len(outlets)
        states = [] if saved is None else pickle.loads(opened(saved))  # noqa: S301 - our own store
        states += none[len(states) :]  # an outlet that stores did not know stands at the end
        for outlet, state in zip(outlets, states, strict=True):
            outlet.resume(state)

    def write_batch(self, values: list[list[Record]]) -> None:
        for records in values:
            for outlet in self.outlets:
                outlet.write(records)

    def snapshot(self) -> bytes:
        self._count += 1
        if self._count == _SURE:
            self._begun()
        return sealed(pickle.dumps([outlet.snapshot() for outlet in self.outlets]))


class Outlets(FixedPartitionedSink[list[Record], bytes]):
    """Hand the records of all markets of this process to each outlet.

    Whoever made the outlets closes them behind the engine: it closes its sinks also when it comes
    down, and if one of them raises then, the process dies without a word.

    Parameters
    ----------
    outlets
        Where the records go.
    begun
        Called once a first snapshot is surely kept.

    """

    def __init__(self, outlets: Sequence[Outlet], begun: Callable[[], None] = _nothing) -> None:
        self.outlets, self._begun = outlets, begun

    def list_parts(self) -> list[str]:
        """Return the one part."""
        return [_PART]

    def part_fn(self, item_key: str) -> int:
        """Return the part of a market: there is but one."""
        return 0

    def build_part(
        self, step_id: str, for_part: str, resume_state: bytes | None
    ) -> StatefulSinkPartition[list[Record], bytes]:
        """Return the outlets, as they were at the last snapshot."""
        return _Partition(self.outlets, resume_state, self._begun)
