from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from connectors.offsets import Chunk, Offsets, Place, start
from connectors.rest import AT_ONCE, Rest
from connectors.tracks import Counts
from schemas import Heartbeat

A = "sim:A/USD"


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Count instead of sleeping."""
    found: list[float] = []
    monkeypatch.setattr("connectors.rest.time.sleep", found.append)
    return found


def part(shared: Rest, *chunks: Chunk | None) -> Offsets:
    def come() -> Iterator[Chunk | None]:
        yield from chunks
        while True:
            yield None

    return Offsets(come(), 10, start(0, None), Counts(), threading.Event(), shared)  # type: ignore[arg-type]


def test_whoever_has_nothing_rests_only_when_all_have_nothing(rests: list[float]) -> None:
    shared = Rest(0.5)
    one = Chunk(Place(0, []), Place(1, []), {A: [Heartbeat(A, 1)]})
    first, second = part(shared), part(shared, one)
    for _ in range(3):
        assert first.next_batch() == []
        second.next_batch()
    assert rests == [0.5, 0.5]


def test_one_that_has_left_is_not_waited_for(rests: list[float]) -> None:
    shared = Rest(0.5)
    first, second = part(shared), part(shared)
    second.close()
    first.next_batch()
    assert rests == [0.5]


def test_the_engine_is_told_a_time_that_has_passed_whatever_its_clock_says() -> None:
    assert part(Rest(0.0)).next_awake() is AT_ONCE
    assert datetime(2001, 1, 1, tzinfo=timezone.utc) > AT_ONCE
