from __future__ import annotations

from dataclasses import MISSING, fields
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas import Book, Event, Heartbeat, Outside, Position, Reject, Report, Trades
from schemas.forms import forms
from schemas.tables import Record, block
from schemas.wire import VERSION, Unreadable, decode, encode, plain, read
from tests.schemas.events import KINDS, annotation, any_event, events, few
from tests.tapes import Trade, canonical, rows

HEARTBEAT = {"type": "Heartbeat", "v": VERSION, "market": "m", "ts": 7}
SLICE = {
    "type": "Trades", "v": VERSION, "market": "m",
    "ts": [1, 2], "price": [1.0, 2.0], "size": [1.0, 2.0], "side": [1, -1],
}  # fmt: skip
JUNK: tuple[object, ...] = (
    None, True, False, 0, 7, -7, 2**63 - 1, 2**63, 2**64 - 1, 1.5, "", "x", "7", "1.50", "NaN",
    [], [1.0, 2.0], [[1.0, 2.0]], [["1", 2.0]], {}, {"a": 1.0}, {"a": "b"},
)  # fmt: skip


def told(body: object) -> Event:
    return decode(orjson.dumps(body))


def refused(message: bytes | str) -> str:
    """Tell why a message is rejected; whole it must be, and fit for its table."""
    event = decode(message, Position("p", 7))
    assert isinstance(event, Reject)
    assert event.at == Position("p", 7)
    if isinstance(message, str):
        message = message.encode(errors="backslashreplace")
    assert event.payload == message.decode(errors="backslashreplace")
    assert block("flow", "run", Reject, [Record(0, event)]).num_rows == 1
    return event.why


# There and back -----------------------------------------------------------------------------------


def as_sent(events: list[Event]) -> list[str]:
    """Return rows as the wire keeps them: trades at the exchange's stamps, ids as texts."""
    return canonical(
        row._replace(ts=row.stamp, id=None if row.id is None else str(row.id))  # type: ignore[misc]
        if isinstance(row, Trade)
        else row
        for row in rows(events)
    )


@pytest.mark.parametrize("kind", KINDS)
@few
@given(st.data())
def test_an_event_comes_back_to_the_last_bit(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(events(kind))
    at = event.at if isinstance(event, Outside) else None
    again = decode(encode(event), at)
    assert type(again) is kind
    assert as_sent([again]) == as_sent([event])
    if isinstance(again, Trades):
        assert again.at == at


def test_a_message_is_one_line_of_json_that_names_its_type_and_version() -> None:
    message = encode(Report("m", 7, "main", "demo", "x", "filled", Decimal("0.00000001")))
    assert b"\n" not in message
    body = orjson.loads(message)
    assert (body["type"], body["v"], body["market"], body["ts"]) == ("Report", VERSION, "m", 7)
    assert body["price"] == "0.00000001"


def test_trades_travel_as_columns_with_the_exchanges_own_stamps() -> None:
    trades = Trades.of("m", [3, 2], [7.0, 8.0], [1.0, 2.0], [1, 0], ["a", "b"])
    trades.columns.ts = Trades.of("m", [3, 3], [7.0, 8.0], [1.0, 2.0]).ts
    assert orjson.loads(encode(trades.cut(1, 2))) == {
        "type": "Trades", "v": VERSION, "market": "m",
        "ts": [2], "price": [8.0], "size": [2.0], "side": [0], "id": ["b"],
    }  # fmt: skip


@given(any_event())
def test_plain_is_the_fields_without_the_place_in_the_log(event: Event) -> None:
    if not isinstance(event, Trades):
        names = [field.name for field in fields(event) if field.name != "at"]
        assert plain(event) == {name: getattr(event, name) for name in names}


def test_fields_nobody_knows_are_passed_over() -> None:
    assert told({**HEARTBEAT, "mood": "good"}) == Heartbeat("m", 7)


# What cannot be read ------------------------------------------------------------------------------


@given(st.binary(max_size=60) | st.text(max_size=60))
@example(b"")
@example(b"\xff\xfe")
@example(b"[" * 5_000)
@example("\ud800")
def test_noise_is_rejected_whole(message: bytes | str) -> None:
    assert refused(message)


@given(any_event(), st.data())
def test_a_message_cut_short_is_rejected_whole(event: Event, data: st.DataObject) -> None:
    message = encode(event)
    assert refused(message[: data.draw(st.integers(0, len(message) - 1))]).startswith("not JSON")


@given(any_event(), st.data())
def test_a_message_with_wrong_bytes_raises_nothing(event: Event, data: st.DataObject) -> None:
    message = bytearray(encode(event))
    for _ in range(data.draw(st.integers(1, 3))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(decode(bytes(message)), Event)


json = st.recursive(
    st.sampled_from(JUNK), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(any_event(), st.data())
def test_any_json_in_any_field_raises_nothing(event: Event, data: st.DataObject) -> None:
    body = orjson.loads(encode(event))
    body[data.draw(st.sampled_from(sorted(body)))] = data.draw(json)
    message = orjson.dumps(body)
    again = decode(message)
    assert isinstance(again, Event)
    if isinstance(again, Reject) and not isinstance(event, Reject):
        assert refused(message)


FITTING: dict[str, list[object]] = {
    "str": ["", "x", "7", "1.50", "NaN"],
    "bool": [True, False],
    "Decimal": ["7", "1.50"],
    "Numbers": [{}, {"a": 1.0}],
    "Levels": [[], [[1.0, 2.0]]],
    "Side": ["long"],
    "Aggressor": ["buy"],
    "Unit": ["base"],
    "OrderKind": ["limit"],
    "Purpose": ["", "exit"],
}
"""What of the junk a field may hold, by its annotation."""


def fits(name: str, value: Any) -> bool:  # noqa: ANN401 - any JSON
    """Tell whether a field with this annotation may hold this JSON."""
    kind, _, optional = name.partition(" | ")
    if optional and value is None:
        return True
    if kind in ("int", "Time"):
        return type(value) is int and value < 2**63
    if kind == "float":
        return type(value) in (int, float)
    return value in FITTING[kind] and type(value) is type(FITTING[kind][0])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Trades])
@few
@given(st.data())
def test_a_field_of_the_wrong_type_is_rejected_by_name(
    kind: type[Event], data: st.DataObject
) -> None:
    body = orjson.loads(encode(data.draw(events(kind)))) | {"bids": [], "asks": []}
    name = data.draw(st.sampled_from(list(forms(kind))))
    value = data.draw(st.sampled_from(JUNK))
    message = orjson.dumps({**body, name: value})
    if fits(annotation(forms(kind)[name]), value):
        assert type(decode(message)) is kind
    else:
        assert refused(message).startswith(f"{name}: ")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Trades])
@few
@given(st.data())
def test_a_missing_field_is_rejected_by_name(kind: type[Event], data: st.DataObject) -> None:
    needed = [f.name for f in fields(kind) if f.default is MISSING]
    name = data.draw(st.sampled_from(needed))
    body = orjson.loads(encode(data.draw(events(kind))))
    del body[name]
    assert refused(orjson.dumps(body)) == f"no field {name}"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_rejected(number: str) -> None:
    value = '{"type":"Value","v":1,"market":"m","ts":7,"series":"s","value":%s}'
    assert refused(value % number).startswith("not JSON")
    assert isinstance(decode(value % "1e9"), Event)


@pytest.mark.parametrize("version", [VERSION + 1, 10**9])
def test_a_newer_version_is_rejected_with_what_to_do(version: int) -> None:
    why = refused(orjson.dumps({**HEARTBEAT, "v": version}))
    assert why == f"version {version} is newer than {VERSION}: upgrade Tapedeck to read it"


@pytest.mark.parametrize("version", [None, 0, -1, "1", 1.0, True, [1]])
def test_what_is_no_version_is_rejected(version: object) -> None:
    assert refused(orjson.dumps({**HEARTBEAT, "v": version})).startswith(f"version {version!r}")


@pytest.mark.parametrize("name", [None, 7, "heartbeat", "", [], {}, ["Heartbeat"]])
def test_an_unknown_type_is_rejected(name: object) -> None:
    assert refused(orjson.dumps({**HEARTBEAT, "type": name})) == f"unknown type {name!r}"


@pytest.mark.parametrize("body", [None, 7, "text", [1], []])
def test_what_is_no_object_is_rejected(body: object) -> None:
    assert refused(orjson.dumps(body)) == f"not an object, but a {type(body).__name__}"


def test_a_reject_that_was_sent_comes_back_and_is_no_message_that_cannot_be_read() -> None:
    sent = Reject("m", 7, "not JSON", '{"type"')
    assert read(encode(sent)) == sent
    with pytest.raises(Unreadable, match="not JSON") as raised:
        read(sent.payload)
    assert (raised.value.market, raised.value.ts) == (None, 0)
    with pytest.raises(Unreadable, match="no field ts") as raised:
        read(b'{"type":"Heartbeat","v":1,"market":"m"}')
    assert (raised.value.market, raised.value.ts) == ("m", 0)


@pytest.mark.parametrize("text", ["100", "1E+2", "100.00", "0100", "1000E-1"])
def test_a_decimal_has_one_form_however_it_was_written(text: str) -> None:
    event = told({**HEARTBEAT, "type": "Report", "account": "a", "flow": "f", "order": "o",
                  "status": "filled", "price": text})  # fmt: skip
    assert isinstance(event, Report)
    assert repr(event.price) == "Decimal('100')"


def test_a_reject_tells_the_market_and_time_it_could_read() -> None:
    event = told({**HEARTBEAT, "v": VERSION + 1})
    assert (event.market, event.ts) == ("m", 7)
    event = told({"v": VERSION + 1, "market": 7, "ts": "7"})
    assert (event.market, event.ts) == ("unknown", 0)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"market": 7}, "market: 7 is not a text"),
        ({"ts": [1, 2.0]}, "ts: not a list of whole numbers"),
        ({"ts": [1, True]}, "ts: not a list of whole numbers"),
        ({"ts": [1, [2]]}, "ts: not a list of whole numbers"),
        ({"ts": [1, 2**64 - 1]}, "ts: a number of more than 64 bits"),
        ({"ts": [1, 2**63]}, "ts: a number of more than 64 bits"),
        ({"ts": [1, 0]}, "ts: 0 in row 1"),
        ({"ts": None}, "ts: not a list of whole numbers"),
        ({"price": [1.0, "2"]}, "price: not a list of numbers"),
        ({"price": 1.0}, "price: not a list of numbers"),
        ({"price": [1.0, True]}, "price: not a list of numbers"),
        ({"price": [1.0, None]}, "price: not a list of numbers"),
        ({"price": [1.0, 0.0]}, "price: 0.0 in row 1"),
        ({"price": [1.0, 1e100]}, "price: 1e+100 in row 1"),
        ({"size": [1e-50, 1.0]}, "size: 1e-50 in row 0"),
        ({"size": [1.0, 1e100]}, "size: 1e+100 in row 1"),
        ({"price": [1.0]}, "m: column 'price' has 1 rows, 'ts' has 2"),
        ({"size": [-1.0, 2.0]}, "size: -1.0 in row 0"),
        ({"side": [1, 2]}, "side: 2 in row 1"),
        ({"side": [-2, 1]}, "side: -2 in row 0"),
        ({"side": [1, 300]}, "side: a number of more than 8 bits"),
        ({"id": [1, "2"]}, "id: not a list of whole numbers, nor one of texts"),
        ({"id": [1, True]}, "id: not a list of whole numbers, nor one of texts"),
        ({"id": [1, [2]]}, "id: not a list of whole numbers, nor one of texts"),
        ({"id": [1]}, "m: column 'id' has 1 rows, 'ts' has 2"),
        ({"id": "ab"}, "id: not a list of whole numbers, nor one of texts"),
        ({"received": [1, "2"]}, "received: not a list of whole numbers"),
        ({"ts": [], "price": [], "size": [], "side": []}, "no rows"),
    ],
)
def test_trades_with_a_bad_column_are_rejected_by_its_name(
    change: dict[str, object], why: str
) -> None:
    assert isinstance(told(SLICE), Trades)
    assert refused(orjson.dumps({**SLICE, **change})) == why


@pytest.mark.parametrize("rows", [1, 47, 48, 500])
@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("ts", 0), ("ts", True), ("price", 0.0), ("price", 1e100), ("size", 1e-50),
        ("size", 1e100), ("side", 2), ("side", -2),
    ],
)  # fmt: skip
def test_a_bad_trade_is_found_among_few_and_among_many(name: str, bad: object, rows: int) -> None:
    columns: dict[str, list[object]] = {
        "ts": [5] * rows, "price": [1.0] * rows, "size": [1.0] * rows, "side": [0] * rows,
    }  # fmt: skip
    body = {"type": "Trades", "v": 1, "market": "m", **columns}
    assert isinstance(told(body), Trades)
    columns[name][-1] = bad
    assert refused(orjson.dumps({**body, **columns})).startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("bids", "asks", "why"),
    [
        ([[1.0, 1.0], [1.0, 1.0]], [], "levels are not ordered from the best on"),
        ([[1.0, 1.0], [2.0, 1.0]], [], "levels are not ordered from the best on"),
        ([], [[2.0, 1.0], [1.0, 1.0]], "levels are not ordered from the best on"),
        ([], [[2.0, 1.0], [2.0, 1.0]], "levels are not ordered from the best on"),
        ([[2.0, 1.0]], [[2.0, 1.0]], "crossed: best bid 2.0 is not below best ask 2.0"),
        ([[3.0, 1.0]], [[2.0, 1.0]], "crossed: best bid 3.0 is not below best ask 2.0"),
    ],
)
def test_a_book_that_cannot_be_is_rejected(
    bids: list[list[float]], asks: list[list[float]], why: str
) -> None:
    body = {**HEARTBEAT, "type": "Book", "bids": bids, "asks": asks}
    assert refused(orjson.dumps(body)) == why
    body |= {"bids": [[1.0, 2.0], [0.5, 1.0]], "asks": [[1.5, 1.0], [2.0, 1.0]]}
    assert isinstance(told(body), Book)
