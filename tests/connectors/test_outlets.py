"""In the engine: what outlets hold goes into the snapshot, and comes back from it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.operators import KeyedStream
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSource, run_main

from connectors.outlets import Outlets
from schemas import Halt
from schemas.tables import Record


class Count:
    """An outlet that counts, and fails at its limit."""

    def __init__(self, limit: int = 100) -> None:
        self.limit, self.count, self.closed = limit, 0, False

    def resume(self, state: Mapping[str, object] | None) -> None:
        self.count = len(state or ())

    def write(self, records: list[Record]) -> None:
        if self.count + len(records) > self.limit:
            raise OSError("full")
        self.count += len(records)

    def snapshot(self) -> Mapping[str, object]:
        return dict.fromkeys(map(str, range(self.count)))

    def close(self) -> None:
        self.closed = True
        raise OSError("the engine would die of it")


def run(source: list[object], place: Path, *outlets: Count) -> None:
    flow = Dataflow("outlets")
    stream: KeyedStream[list[Record]] = op.input("in", flow, TestingSource(source))  # type: ignore[arg-type]
    op.output("out", stream, Outlets(outlets))
    run_main(  # type: ignore[no-untyped-call]
        flow,
        epoch_interval=timedelta(0),
        recovery_config=RecoveryConfig(place, timedelta(0)),  # type: ignore[no-untyped-call]
    )


def test_outlets_go_on_from_their_snapshot_and_are_not_closed_by_the_engine(
    tmp_path: Path,
) -> None:
    init_db_dir(tmp_path, 1)  # type: ignore[no-untyped-call]
    item = ("m:A", [Record(0, Halt("m:A", 1, "halted", "me"))])
    source: list[object] = [item, item, TestingSource.EOF(), item]
    first, other = Count(), Count()
    run(source, tmp_path, first, other)
    assert (first.count, other.count, first.closed) == (2, 2, False)
    later, full = Count(), Count(limit=2)
    with pytest.raises(OSError, match="full"):
        run(source, tmp_path, later, full)
    last = [Count(), Count()]
    run(source, tmp_path, *last)
    assert [outlet.count for outlet in last] == [3, 3]
