"""What one thread hands to another: all of it, in order, with what went wrong behind it."""

from __future__ import annotations

import threading

import pytest

from connectors.exchange.handing import Outbox
from schemas import Heartbeat, Trades


def test_all_that_was_put_comes_out_once_and_in_order() -> None:
    box = Outbox()
    first, second = Heartbeat("a", 1), Heartbeat("b", 2)
    box.put("a", [first])
    box.put("a", [])
    box.put("b", [second])
    assert box.drain() == [("a", [first]), ("b", [second])]
    assert box.drain() == []


def test_room_is_counted_by_trades_and_events() -> None:
    box = Outbox(room=3)
    box.put("m", [Trades.of("m", [1, 2], [2.0, 2.0], [3.0, 3.0])])
    assert not box.full
    box.put("m", [Heartbeat("m", 1)])
    assert box.full
    box.drain()
    assert not box.full


def test_what_went_wrong_is_raised_behind_what_was_put_and_stays() -> None:
    box = Outbox()
    box.put("m", [Heartbeat("m", 1)])
    box.fail(KeyError("first"))
    box.fail(KeyError("second"))
    assert len(box.drain()) == 1
    for _ in range(2):
        with pytest.raises(KeyError, match="first"):
            box.drain()


def test_a_wait_ends_when_something_comes_and_when_nothing_does() -> None:
    box = Outbox()
    assert not box.wait(0.0)
    thread = threading.Thread(target=box.put, args=("m", [Heartbeat("m", 1)]))
    thread.start()
    assert box.wait(60)
    thread.join()
    box.drain()
    box.fail(KeyError())
    assert box.wait(60)
