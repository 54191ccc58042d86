from __future__ import annotations

from dataclasses import fields

import pytest

from schemas import OUTSIDE, Averages, Book, Event, Heartbeat, Trades
from tests.schemas.events import KINDS


@pytest.mark.parametrize("kind", [kind for kind in OUTSIDE if kind is not Trades])
def test_an_outside_event_has_a_market_a_time_and_a_place_in_its_log(kind: type[Event]) -> None:
    names = [field.name for field in fields(kind)]
    assert names[:2] == ["market", "ts"]
    assert names[-1] == "at"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Averages])
def test_an_event_is_slotted(kind: type[Event]) -> None:
    assert not hasattr(kind.__new__(kind), "__dict__")


def test_events_are_equal_when_all_their_fields_are() -> None:
    assert Book("m", 1, [(1.0, 2.0)], []) == Book("m", 1, [(1.0, 2.0)], [])
    assert Book("m", 1, [(1.0, 2.0)], []) != Book("m", 1, [(1.0, 3.0)], [])
    assert Heartbeat("m", 1) != Heartbeat("m", 2)
