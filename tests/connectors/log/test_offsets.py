"""A partition's state, whatever it is read in: messages may come in fewer or more at once."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from connectors.log.offsets import Chunk, Offsets, Place, State, start
from connectors.recordings.tracks import Counts
from connectors.rest import Rest
from schemas import Heartbeat, Trades

A = "okx:A"


def chunks(first: int, size: int) -> Generator[Chunk | None, None, None]:
    """Give messages of two trades each, up to 12, so many at once."""
    for offset in range(first, 12, size):
        stop = min(offset + size, 12)
        slices = [
            Trades.of(A, [2 * n + 1, 2 * n + 2], [1.0] * 2, [1.0] * 2) for n in range(offset, stop)
        ]
        yield Chunk(Place(offset, []), Place(stop, []), {A: [*slices]})
        yield None


def partition(state: State, size: int) -> Offsets:
    return Offsets(chunks(state["first"], size), 3, state, Counts(), threading.Event(), Rest())


@pytest.mark.parametrize("stop", range(9))
@pytest.mark.parametrize(("size", "other"), [(4, 1), (1, 5), (5, 2)])
def test_a_state_does_not_depend_on_how_many_messages_come_at_once(
    stop: int, size: int, other: int
) -> None:
    part, seen, steps = partition(start(0, 12), size), list[int](), 0
    while True:
        if steps == stop:
            part = partition(part.snapshot(), other)
        steps += 1
        try:
            items = part.next_batch()
        except StopIteration:
            break
        seen += [ts for _, strip in items for event in strip for ts in event.ts.tolist()]  # type: ignore[union-attr]
    assert seen == [*range(1, 25)]
    assert part.snapshot()["first"] == 12


def test_what_is_handed_out_whole_is_not_read_again() -> None:
    chunk = Chunk(Place(3, []), Place(9, [A]), {A: [Heartbeat(A, 1)]})
    chunks = (chunk for _ in range(1))
    part = Offsets(chunks, 1, start(3, None), Counts(), threading.Event(), Rest())
    assert part.snapshot()["first"] == 3
    part.next_batch()
    state = part.snapshot()
    assert (state["first"], state["done"], state["texts"]) == (9, {}, [A])
