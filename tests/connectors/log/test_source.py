"""A log as a source: the tape of each market, for every batch and share, after every stop."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.log.log import LostError
from connectors.log.source import LogSource
from connectors.window import Window
from schemas import MINUTE, SECOND, Command, Event, Halt, Heartbeat, Outside, Reject, Report, Trades
from schemas.wire import encode
from tests.connectors.memory_log import MemoryLog
from tests.connectors.outside import MARKETS, found_in, log_of, outside, tapes_of
from tests.connectors.recording_rig import play, stops

A = MARKETS[0]
BROKEN = st.dictionaries(
    st.integers(0, 12),
    st.sampled_from([b"", b"{", encode(Halt(A, 5, "halted", "me")), encode(Heartbeat("x:Y", 5))]),
)
HOUR = 60 * MINUTE


def beats(count: int, market: str = A) -> list[Outside]:
    return [Heartbeat(market, 1 + number) for number in range(count)]


@given(outside(), BROKEN, st.sampled_from([1, 2, 3, 1000]), stops())
def test_the_tape_is_the_same_for_every_batch_and_after_every_stop(
    events: list[Outside], broken: dict[int, bytes], batch: int, stops: set[int]
) -> None:
    log = log_of(events, broken)
    assert found_in(play(lambda: LogSource(log, batch=batch), stops)) == tapes_of(log)


@given(outside(), st.integers(1, 3))
def test_processes_divide_the_partitions(events: list[Outside], count: int) -> None:
    log = log_of(events)
    found: dict[str, object] = {}
    for k in range(count):
        tapes = found_in(play(lambda k=k: LogSource(log, (k, count))))  # type: ignore[misc]
        assert not tapes.keys() & found.keys()
        found |= tapes
    assert found == tapes_of(log)


@given(outside(st.integers(1, 20)), st.integers(0, 20), st.integers(0, 20), stops())
def test_a_stretch_of_time_is_what_is_stamped_in_it_row_by_row(
    events: list[Outside], since: int, until: int, stops: set[int]
) -> None:
    log = log_of(events)
    tapes = play(lambda: LogSource(log, batch=2, window=Window(since, until)), stops)

    def inside(event: Event) -> bool:
        return since <= (event.ts.item(0) if isinstance(event, Trades) else event.ts) < until

    assert found_in(tapes) == tapes_of(log, inside)


@given(outside())
def test_other_markets_and_private_events_are_left_out(events: list[Outside]) -> None:
    log = log_of(events)
    tapes = play(lambda: LogSource(log, window=Window(markets=MARKETS[1:], private=False)))

    def wanted(event: Event) -> bool:
        return event.market in MARKETS[1:] and not isinstance(event, (Report, Command))

    assert found_in(tapes) == tapes_of(log, wanted)


def test_what_is_appended_behind_the_first_opening_is_not_read_not_even_after_a_stop() -> None:
    log = log_of(beats(250))
    source = LogSource(log)
    part = next(name for name in source.list_parts() if log.bounds(name).end)
    first = source.build_part("replay", part, None)
    seen = sum(len(strip) for _, strip in first.next_batch())
    kept = pickle.loads(pickle.dumps(first.snapshot()))
    log.put(*beats(9))
    again = LogSource(log)
    rest = again.build_part("replay", part, kept)
    assert again.progress.total == 250
    for _ in range(2):
        seen += sum(len(strip) for _, strip in rest.next_batch())
    with pytest.raises(StopIteration):
        rest.next_batch()
    assert seen == 250
    assert again.progress.read == 250


def test_followed_it_waits_for_more_until_it_is_stopped() -> None:
    log = log_of(beats(2))
    source = LogSource(log, follow=True)
    [part] = [name for name in source.list_parts() if log.bounds(name).end]
    reading = source.build_part("replay", part, None)
    tape = [event for _, strip in reading.next_batch() for event in strip]
    for _ in range(3):
        assert list(reading.next_batch()) == []
    log.put(*beats(3))
    tape += [event for _, strip in reading.next_batch() for event in strip]
    kept = reading.snapshot()
    source.stop()
    with pytest.raises(StopIteration):
        reading.next_batch()
    assert len(tape) == 5
    log.put(*beats(1))
    [(_, strip)] = LogSource(log).build_part("replay", part, kept).next_batch()
    assert [event.at and event.at.offset for event in strip if isinstance(event, Outside)] == [5]


def test_what_retention_took_is_told_also_behind_a_stop() -> None:
    log = log_of(beats(300))
    source = LogSource(log)
    [part] = [name for name in source.list_parts() if log.bounds(name).end]
    reading = source.build_part("replay", part, None)
    reading.next_batch()
    kept = reading.snapshot()
    log.cut(part, 200)
    assert log.bounds(part).first == 200
    with pytest.raises(LostError, match="100 to 200"):
        LogSource(log).build_part("replay", part, kept).next_batch()
    assert len(play(lambda: LogSource(log))[A]) == 100


def test_it_begins_an_hour_before_the_stretch_and_no_earlier() -> None:
    now = 0
    log = MemoryLog(clock=lambda: now)
    for now in range(100 * HOUR, 110 * HOUR, MINUTE):
        log.put(Heartbeat(A, now + 59 * MINUTE))
    source = LogSource(log, window=Window(since=105 * HOUR))
    [tape] = play(lambda: source).values()
    assert [event.ts for event in tape] == list(range(105 * HOUR, 111 * HOUR - MINUTE, MINUTE))
    assert source.progress.total == 6 * 60


def test_rejects_that_are_events_are_themselves_and_those_that_are_not_hold_the_message() -> None:
    sent = Reject(A, 7, "not JSON", '{"type"')
    log = log_of([sent], {0: b'{"type"'})
    [(_, tape)] = play(lambda: LogSource(log)).items()
    [one, other] = tape
    assert isinstance(one, Reject)
    assert isinstance(other, Reject)
    assert replace(one, at=None) == sent
    assert (other.payload, other.market, other.at and other.at.offset) == ('{"type"', A, 1)
    assert other.why.startswith("not JSON: ")


def test_offsets_may_skip_and_the_last_batch_may_end_behind_the_end() -> None:
    log = MemoryLog(step=7)
    log.put(*beats(500))
    source = LogSource(log, window=Window(since=2 * SECOND))
    assert play(lambda: source) == {}
    assert source.progress.read == source.progress.total == 499 * 7 + 1


def test_who_wants_to_know_that_the_loop_turns_hears_it_though_nothing_comes() -> None:
    log = log_of(beats(1))
    source = LogSource(log, follow=True)
    turns: list[int] = []
    source.pulse = lambda: turns.append(1)
    [part] = [name for name in source.list_parts() if log.bounds(name).end]
    reading = source.build_part("replay", part, None)
    assert list(reading.next_batch())
    before = len(turns)
    for _ in range(5):
        assert list(reading.next_batch()) == []
    assert len(turns) - before >= 4
