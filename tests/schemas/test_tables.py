from __future__ import annotations

from decimal import Decimal
from itertools import chain

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import DERIVED, OUTSIDE, Event, Gap, Order, Outside, Position, Reject, Trades
from schemas.forms import forms
from schemas.tables import BORN_ON_TAPE, Record, block, columns, outside_block, table
from tests.schemas.events import KINDS, events, few
from tests.tapes import trades_of

IDS = ["flow", "run", "market", "seq"]
AT = ["partition", "offset", "row"]


def plain(batch: pa.RecordBatch) -> list[dict[str, object]]:
    """Return the rows, times as whole numbers of nanoseconds."""
    arrays = [
        array.cast(pa.int64()) if pa.types.is_timestamp(array.type) else array
        for array in batch.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names).to_pylist()  # type: ignore[no-any-return]


def as_kept(value: object) -> object:
    """Return a field as a table keeps it."""
    match value:
        case dict():
            return list(value.items())
        case list():
            return [{"price": price, "size": size} for price, size in value]
        case _:
            return value


def fields_of(event: Event) -> dict[str, object]:
    return {name: as_kept(getattr(event, name)) for name in forms(type(event))}


def place(at: Position | None) -> dict[str, object]:
    return dict(zip(AT, at or ("", -1, -1), strict=True))


@pytest.mark.parametrize("kind", DERIVED)
def test_a_derived_table_is_its_id_and_its_fields(kind: type[Event]) -> None:
    fields = [name for name in forms(kind) if name != "market"]
    assert list(columns(kind)) == [*IDS, *fields]


@pytest.mark.parametrize("kind", [kind for kind in OUTSIDE if kind is not Trades])
def test_an_outside_table_is_its_fields_and_their_place_in_the_log(kind: type[Event]) -> None:
    fields = list(forms(kind))
    ids = [*IDS, *fields[1:]] if kind in (Gap, Reject) else fields
    assert list(columns(kind)) == [*ids, *AT]


def test_each_kind_has_a_table_of_its_own() -> None:
    assert len({table(kind) for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize("kind", BORN_ON_TAPE)
@few
@given(st.data())
def test_a_block_holds_what_the_events_hold(kind: type[Event], data: st.DataObject) -> None:
    born = data.draw(st.lists(events(kind), max_size=3))
    batch = block("demo", "r1", kind, [Record(7 + i, event) for i, event in enumerate(born)])
    assert {f.name: f.type for f in batch.schema} == {
        name: form.arrow for name, form in columns(kind).items()
    }
    assert plain(batch) == [
        {"flow": "demo", "run": "r1", "seq": 7 + i, **fields_of(event)}
        | (place(event.at) if isinstance(event, Outside) else {})
        for i, event in enumerate(born)
    ]


@pytest.mark.parametrize("kind", [kind for kind in OUTSIDE if kind is not Trades])
@few
@given(st.data())
def test_an_outside_block_holds_what_the_events_hold(
    kind: type[Outside], data: st.DataObject
) -> None:
    came: list[Outside] = data.draw(st.lists(events(kind), max_size=3))  # type: ignore[arg-type]
    nowhere = {"flow": "", "run": "", "seq": -1} if kind in (Gap, Reject) else {}
    assert plain(outside_block(kind, came)) == [
        {**nowhere, **fields_of(event), **place(event.at)} for event in came
    ]


@given(st.lists(events(Trades), max_size=3))
def test_a_block_of_trades_has_a_row_a_trade(came: list[Trades]) -> None:
    batch = outside_block(Trades, came)
    assert {f.name: f.type for f in batch.schema} == {
        name: form.arrow for name, form in columns(Trades).items()
    }
    places = chain.from_iterable(
        [(*at[:2], at[2] + i) for i in range(len(trades))]
        for trades in came
        for at in [trades.at or ("", -1, -1)]
    )
    assert [tuple(row.values()) for row in plain(batch)] == [
        (
            row.market, row.stamp, row.price, row.size, row.side,
            "" if row.id is None else str(row.id), row.received, *at, False,
        )
        for row, at in zip(trades_of(came), places, strict=True)
    ]  # fmt: skip


@pytest.mark.parametrize("number", ["0.1", f"-{'9' * 38}.{'9' * 38}", f"0.{'0' * 37}1", "1e37"])
def test_money_is_kept_exactly(number: str) -> None:
    order = Order("m", 7, 1, 1, "enter", "buy", Decimal(number), "cross")
    (row,) = plain(block("demo", "r1", Order, [Record(0, order)]))
    assert row["amount"] == Decimal(number)


def test_a_table_of_trades_keeps_the_exchanges_own_stamps() -> None:
    trades = Trades.of("m", [3, 2], [7.0, 8.0], [1.0, 2.0])
    trades.columns.ts = Trades.of("m", [3, 3], [7.0, 8.0], [1.0, 2.0]).ts
    assert [row["ts"] for row in plain(outside_block(Trades, [trades]))] == [3, 2]
