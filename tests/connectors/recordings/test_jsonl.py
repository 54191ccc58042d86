"""Lines of JSON: trades, events, and anything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.recordings.files import DataError
from connectors.recordings.replay import Replay
from schemas import Book, Candle, Event, Heartbeat, Position, Reject, Trades, Value
from schemas.wire import encode
from tests.connectors.recording_rig import Trade, play, rows_of

TRADE = '{"ts_ns":4,"symbol":"okx:A","price":1.5,"size":"2","side":"buy","id":"7"}'


def read(path: Path, lines: list[str], **options: object) -> dict[str, list[Trade | Event]]:
    path.write_text("".join(f"{line}\n" for line in lines))
    tapes = play(lambda: Replay([path], **options))  # type: ignore[arg-type]
    return {market: list(rows_of(tape)) for market, tape in tapes.items()}


def test_trades_and_other_events_stand_as_they_are_written(tmp_path: Path) -> None:
    slice_ = Trades.of("okx:A", [5, 6], [1.0, 2.0], [1.0, 1.0], [0, 1], [8, 9])
    events: list[Book | Heartbeat | Trades | Value] = [
        Book("okx:A", 4, [(1.0, 1.0)], [(2.0, 1.0)]), Heartbeat("okx:B", 5), slice_,
        Value("okx:A", 6, "funding", 0.5),
    ]  # fmt: skip
    tapes = read(tmp_path / "x.jsonl", [TRADE, "", *(encode(e).decode() for e in events), TRADE])
    book, beat, _, value = events
    for event, line in ((book, 3), (beat, 4), (value, 6)):
        assert not isinstance(event, Trades)
        event.at = Position("x.jsonl", line)
    trade = Trade("okx:A", 4, 1.5, 2.0, 1, 7, None)
    assert tapes == {
        "okx:A": [
            trade, book, Trade("okx:A", 5, 1.0, 1.0, 0, 8, None),
            Trade("okx:A", 6, 2.0, 1.0, 1, 9, None), value, trade,
        ],
        "okx:B": [beat],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "market", "why"),
    [
        ('{"ts_ns":5,', "file:unknown", "not JSON: "),
        ("[1]", "file:unknown", "not an object, but a list"),
        ('{"ts_ns":5,"symbol":"okx:A","price":true,"size":1}', "okx:A", "price is 'true', not a"),
        ('{"ts_ns":5,"symbol":"okx:A","price":null,"size":1}', "okx:A", "price is missing, not a"),
        ('{"ts_ns":5,"symbol":"okx:A","price":{},"size":1}', "okx:A", "price is '{}', not a"),
        (
            '{"ts_ns":5.5,"symbol":"okx:A","price":1,"size":1}',
            "okx:A",
            "ts_ns is '5.5', not a time",
        ),
        ('{"ts_ns":5,"symbol":"okx:A","price":1,"size":1e999}', "file:unknown", "not JSON: "),
        ('{"type":"Heartbeat","v":1,"market":"okx:A"}', "okx:A", "no field ts"),
        ('{"type":"Heartbeat","market":"okx:A","ts":5}', "okx:A", "version None is not a whole"),
        ('{"type":"Dream","v":1}', "file:unknown", "unknown type 'Dream'"),
        ('{"type":"Heartbeat","v":99,"market":"okx:A","ts":5}', "okx:A", "version 99 is newer"),
    ],
)
def test_what_cannot_be_read_is_rejected_whole(
    tmp_path: Path, line: str, market: str, why: str
) -> None:
    tapes = read(tmp_path / "x.jsonl", [TRADE, line, TRADE])
    [reject] = [row for row in tapes[market] if isinstance(row, Reject)]
    assert reject.why.startswith(f"x.jsonl, line 2: {why}")
    assert (reject.payload, reject.at) == (line, Position("x.jsonl", 2))
    assert [row for row in tapes["okx:A"] if isinstance(row, Trade)] == 2 * [
        Trade("okx:A", 4, 1.5, 2.0, 1, 7, None)
    ]


def test_what_a_flow_concludes_does_not_come_from_outside(tmp_path: Path) -> None:
    numbers = dict.fromkeys(("open", "high", "low", "close", "volume", "vwap"), 1.0)
    more = dict.fromkeys(("buy_volume", "sell_volume", "quote_volume"), 1.0)
    candle = Candle(
        "okx:A", 5, "1m", 0, 60, **numbers, **more, count=1, buy_count=1, sell_count=0,
        first_id="1", last_id="1", first_ts=1, last_ts=1, complete=True,
    )  # fmt: skip
    [reject] = read(tmp_path / "x.jsonl", [encode(candle).decode()])["okx:A"]
    assert isinstance(reject, Reject)
    assert reject.why == "x.jsonl, line 1: a Candle is no outside event: a flow concludes it itself"


def test_a_trade_with_a_type_of_its_own_is_a_trade(tmp_path: Path) -> None:
    line = TRADE.replace('"side"', '"type":"limit","side"')
    assert len(read(tmp_path / "x.jsonl", [line])["okx:A"]) == 1


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["", ""], "x.jsonl: no rows; leave the file out"),
        (['{"ts_ns":4,"symbol":"A","size":1}'], "x.jsonl: no column 'price'; there are ts_ns, sym"),
        (['{"time":4,"symbol":"A","price":1,"size":1}'], "column 'time' holds plain numbers; say"),
    ],
)
def test_a_file_that_makes_no_sense_is_told_at_once(
    tmp_path: Path, lines: list[str], told: str
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(DataError, match=told):
        Replay([path])


def test_events_go_where_their_market_was_renamed_to(tmp_path: Path) -> None:
    beat = encode(Heartbeat("okx:A", 5)).decode()
    for market in ("okx:B", {"okx:A": "okx:B"}, {"x.jsonl": "okx:B"}):
        tapes = read(tmp_path / "x.jsonl", [TRADE, beat], market=market)
        assert [(name, len(rows)) for name, rows in tapes.items()] == [("okx:B", 2)]


def test_a_fraction_beside_it_does_not_blur_a_time_or_an_id(tmp_path: Path) -> None:
    exact = TRADE.replace('"ts_ns":4', '"ts_ns":1700000000123456789').replace('"7"', str(2**55 + 1))
    other = TRADE.replace('"ts_ns":4', '"ts_ns":4.5').replace('"7"', "0.5")
    first, *_ = read(tmp_path / "x.jsonl", [exact, other])["okx:A"]
    assert first == Trade("okx:A", 1_700_000_000_123_456_789, 1.5, 2.0, 1, 2**55 + 1, None)
