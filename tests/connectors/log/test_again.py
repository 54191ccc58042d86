"""What a reader has handed out is read again exactly, wherever it was stopped."""

from __future__ import annotations

import pickle
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.log.again import check_kept, from_there
from connectors.log.log import Bounds, LogError, LostError
from connectors.log.offsets import State, start
from connectors.log.source import LogSource
from connectors.window import Window
from schemas import Event, Heartbeat, Outside
from tests.connectors.memory_log import MemoryLog
from tests.connectors.outside import MARKETS, found_in, log_of, outside
from tests.connectors.recording_rig import play

WINDOWS = st.sampled_from([Window(), Window(since=2**61), Window(markets=MARKETS[:2])])
READ: State = {**start(70, None), "first": 90, "counts": (0, 0, 0, 20)}


def read_some(
    log: MemoryLog, window: Window, batch: int, steps: int, stops: int
) -> tuple[dict[str, list[Event]], dict[str, State]]:
    """Follow a log for some steps, be stopped now and then, and return what came, and is kept."""
    tapes: dict[str, list[Event]] = {}
    states: dict[str, State] = {}
    for name in log.partitions():
        source = LogSource(log, batch=batch, follow=True, window=window)
        part, state = source.build_part("replay", name, None), None
        for number in range(steps):
            if stops and number and number % stops == 0:
                part.close()
                part = source.build_part("replay", name, state)
            for market, strip in part.next_batch():
                tapes.setdefault(market, []).extend(strip)
            state = pickle.loads(pickle.dumps(part.snapshot()))
        assert state is not None
        states[name] = state
    return tapes, states


@given(
    outside(), outside(), outside(), st.integers(1, 3), WINDOWS, st.integers(1, 3),
    st.integers(1, 12), st.integers(0, 4), st.sampled_from([1, 1000]),
)  # fmt: skip
def test_it_is_what_was_handed_out_and_nothing_behind_it(
    before: list[Outside], events: list[Outside], later: list[Outside], step: int, window: Window,
    batch: int, steps: int, stops: int, other: int,
) -> None:  # fmt: skip
    log = MemoryLog(step=step)
    log.put(*before)
    log.clock = lambda: 2**62
    log.put(*events)
    read, states = read_some(log, window, batch, steps, stops)
    log.put(*later)

    def source() -> LogSource:
        made = LogSource(log, batch=other, window=window)
        made.again(states)
        return made

    assert found_in(play(source)) == found_in(read)


@given(
    outside(), outside(), st.integers(1, 3), WINDOWS, st.integers(1, 3), st.integers(1, 6),
    st.integers(0, 6), st.sampled_from([1, 1000]),
)  # fmt: skip
def test_from_where_it_stood_at_an_earlier_time_on_it_is_what_came_since(
    events: list[Outside], later: list[Outside], step: int, window: Window, batch: int, steps: int,
    more: int, other: int,
) -> None:  # fmt: skip
    log = MemoryLog(step=step)
    log.put(*events)
    before, since = read_some(log, window, batch, steps, 0)
    whole, states = read_some(log, window, batch, steps + more, 0)
    log.put(*later)
    came: dict[str, list[Event]] = {}
    source = LogSource(log, batch=other, window=window)
    source.again({name: from_there(state, since[name]) for name, state in states.items()})
    for name in source.list_parts():
        part = source.build_part("replay", name, pickle.loads(pickle.dumps(since[name])))
        with suppress(StopIteration):
            while True:
                for market, strip in part.next_batch():
                    came.setdefault(market, []).extend(strip)
    joined = {market: [*before.get(market, []), *came.get(market, [])] for market in whole}
    assert found_in(joined) == found_in(whole)


def test_processes_divide_what_was_read() -> None:
    log = MemoryLog(count=5)
    states = {name: start(0, None) for name in log.partitions()[1:]}
    shares = []
    for k in range(2):
        source = LogSource(log, (k, 2))
        source.again(states)
        shares.append(source.list_parts())
    assert shares == [["memory/2", "memory/4"], ["memory/1", "memory/3"]]


def test_a_log_that_is_shorter_than_what_was_read_is_told() -> None:
    log = log_of([Heartbeat(MARKETS[0], 1)])
    [part] = [name for name in log.partitions() if log.bounds(name).end]
    done = {MARKETS[0]: 2}
    state: State = {**start(0, None), "first": 1, "done": done, "counts": (0, 0, 0, 1)}
    source = LogSource(log)
    source.again({part: state})
    with pytest.raises(LogError, match="the log ends at 1 here, and the run read on: an"):
        play(lambda: source)


@pytest.mark.parametrize(
    ("kept", "kind", "told"),
    [
        ({"a": Bounds(70, 90)}, None, ""),
        ({"a": Bounds(0, 200)}, None, ""),
        ({"a": Bounds(72, 200)}, LostError, "2 messages from offset 70 on are gone, for reten"),
        ({"a": Bounds(500, 900)}, LostError, "20 messages from offset 70 on are gone"),
        ({"a": Bounds(0, 89)}, LogError, "the log ends at 89 here, and the run read on"),
        ({"b": Bounds(0, 200)}, LogError, "the run read the partition a, and this log has b: nam"),
    ],
)
def test_what_a_log_has_not_any_more_is_told(
    kept: dict[str, Bounds], kind: type[LogError] | None, told: str
) -> None:
    if kind is None:
        check_kept({"a": READ}, kept)
        return
    with pytest.raises(kind, match=told):
        check_kept({"a": READ}, kept)


def test_a_run_that_read_nothing_has_lost_nothing() -> None:
    check_kept({"a": start(70, None), "b": start(7, None)}, {"a": Bounds(90, 90)})
