"""Messages: what each reader of a log takes them for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from connectors.log.log import Entry
from connectors.log.messages import said
from schemas import OUTSIDE, Event, Halt, Heartbeat, Position, Reject, Trades
from schemas.wire import encode
from tests.schemas.events import any_event, few
from tests.tapes import canonical

AT = Position("log/3", 7)


def entry(event: Event, market: str | None = None) -> Entry:
    return Entry(7, event.market if market is None else market, encode(event))


@few
@given(any_event())
def test_an_outside_event_comes_back_as_itself_with_its_place_in_the_log(event: Event) -> None:
    back, readable = said(entry(event), AT.partition)
    assert back.at == AT
    assert readable == isinstance(event, OUTSIDE)
    if isinstance(event, Trades):
        assert isinstance(back, Trades)
        assert canonical([back]) == canonical([event])
    elif isinstance(event, OUTSIDE):
        assert back == replace(event, at=AT)
    else:
        assert isinstance(back, Reject)


def test_what_cannot_be_read_is_a_reject_on_the_tape_of_its_key() -> None:
    back, readable = said(
        Entry(7, "okx:A", b'{"type":"Book","market":"okx:B","ts":5}\xff'), "log/3"
    )
    assert isinstance(back, Reject)
    assert (back.market, back.ts, back.at, readable) == ("okx:A", 0, AT, False)
    assert back.payload == '{"type":"Book","market":"okx:B","ts":5}\\xff'


def test_a_reject_that_was_written_as_such_was_readable() -> None:
    reject = Reject("okx:A", 5, "a wild stamp", '{"type":"Book"}')
    assert said(entry(reject), "log/3") == (replace(reject, at=AT), True)


@pytest.mark.parametrize(
    ("event", "market", "why"),
    [
        (Halt("okx:A", 5, "halted", "me"), "okx:A", "a Halt is no outside event"),
        (Heartbeat("okx:B", 5), "okx:A", "an event of okx:B in a message of okx:A"),
        (Trades.of("okx:B", [5], [1.0], [1.0]), "okx:A", "an event of okx:B in a message of okx:A"),
    ],
)
def test_what_does_not_belong_there_is_rejected_whole(event: Event, market: str, why: str) -> None:
    back, readable = said(entry(event, market), "log/3")
    assert isinstance(back, Reject)
    assert (back.market, back.ts, back.at, readable) == (market, 5, AT, False)
    assert back.why.startswith(why)
    assert back.payload == encode(event).decode()
