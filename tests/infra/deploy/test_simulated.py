"""A market that goes on: the same tape wherever its feeder was stopped and started again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.log.sqlite_log import SqliteLog
from connectors.log.sqlite_writer import SqliteWriter
from connectors.simulated.simulate import START
from infra.deploy.rehearsal import behind, there
from infra.deploy.simulated import Feed, Plan, last_event
from schemas import MINUTE, Event, Time, Trades, wire

MARKET = "sim:BTC/USDT"
PLAN = Plan((MARKET,), begin=START, anchor=START, shown=START)
END = START + 130 * MINUTE


def rows(events: Iterable[Event]) -> list[tuple[object, ...]]:
    """Return trades one by one, and other events as they are written."""
    found: list[tuple[object, ...]] = []
    for event in events:
        if isinstance(event, Trades):
            ids = event.id
            assert ids is not None
            found += zip(event.ts.tolist(), event.price.tolist(), ids.tolist(), strict=True)
        else:
            found.append((wire.encode(event),))
    return found


def fed(times: Iterable[Time]) -> list[Event]:
    """Feed up to each of these times with a feeder of its own, which knows the last event only."""
    events: list[Event] = []
    for time in times:
        events += Feed(PLAN, MARKET, events[-1] if events else None).until(time)
    return events


WHOLE = rows(fed([END]))


@given(st.lists(st.integers(START, END), max_size=5))
@settings(max_examples=25, deadline=None)
def test_it_goes_on_where_it_was_stopped_without_a_hole_or_a_repetition(stops: list[int]) -> None:
    assert rows(fed([*sorted(stops), END])) == WHOLE


def test_ids_are_whole_and_time_never_goes_back() -> None:
    ids = [row[2] for row in WHOLE if len(row) == 3]
    assert ids == list(range(1, len(ids) + 1))
    assert len(ids) > 1_000
    events = fed([END])
    stamps = [int(event.ts[-1]) if isinstance(event, Trades) else event.ts for event in events]
    assert stamps == sorted(stamps)


def test_another_market_is_fed_from_the_same_hour_on() -> None:
    other = Feed(PLAN, "sim:ETH/USDT", None)
    first = next(iter(other.until(END)))
    assert (first.ts if not isinstance(first, Trades) else first.ts.item(0)) < START + 30 * MINUTE


def test_what_a_log_has_last_is_found_among_other_markets(tmp_path: Path) -> None:
    events = fed([START + 20 * MINUTE])
    appender = SqliteWriter(tmp_path, 2)
    tapes = [(MARKET, [event]) for event in events]
    with closing(appender):
        for market, strip in tapes:
            batch = [(market, wire.encode(event)) for event in strip]
            appender.write([*batch, ("sim:ETH/USDT", batch[0][1])], {})
    with closing(SqliteLog(tmp_path)) as log:
        found = last_event(log, MARKET)
        assert found is not None
        assert rows([found]) == rows(events[-1:])
        assert last_event(log, "sim:XRP/USDT") is None
        assert there(log)[MARKET] == len(rows(events))


@given(st.integers(0, len(WHOLE)))
@settings(max_examples=25, deadline=None)
def test_a_rehearsal_goes_on_behind_what_is_known(known: int) -> None:
    events = fed([END])
    taken: list[Event] = []
    batches = ([(MARKET, [event])] for event in events)
    for items in behind(Counter({MARKET: known}), list(batches)):
        for _, strip in items:
            taken += strip
    assert rows(taken) == WHOLE[known:]
