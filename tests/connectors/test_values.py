"""Numbers of other data sources: each on the tapes it is for, and nothing lost in silence."""

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.values import UNKNOWN, read_file, read_message, values
from connectors.venue.venue import VenueError
from schemas import Reject, Value


def test_one_number_for_several_markets_is_an_event_for_each() -> None:
    markets = ["okx:A/B", "okx:C/B"]
    assert list(values("fear", markets, iter([(7, 21), (9, 22.5)]))) == [
        Value(market, ts, "fear", value)
        for ts, value in [(7, 21.0), (9, 22.5)]
        for market in markets
    ]
    with pytest.raises(VenueError, match="write EXCHANGE:SYMBOL"):
        list(values("fear", ["A/B"], []))
    with pytest.raises(ValueError, match="fear inf is not a finite number"):
        list(values("fear", markets, [(7, float("inf"))]))


good = st.fixed_dictionaries(
    {
        "market": st.sampled_from(["okx:A/B", ["okx:A/B"], ["okx:A/B", "okx:C/D:D"]]),
        "ts": st.integers(-(2**63), 2**63 - 1),
        "series": st.text(st.characters(codec="utf-8"), min_size=1),
        "value": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
    }
)


@given(good, st.none() | st.integers(0, 2**62))
def test_a_message_is_what_it_says(told: dict[str, object], received: int | None) -> None:
    markets = told["market"] if isinstance(told["market"], list) else [told["market"]]
    assert read_message(json.dumps(told).encode(), received) == [
        Value(market, told["ts"], told["series"], told["value"], received=received)  # type: ignore[arg-type]
        for market in markets
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [("market", wrong) for wrong in (None, "A/B", [], ["okx:A/B", "A"], 7)]
    + [("ts", wrong) for wrong in (1.5, "7", True, 2**63, [7])]
    + [("series", wrong) for wrong in (None, "", 7)]
    + [("value", wrong) for wrong in (None, "1", True, [1])],
)
def test_a_message_with_anything_else_in_it_is_rejected_whole(name: str, value: object) -> None:
    right = {"market": "okx:A/B", "ts": 7, "series": "fear", "value": 21}
    message = json.dumps({**right, name: value})
    (reject,) = read_message(message, 5)
    assert isinstance(reject, Reject)
    assert (reject.market, reject.ts, reject.payload) == (UNKNOWN, 5, message)
    assert name in reject.why


@pytest.mark.parametrize("message", [b"", b"[1]", b"{", b"\xff", b'{"value": NaN}'])
def test_what_is_no_object_is_rejected(message: bytes) -> None:
    (reject,) = read_message(message)
    assert isinstance(reject, Reject)
    assert reject.payload == message.decode("utf-8", "backslashreplace")


def test_a_message_without_a_time_is_of_when_it_came() -> None:
    message = '{"market": "okx:A/B", "series": "fear", "value": 1}'
    assert read_message(message, 5) == [Value("okx:A/B", 5, "fear", 1.0, received=5)]
    (reject,) = read_message(message)
    assert isinstance(reject, Reject)
    assert reject.why == "no ts: a time in nanoseconds, which each line of a file must tell"


def test_a_file_is_read_line_by_line(tmp_path: Path) -> None:
    lines = [
        '{"market": "okx:A/B", "ts": 1, "series": "fear", "value": 21}',
        "",
        "no",
        '{"market": ["okx:A/B", "okx:C/B"], "ts": 2, "series": "fear", "value": 22}',
    ]
    path = tmp_path / "fear.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    found = list(read_file(path))
    assert [type(event).__name__ for event in found] == ["Value", "Reject", "Value", "Value"]
    assert [event.ts for event in found] == [1, 0, 2, 2]
