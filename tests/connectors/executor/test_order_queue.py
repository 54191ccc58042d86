"""The order queue: every message comes back as it was, and what is none harms nobody."""

from __future__ import annotations

from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.executor.order_queue import (
    Alive,
    Ask,
    Asked,
    OrdersOutlet,
    Told,
    ask_of,
    encode_ask,
    read_ask,
)
from connectors.log.log import Entry
from schemas import SECOND, Command, Halt, Order, Reject
from schemas.tables import Record
from schemas.wire import Unreadable
from tests.connectors.memory_log import MemoryLog
from tests.schemas.events import TEXT, WHOLE, events, few

ORDER = Order("okx:A/B", 5, 1, 1, "enter", "buy", Decimal("0.5"), "cross")


def unplaced(event: object) -> Command:
    assert isinstance(event, Command)
    event.at = None
    return event


ASKS = (
    st.builds(Asked, TEXT, TEXT, TEXT, events(Order))
    | st.builds(Told, TEXT, events(Command).map(unplaced))
    | st.builds(Alive, TEXT, TEXT, TEXT, st.lists(TEXT), WHOLE)
)


@few
@given(ASKS)
def test_a_message_comes_back_as_it_was(ask: Ask) -> None:
    assert read_ask(encode_ask(ask)) == ask


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"v": 2}, "version 2"),
        ({"type": "Wish"}, "unknown type 'Wish'"),
        ({"account": None}, "account: None is not a text"),
        ({"order": {"type": "Halt"}}, "version None"),
        ({"order": 7}, "not an object, but a int"),
        ({"order": orjson.loads(b'{"type":"Heartbeat","v":1,"market":"m","ts":7}')}, "is no Order"),
    ],
)
def test_what_cannot_be_read_is_told_and_kept_whole(change: dict[str, object], why: str) -> None:
    body = orjson.loads(encode_ask(Asked("main", "demo", "1f", ORDER)))
    message = orjson.dumps({**body, **change})
    with pytest.raises(Unreadable, match=why):
        read_ask(message)
    kept = ask_of(Entry(3, "main", message), "queue/0")
    assert isinstance(kept, Reject)
    assert (kept.payload, kept.at) == (message.decode(), ("queue/0", 3, 0))


@given(st.binary())
def test_no_message_whatever_ends_who_reads_it(message: bytes) -> None:
    assert isinstance(ask_of(Entry(0, "main", message), "queue/0"), Reject)


@pytest.mark.parametrize("field", ["markets", "stamp"])
def test_a_sign_of_life_that_is_none_is_told(field: str) -> None:
    body = orjson.loads(encode_ask(Alive("main", "demo", "1f", [], 7)))
    with pytest.raises(Unreadable, match=f"{field}: True is not"):
        read_ask(orjson.dumps({**body, field: True}))


def test_a_message_of_another_account_is_not_obeyed() -> None:
    message = encode_ask(Asked("other", "demo", "1f", ORDER))
    kept = ask_of(Entry(0, "main", message), "queue/0")
    assert isinstance(kept, Reject)
    assert kept.why == "for 'other' in a message of 'main'"


def test_orders_go_out_at_once_and_signs_of_life_each_second() -> None:
    log, now = MemoryLog(count=1), [10 * SECOND]
    outlet = OrdersOutlet(log, "main", "demo", "1f", clock=lambda: now[0])
    outlet.resume(None)
    other = Halt("okx:C/B", 5, "halted", "me")
    outlet.write([Record(1, ORDER)])
    outlet.write([Record(1, other)])
    now[0] += SECOND
    outlet.write([Record(2, ORDER)])
    assert log.flushes == 0
    markets = outlet.snapshot()
    assert log.flushes == 1
    first = Alive("main", "demo", "1f", ["okx:A/B"], 10 * SECOND)
    then = Alive("main", "demo", "1f", ["okx:A/B", "okx:C/B"], 11 * SECOND)
    asked = Asked("main", "demo", "1f", ORDER)
    assert said(log) == [asked, first, asked, then]
    again = OrdersOutlet(log, "main", "demo", "1f", clock=lambda: 20 * SECOND)
    again.resume(markets)
    again.snapshot()
    assert said(log)[-1] == then._replace(stamp=20 * SECOND)


def said(log: MemoryLog) -> list[Ask | Reject]:
    return [ask_of(entry, "queue/0") for entry in log.entries[0]]
