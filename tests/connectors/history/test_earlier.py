"""A log that keeps only its end, with history in front of it: the tape of the whole log."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given
from hypothesis import strategies as st

from connectors.history.earlier import Earlier
from connectors.log.source import LogSource
from connectors.window import Window
from infra.history.history import History
from infra.settings import Settings
from schemas import SECOND, Outside, Trades
from tests.connectors.history.test_source import few, keep
from tests.connectors.memory_log import MemoryLog
from tests.connectors.outside import found_in, log_of, outside
from tests.connectors.recording_rig import play, rows_of, stops

START = 1_700_000_000 * SECOND
TRADE = Trades.of("okx:A", [START], [1.0], [1.0])


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    kept = History(Settings(tmp_path_factory.mktemp("deck")))
    kept.start()
    yield kept
    kept.stop()


@pytest.fixture(scope="module")
def writer(history: History) -> Iterator[Client]:
    with history.client("writer") as client:
        yield client


def cut(log: MemoryLog, left: int) -> None:
    """Keep only so many of the last messages of each partition."""
    for name in log.partitions():
        bounds = log.bounds(name)
        log.cut(name, max(bounds.first, bounds.end - left))


@few
@given(outside(st.integers(START, START + 20)), st.integers(0, 20), st.integers(0, 4), stops())
def test_the_tape_is_that_of_the_log_as_it_was_before_retention(
    history: History, writer: Client, events: list[Outside], since: int, left: int, stops: set[int]
) -> None:
    log, window = log_of(events), Window(START + since)
    name = keep(writer, log)
    whole = found_in(play(lambda: LogSource(log, window=window)))
    cut(log, left)
    earlier = Earlier(lambda: history.client("reader"), name, window)
    joined = play(lambda: LogSource(log, window=window, earlier=earlier), stops)
    assert found_in(joined) == whole


def test_history_that_is_away_or_ends_before_the_log_begins_is_no_past_of_it(
    history: History, writer: Client
) -> None:
    def away() -> Client:
        raise ConnectionError("nobody there")

    log, more = log_of([TRADE] * 3), log_of([TRADE] * 9)
    keep(writer, log)
    window = Window(START)
    short = Earlier(lambda: history.client("reader"), log.name, window)
    [part] = [name for name in log.partitions() if log.bounds(name).end]
    assert short.first(part, 3) == 0
    assert short.first(part, 4) is None
    more.name = log.name
    cut(more, 2)
    for earlier in (short, Earlier(away, log.name, window)):
        found = play(partial(LogSource, more, window=window, earlier=earlier))
        assert len(list(rows_of(found["okx:A"]))) == 2
