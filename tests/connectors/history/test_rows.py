from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.history.rows import events_of, records_of
from schemas import DERIVED, OUTSIDE, Book, Event, Instrument, Outside, Position, Trades
from schemas.tables import Record, block, outside_block
from tests.schemas.events import events, few
from tests.tapes import canonical

AT = Position("p/0", 7, 3)


def rows_of(kind: type[Event], *made: Event) -> pa.RecordBatch:
    return outside_block(kind, [event for event in made if isinstance(event, Outside)])


@pytest.mark.parametrize("kind", [kind for kind in OUTSIDE if kind is not Trades])
@few
@given(st.data())
def test_a_row_gives_the_very_event_back(kind: type[Outside], data: st.DataObject) -> None:
    made = [data.draw(events(kind)) for _ in range(data.draw(st.integers(0, 3)))]
    for number, event in enumerate(made):
        assert isinstance(event, Outside)
        event.at = Position("p/0", number, 0)  # type: ignore[misc]
    found = list(events_of(kind, rows_of(kind, *made), "p/0"))
    assert canonical(placed.event for placed in found) == canonical(made)
    assert [placed[:2] for placed in found] == [(number, 0) for number in range(len(made))]


@pytest.mark.parametrize("kind", DERIVED)
@few
@given(st.data())
def test_a_row_gives_the_very_conclusion_back(kind: type[Event], data: st.DataObject) -> None:
    made = [data.draw(events(kind)) for _ in range(data.draw(st.integers(0, 3)))]
    records = [Record(7 + number, event) for number, event in enumerate(made)]
    found = list(records_of(kind, block("flow", "run", kind, records)))
    assert [record.seq for record in found] == [record.seq for record in records]
    assert canonical(record.event for record in found) == canonical(made)


def test_a_table_keeps_zeros_that_a_number_does_not_need_and_they_are_not_given_back() -> None:
    made = Instrument("m", 7, None, Decimal("0.0100"), Decimal("1E+1"), Decimal(1), at=AT)
    [placed] = events_of(Instrument, rows_of(Instrument, made), "p/0")
    assert isinstance(placed.event, Instrument)
    assert str(placed.event.lot) == "0.01"
    assert str(placed.event.min_notional) == "10"


def test_books_may_be_empty_on_a_side() -> None:
    made = [
        Book("m", 7, [], [(1.5, 2.0)], at=AT),
        Book("m", 8, [(1.0, 1.0), (0.5, 9.0)], [], at=AT),
    ]
    assert [placed.event for placed in events_of(Book, rows_of(Book, *made), "p/0")] == made


def test_a_slice_is_consecutive_rows_of_one_message_of_one_market() -> None:
    def trades(market: str, at: Position, received: list[int] | None = None) -> Trades:
        return Trades.of(market, [1, 2], [1.0] * 2, [1.0] * 2, received=received, at=at)

    made = [
        trades("a", Position("p/0", 1, 0)),
        trades("b", Position("p/0", 2, 0), [5, 6]),
        trades("a", Position("p/0", 3, 0)),
        trades("a", Position("p/0", 3, 2), [7, 0]),
        trades("a", Position("p/0", 3, 9)),
        trades("a", Position("p/0", 3, 12)),
    ]
    found = sorted(events_of(Trades, rows_of(Trades, *made), "p/0"), key=lambda placed: placed[:2])
    assert [placed.event.at for placed in found] == [event.at for event in made]
    for event in made:
        event.columns.id = np.array(["", ""], object)
    assert canonical(placed.event for placed in found) == canonical(made)
