from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from connectors.log.offsets import Chunk, Offsets, Place, start
from connectors.recordings.tracks import Counts
from connectors.rest import AT_ONCE, Rest
from schemas import Heartbeat

A, SHORT = "sim:A/USD", 0.002


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
    shared = Rest()
    one = Chunk(Place(0, []), Place(1, []), {A: [Heartbeat(A, 1)]})
    first, second = part(shared), part(shared, one)
    for _ in range(3):
        assert first.next_batch() == []
        second.next_batch()
    assert rests == [SHORT] * 2


def test_one_that_has_left_is_not_waited_for(rests: list[float]) -> None:
    shared = Rest()
    first, second = part(shared), part(shared)
    second.close()
    first.next_batch()
    assert rests == [SHORT]


def test_the_engine_is_told_a_time_that_has_passed_whatever_its_clock_says() -> None:
    assert part(Rest()).next_awake() is AT_ONCE
    assert datetime(2001, 1, 1, tzinfo=timezone.utc) > AT_ONCE


class Bell:
    def __init__(self) -> None:
        self.waits, self.closed = 0, False

    def wait(self, seconds: float) -> None:
        self.waits += 1

    def close(self) -> None:
        self.closed = True


def test_what_rings_is_waited_for_and_closed_with_the_last_part(rests: list[float]) -> None:
    bell = Bell()
    shared = Rest(bell)
    first, second = part(shared), part(shared)
    for _ in range(4):
        first.next_batch()
        second.next_batch()
    assert bell.waits == len(rests) == 4
    first.close()
    assert not bell.closed
    second.close()
    assert bell.closed


def test_behind_a_rest_everybody_looks_again_at_once(rests: list[float]) -> None:
    shared = Rest()
    one = Chunk(Place(0, []), Place(1, []), {A: [Heartbeat(A, 1)]})
    [alone] = [part(shared, None, one)]
    assert alone.next_batch() == []
    assert alone.next_batch() != []
