from __future__ import annotations

import copy
import pickle
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import DERIVED, Averages, Event
from tests.schemas.events import events, few


@pytest.mark.parametrize("kind", DERIVED)
def test_a_derived_event_has_a_market_and_the_time_of_its_cause(kind: type[Event]) -> None:
    names = [field.name for field in fields(kind)]
    assert names[:2] == ["market", "ts"]
    assert not {"at", "received"} & {*names}


@pytest.mark.parametrize("kind", DERIVED)
@few
@given(st.data())
def test_a_derived_event_pickles(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(events(kind))
    assert pickle.loads(pickle.dumps(event)) == event == copy.deepcopy(event)


def test_averages_are_read_by_name() -> None:
    averages = Averages("m", 0, {"sma5": 7.0, "ema20": 8.0})
    assert (averages.sma5, averages.ema20) == (7.0, 8.0)
    kept = pickle.loads(pickle.dumps(averages))
    assert (kept.sma5, kept.ema20) == (7.0, 8.0)


@pytest.mark.parametrize(
    ("values", "known"), [({"sma5": 7.0, "ema20": 8.0}, "sma5, ema20"), ({}, "none")]
)
def test_an_unknown_average_is_told_with_the_known_ones(
    values: dict[str, float], known: str
) -> None:
    with pytest.raises(AttributeError, match=f"no average 'sma9'; this tape has {known}"):
        _ = Averages("m", 0, values).sma9
