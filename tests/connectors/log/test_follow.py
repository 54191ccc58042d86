"""Following a log: each partition from its own place on."""

from __future__ import annotations

import pytest

from connectors.log.follow import Follower
from connectors.log.log import LostError
from schemas import Heartbeat
from tests.connectors.memory_log import MemoryLog

A, B = "okx:A/USD", "okx:B"
"""In partitions 1 and 0."""


def log() -> MemoryLog:
    log = MemoryLog(count=2, step=3)
    log.put(*(Heartbeat(market, ts) for ts in range(3) for market in (A, B)))
    return log


def read(follower: Follower, limit: int = 100) -> dict[str, list[int]]:
    found = dict(follower.read(limit))
    return {name: [entry.offset for entry in entries] for name, entries in found.items()}


def test_it_begins_at_the_beginning_or_where_it_is_told_to() -> None:
    kept = log()
    kept.cut("memory/0", 3)
    assert read(Follower(kept)) == {"memory/0": [3, 6], "memory/1": [0, 3, 6]}
    assert read(Follower(kept, positions={"memory/1": 4})) == {
        "memory/0": [3, 6], "memory/1": [6],
    }  # fmt: skip


def test_what_comes_later_is_read_later() -> None:
    kept = log()
    follower = Follower(kept)
    assert read(follower, 2) == {"memory/0": [0, 3], "memory/1": [0, 3]}
    assert follower.behind() == 6
    assert read(follower, 2) == {"memory/0": [6], "memory/1": [6]}
    assert read(follower) == {}
    kept.put(Heartbeat(B, 4))
    assert read(follower) == {"memory/0": [9]}
    assert follower.positions == {"memory/0": 10, "memory/1": 7}
    assert follower.behind() == 0
    follower.close()


def test_every_partition_is_in_one_share() -> None:
    shares = [Follower(MemoryLog(count=5), (k, 3)).positions for k in range(3)]
    assert sorted(name for share in shares for name in share) == MemoryLog(count=5).partitions()
    assert [*shares[1]] == ["memory/1", "memory/4"]


def test_what_is_lost_is_an_error_even_if_nothing_is_new() -> None:
    kept = log()
    follower = Follower(kept, positions={"memory/0": 2})
    kept.cut("memory/0", 7)
    with pytest.raises(LostError, match="not kept any more"):
        read(follower)
