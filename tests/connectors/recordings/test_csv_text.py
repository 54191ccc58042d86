"""CSV, as ugly as it comes."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.recordings.files import DataError
from connectors.recordings.replay import Replay
from schemas import Event, Position, Reject
from tests.connectors.recording_rig import Trade, play, rows_of

HEAD = "ts_ns,symbol,price,size,side,trade_id\n"


def read(path: Path, text: str | bytes, **options: object) -> dict[str, list[Trade | Event]]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    tapes = play(lambda: Replay([path], **options))  # type: ignore[arg-type]
    return {market: list(rows_of(tape)) for market, tape in tapes.items()}


def test_bad_lines_are_rejected_whole_and_the_good_ones_around_them_stay(tmp_path: Path) -> None:
    bad = {
        3: ("5,okx:A,abc,1,1,2", "price is 'abc', not a number above 0, and below 1e100"),
        4: ("6,okx:A,-1,1,1,2", "price is '-1', not a number above 0, and below 1e100"),
        5: ("7,okx:A,1,0,1,2", "size is '0', not a number above 0, and below 1e100"),
        6: ("soon,okx:A,1,1,1,2", "ts_ns is 'soon', not a time after 1970"),
        7: ("9,okx:A,1,1,up,2", "side is 'up', not one of +1, -1, 0, buy, sell"),
        8: ("9,okx:A,1,,1,2", "size is missing, not a number above 0, and below 1e100"),
        9: ("9,okx:A,inf,1,1,2", "price is 'inf', not a number above 0, and below 1e100"),
    }
    text = HEAD + "4,okx:A,1,1,1,1\n" + "".join(f"{line}\n" for line, _ in bad.values())
    tapes = read(tmp_path / "x.csv", text + "10,okx:A,1,1,-1,3\n")
    first, *rejects, last = tapes.pop("okx:A")
    assert not tapes
    assert [first, last] == [
        Trade("okx:A", 4, 1.0, 1.0, 1, 1, None), Trade("okx:A", 10, 1.0, 1.0, -1, 3, None),
    ]  # fmt: skip
    stamps = [5, 6, 7, 0, 9, 9, 9]
    assert rejects == [
        Reject("okx:A", ts, f"x.csv, line {number}: {why}", line, Position("x.csv", number))
        for ts, (number, (line, why)) in zip(stamps, bad.items(), strict=True)
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("5,okx:A,1,1", "4 cells, not 6"),
        ("5,okx:A,1,1,1,1,1", "7 cells, not 6"),
        ('5,okx:A,1,1,1,"1', None),
        ('5,"okx:A,1,1,1,1', "2 cells, not 6"),
        ("\0\1\2", "1 cells, not 6"),
        ("5;okx:A;1;1;1;1", "1 cells, not 6"),
    ],
)
def test_a_line_that_cannot_be_taken_apart_is_on_no_known_market(
    tmp_path: Path, line: str, why: str | None
) -> None:
    text = f"{HEAD}4,okx:A,1,1,1,1\n{line}\n6,okx:A,1,1,1,2\n"
    tapes = read(tmp_path / "x.csv", text)
    if why is None:
        assert [row.ts for row in tapes["okx:A"]] == [4, 5, 6]
        return
    assert [row.ts for row in tapes["okx:A"]] == [4, 6]
    told = Reject("file:unknown", 0, f"x.csv, line 3: {why}", line, Position("x.csv", 3))
    assert tapes["file:unknown"] == [told]
    named = read(tmp_path / "x.csv", text, market="okx:B")
    assert [type(row) for row in named["okx:B"]] == [Trade, Reject, Trade]


def test_a_trade_without_a_symbol_is_rejected(tmp_path: Path) -> None:
    tapes = read(tmp_path / "x.csv", f"{HEAD}4,okx:A,1,1,1,1\n5,,1,1,1,2\n")
    assert [row.ts for row in tapes["okx:A"]] == [4]
    [reject] = tapes["file:unknown"]
    assert isinstance(reject, Reject)
    assert reject.why == "x.csv, line 3: symbol is missing, not a symbol"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("empty", ["", "\n"])
def test_dialects(tmp_path: Path, separator: str, end: str, empty: str) -> None:
    text = '\ufeffTime,Price,Amount,Side\n2024-08-08T00:00:01Z,1.5, 2 ,"buy"\n' + empty
    text += "2024-08-08 00:00:02,2.5,1e-3,S\n"
    text = text.replace(",", separator).replace("\n", end)
    day = 1_723_075_200_000_000_000
    assert read(tmp_path / "x.csv", text, market="okx:A") == {
        "okx:A": [
            Trade("okx:A", day + 10**9, 1.5, 2.0, 1, None, None),
            Trade("okx:A", day + 2 * 10**9, 2.5, 0.001, -1, None, None),
        ]
    }


def test_bytes_that_are_no_text_are_rejected_and_shown(tmp_path: Path) -> None:
    text = HEAD.encode() + b"4,okx:A,1,1,1,1\n5,okx:A,\xff\xfe,1,1,2\n"
    *_, reject = read(tmp_path / "x.csv", text)["okx:A"]
    assert isinstance(reject, Reject)
    assert reject.payload == r"5,okx:A,\xff\xfe,1,1,2"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD, "x.csv: no rows; leave the file out"),
        ("a,b\n1,2\n", "no column 'ts' .*; there are a, b; map one with --column ts=a"),
        ("1,okx:A,2,3\n2,okx:A,2,3\n", "there are 1, okx:A, 2, 3"),
        ("time,symbol,price,size\n1723075200,A,1,1\n",
         r"column 'time' holds plain numbers; say what they count: --column ts=time:ms \(or s, us"),
    ],
)  # fmt: skip
def test_a_file_that_makes_no_sense_is_told_at_once(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=told):
        Replay([path])


def test_plain_numbers_are_times_when_their_unit_is_given(tmp_path: Path) -> None:
    text = "time,symbol,price,size\n1723075200123,okx:A,1,1\n"
    [row] = read(tmp_path / "x.csv", text, columns={"ts": "time:ms"})["okx:A"]
    assert row.ts == 1_723_075_200_123_000_000
