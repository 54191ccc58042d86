"""Strips: each market's rows in the order of the file, and what is wrong in its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from connectors.recordings.files import DataError
from connectors.recordings.naming import UNKNOWN, Share
from connectors.recordings.replay import Replay
from schemas import SECOND, Heartbeat, Position, Reject, Trades
from tests.connectors.recording_rig import WRITERS, Row, play, rows_of, sizes, told, trade

A, B = "okx:A", "okx:B"


def test_trades_share_one_slice_where_nothing_stands_between_them(tmp_path: Path) -> None:
    rows = [trade(n, (A, B)[n % 2]) for n in range(20)]
    rows[7] = told(Heartbeat(B, 5), B)
    path = WRITERS["parquet"](tmp_path / "a.parquet", rows)
    tapes = play(lambda: Replay([path]))
    assert {market: sizes(tape) for market, tape in tapes.items()} == {A: [10], B: [3, 1, 6]}


def test_the_columns_of_one_market_are_views_of_what_was_read(tmp_path: Path) -> None:
    path = WRITERS["parquet"](tmp_path / "a.parquet", [trade(n, A) for n in range(20)])
    [trades] = play(lambda: Replay([path]))[A]
    assert isinstance(trades, Trades)
    assert trades.columns.ts is trades.columns.stamp
    assert not trades.columns.price.flags.owndata


def test_an_event_in_a_row_of_another_market_is_rejected(tmp_path: Path) -> None:
    path = WRITERS["parquet"](tmp_path / "a.parquet", [trade(0, A), told(Heartbeat(B, 5), A)])
    tapes = play(lambda: Replay([path]))
    [_, reject] = tapes.pop(A)
    assert isinstance(reject, Reject)
    assert (reject.ts, reject.why) == (5, f"a.parquet, row 1: an event of {B} in a row of {A}")
    assert not tapes


@pytest.mark.parametrize(("unit", "parts"), [("s", 1), ("ms", 1_000), ("us", 1_000_000)])
def test_seconds_that_are_called_nanoseconds_are_told(
    tmp_path: Path, unit: str, parts: int
) -> None:
    path = tmp_path / "a.csv"
    rows = [f"{(1_700_000_000 + n) * parts},{A},7,1" for n in range(20)]
    path.write_text("\n".join(["ts_ns,symbol,price,size", *rows]))
    with pytest.raises(DataError, match=rf"seems to count {unit}: --column ts=ts_ns:{unit}$"):
        Replay([path])
    [trades] = play(lambda: Replay([path], columns={"ts": f"ts_ns:{unit}"}))[A]
    assert isinstance(trades, Trades)
    assert trades.ts[0] == 1_700_000_000 * SECOND


def test_a_reject_that_was_recorded_comes_back_as_itself(tmp_path: Path) -> None:
    recorded = Reject(A, 5, "not JSON", '{"type"')
    path = WRITERS["parquet"](tmp_path / "a.parquet", [trade(0, A), told(recorded, A)])
    [_, found] = play(lambda: Replay([path]))[A]
    assert found == replace(recorded, at=Position("a.parquet", 1))


def test_what_cannot_be_read_tells_the_time_that_could_be(tmp_path: Path) -> None:
    row = {
        **told(Heartbeat(A, 5), None),
        "event": '{"type":"Heartbeat","v":9,"market":"okx:A","ts":5}',
    }
    path = WRITERS["parquet"](tmp_path / "a.parquet", [trade(0, A), row])
    [_, found] = play(lambda: Replay([path]))[A]
    assert isinstance(found, Reject)
    assert (found.ts, found.payload) == (5, row["event"])
    assert found.why == "a.parquet, row 1: version 9 is newer than 1: upgrade Tapedeck to read it"


@pytest.mark.parametrize("symbol", [None, B])
def test_events_of_other_shares_are_left_to_them(tmp_path: Path, symbol: str | None) -> None:
    rows = [trade(0, A), told(Heartbeat(B, 5), symbol), {**trade(1), "symbol": None}]
    path = WRITERS["parquet"](tmp_path / "a.parquet", rows)
    for k in range(3):
        wanted = {market for market in (A, B, UNKNOWN) if Share(k, 3).has(market)}
        assert set(play(lambda k=k: Replay([path], share=(k, 3)))) == wanted  # type: ignore[misc]


def test_ids_are_texts_from_the_first_that_is_no_number_on(tmp_path: Path) -> None:
    ids = ["1", "2", "x", "3", "", "4"]
    rows = [{**trade(n, A), "trade_id": id_} for n, id_ in enumerate(ids)]
    rows[3:3] = [trade(9, B)]
    path = WRITERS["csv"](tmp_path / "a.csv", rows)
    for block in (1, 2, 3, 100):
        tapes = play(lambda block=block: Replay([path], block=block, batch=1), {1, 2, 4})  # type: ignore[misc]
        assert [row.id for row in rows_of(tapes[A])] == [1, 2, "x", "3", None, "4"]  # type: ignore[union-attr]
        assert [row.id for row in rows_of(tapes[B])] == [9]  # type: ignore[union-attr]


def test_two_symbols_with_one_name_are_told(tmp_path: Path) -> None:
    path = WRITERS["csv"](tmp_path / "a.csv", [trade(0, "A"), trade(1, "B")])
    with pytest.raises(DataError, match="A and B are both called okx:X; name each: --market A="):
        Replay([path], "okx:X")


def test_many_files_are_read_in_smaller_blocks_and_each_has_its_own_unknown_market(
    tmp_path: Path,
) -> None:
    for n in range(12):
        rows = [trade(n, f"okx:{n}") for n in [n] * 40]
        rows[5] = {**rows[5], "symbol": None}
        WRITERS["csv"](tmp_path / f"{n:02}.csv", rows)
    source = Replay([tmp_path])
    parts = source.list_parts()
    assert len(parts) == 12
    assert source.build_part("replay", parts[0], None).snapshot()["block"] == 8192
    shares = [play(lambda k=k: Replay([tmp_path], share=(k, 3))) for k in range(3)]  # type: ignore[misc]
    found = [(market, sum(sizes(tape))) for tapes in shares for market, tape in tapes.items()]
    assert sorted(found) == sorted(
        [(f"okx:{n}", 39) for n in range(12)] + [(f"{UNKNOWN}:{n:02}.csv", 1) for n in range(12)]
    )


def test_trades_in_their_wire_form_and_in_columns_have_ids_of_one_kind(tmp_path: Path) -> None:
    def wire(*ids: str) -> Row:
        return told(Trades.of(A, [5] * len(ids), [1.0] * len(ids), [1.0] * len(ids), id=ids), A)

    rows = [trade(1, A), wire("2", "x"), trade(3, A), wire("4"), told(Heartbeat(A, 5)), trade(6, A)]
    path = WRITERS["parquet"](tmp_path / "a.parquet", rows)
    for block in (1, 2, 3, 100):
        tapes = play(lambda block=block: Replay([path], block=block, batch=1), {1, 3})  # type: ignore[misc]
        found = [getattr(row, "id", None) for row in rows_of(tapes[A])]
        assert found == [1, 2, "x", "3", "4", None, "6"]
