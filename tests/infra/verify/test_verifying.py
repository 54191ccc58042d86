"""`deck verify`: what a run concluded comes out of its log again, or the first that does not."""

from __future__ import annotations

import json
import pickle
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from infra.history.history import History
from infra.recovery import snapshots
from infra.running.sources import FromHistory
from infra.verify import stored
from infra.verify.raw import Odd
from infra.verify.receipt import Receipts
from infra.verify.recut import recut
from infra.verify.stretch import numbers
from infra.verify.verifying import Outcome
from schemas import DAY
from schemas.sealed import opened, sealed
from tests.infra.rig import Rig
from tests.infra.trading_rig import MARKETS
from tests.infra.verify.verified import NAME, Verified, lived, nth_trade


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Verified]:
    made = lived(tmp_path_factory.mktemp("verified"))
    yield made
    History(made.settings).stop()


def difference(outcomes: list[Outcome]) -> dict[str, object]:
    """Return what the last of several stretches differs in; those in front of it do not."""
    *others, last = [one.receipt for one in outcomes]
    assert all(one is not None and one.identical for one in others)
    assert last is not None
    return last.difference


def test_a_run_that_was_killed_and_edited_is_identical_stretch_by_stretch(past: Verified) -> None:
    outcomes = past.outcomes()
    receipts = [one.receipt for one in outcomes if one.receipt is not None]
    assert [one.difference for one in receipts] == [{}] * 3
    whys = [one.stretch.until.why for one in outcomes]
    assert whys == ["verify", "code", "verify"]
    live = (past.home / "live.jsonl").read_bytes().splitlines()
    assert sum(one.events for one in receipts) == len(live)
    first, edited = receipts[0].code["flow"], receipts[-1].code["flow"]
    assert [one.code["flow"] for one in receipts] == [first, first, edited]
    assert first != edited
    assert sum(one.candles for one in receipts) > 0
    again = [one.receipt for one in past.outcomes()]
    assert [one and (one.sha256, one.state) for one in again] == [
        (one.sha256, one.state) for one in receipts
    ]


def test_history_as_the_source_gives_the_same_hashes(past: Verified) -> None:
    [first, *_] = past.outcomes(FromHistory())
    [other, *_] = past.outcomes()
    assert first.receipt is not None
    assert other.receipt is not None
    assert first.receipt.identical
    assert (first.receipt.sha256, first.receipt.state) == (
        other.receipt.sha256, other.receipt.state,
    )  # fmt: skip


def test_a_trade_that_is_a_tick_off_in_the_log_is_found_by_what_follows_from_it(
    past: Verified, tmp_path: Path
) -> None:
    price = "replace(CAST(message AS TEXT), '\"price\":[100.0', '\"price\":[100.01')"
    log = past.copy_of_log(
        tmp_path / "log",
        f"UPDATE messages SET message = CAST({price} || '' AS BLOB) WHERE place = "
        + nth_trade(20).replace("%Trades%", '%Trades%"price":[100.0%'),
    )
    outcomes = past.outcomes(log)
    found = difference(outcomes)
    assert found["what"] == "event"
    assert found["market"] == MARKETS[0]
    assert found["replayed"]["type"] == found["history"]["type"] == "Candle"  # type: ignore[index]
    first, place = outcomes[-1].first or (None, None)
    assert first is not None
    assert place is not None
    assert {"open", "high", "close", "low", "quote_volume"} & {*first.fields}
    since, until = outcomes[-1].stretch.positions[place.partition]
    assert since <= place.offset < until


def test_a_trade_that_is_gone_from_the_log_is_found(past: Verified, tmp_path: Path) -> None:
    log = past.copy_of_log(tmp_path / "log", f"DELETE FROM messages WHERE place = {nth_trade(20)}")
    found = difference(past.outcomes(log))
    assert (found["what"], found["market"]) == ("event", MARKETS[0])


def test_a_row_that_was_changed_in_history_is_named_with_its_neighbours(past: Verified) -> None:
    stretch = past.outcomes()[0].stretch
    with past.owner() as client:
        query = (
            "SELECT * FROM closed WHERE run = {run:String} AND market = {market:String} "
            "ORDER BY seq LIMIT 1"
        )
        whose = {"run": past.run.run, "market": MARKETS[1]}
        row = client.query_arrow(query, whose)
        at = row.schema.get_field_index("net_return")
        other = row.set_column(at, "net_return", [[0.5]])
        client.insert_arrow("closed", other)
        try:
            outcomes = past.outcomes()
        finally:
            client.insert_arrow("closed", row)
    found = difference(outcomes)
    assert outcomes[-1].stretch.until == stretch.until
    [seq] = row["seq"].to_pylist()
    assert (found["market"], found["seq"]) == (MARKETS[1], seq)
    first, _ = outcomes[-1].first or (None, None)
    assert first is not None
    assert [*first.fields] == ["net_return"]
    assert first.before is not None
    assert first.before["seq"] == seq - 1
    assert [one["seq"] for one in first.behind[0]] == [seq + 1, seq + 2]


TRADE = "SELECT * FROM trades WHERE market = {market:String} ORDER BY offset, row LIMIT 1 OFFSET 60"


@pytest.mark.parametrize(
    ("change", "there"),
    [
        ("UPDATE size = size + 0.5 WHERE {}", {"log", "history"}),
        ("DELETE WHERE {}", {"log"}),
        ("UPDATE backfilled = true WHERE {}", {"log", "history"}),
    ],
)
def test_a_trade_that_history_has_not_as_the_log_has_it_is_named(
    past: Verified, change: str, there: set[str]
) -> None:
    with past.owner() as client:
        row = client.query_arrow(TRADE, {"market": MARKETS[0]})
        [[offset, number]] = zip(row["offset"].to_pylist(), row["row"].to_pylist(), strict=True)
        place = f"market = '{MARKETS[0]}' AND offset = {offset} AND row = {number}"
        client.command(f"ALTER TABLE trades {change.format(place)} SETTINGS mutations_sync = 2")
        try:
            found = difference(past.outcomes())
        finally:
            client.insert_arrow("trades", row)
    assert {what for what in ("log", "history") if found[what]} == there
    assert found["what"] == "trade"
    assert (found["log"]["offset"], found["log"]["row"]) == (offset, number)  # type: ignore[index]


def test_a_trade_that_stands_in_history_once_more_is_named(past: Verified) -> None:
    with past.owner() as client:
        row = client.query_arrow(TRADE, {"market": MARKETS[0]})
        client.insert_arrow("trades", row)  # the very same is no other
        again = row.set_column(row.schema.get_field_index("row"), "row", [[99]])
        assert all(one.receipt and one.receipt.identical for one in past.outcomes())
        client.insert_arrow("trades", again)
        try:
            outcomes = past.outcomes()
        finally:
            client.command("ALTER TABLE trades DELETE WHERE row = 99 SETTINGS mutations_sync = 2")
    found = difference(outcomes)
    assert (found["what"], found["log"], found["history"]["row"]) == ("trade", None, 99)  # type: ignore[index]
    told = [*(outcomes[-1].odd or Odd(None, None)).lines()]
    assert told[0].endswith(" row 99")
    assert told[1].endswith("in the log: nothing")
    assert "price " in told[2]


def test_what_is_not_in_history_yet_or_any_more_is_told_and_not_taken_for_a_difference(
    past: Verified, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "_PATIENCE_SECONDS", 0.0)
    [*_, last] = past.outcomes()
    [[part, (_, end)], *_] = last.stretch.positions.items()
    behind = f"partition = '{part}' AND offset >= {end - 6}"
    with past.owner() as client:
        rows = client.query_arrow(f"SELECT * FROM trades WHERE {behind}")
        client.command(f"ALTER TABLE trades DELETE WHERE {behind} SETTINGS mutations_sync = 2")
        try:
            outcomes = past.outcomes()
        finally:
            client.insert_arrow("trades", rows)
    assert difference(outcomes) == {}
    receipt = outcomes[-1].receipt
    assert receipt is not None
    assert receipt.unseen.startswith("the last ")
    assert (receipt.trades > 0, receipt.candles) == (True, 0)
    monkeypatch.setattr(stored, "_horizon", lambda _: time.time_ns() + DAY)  # its feed runs ahead
    [first, *_] = [one.receipt for one in past.outcomes()]
    assert first is not None
    assert "they are older than history keeps any" in first.unseen
    assert (first.identical, first.trades) == (True, 0)


def test_candles_that_sql_makes_otherwise_are_told(past: Verified) -> None:
    stretch = past.outcomes()[0].stretch
    whose = {"flow": past.run.flow, "run": past.run.run}
    with past.owner() as client:
        row = client.query_arrow(TRADE, {"market": MARKETS[0]})
        other = row.set_column(row.schema.get_field_index("size"), "size", [[1.5]])
        client.insert_arrow("trades", other)
        try:
            found = recut(client, whose, stretch.positions, {}, numbers(stretch.until))
        finally:
            client.insert_arrow("trades", row)
    assert found is not None
    assert found.first is not None
    assert found.first["market"] == MARKETS[0]
    assert "volume" in found.first["fields"]


def test_where_retention_took_the_log_the_rest_is_verified(past: Verified, tmp_path: Path) -> None:
    [point, *_] = past.book.kept()
    first = past.outcomes()[0].stretch.positions
    [end] = [until for since, until in first.values() if until > since]
    assert point.why == "verify"
    log = past.copy_of_log(
        tmp_path / "log",
        f"UPDATE partitions SET first = min(end, {end})",
        f"DELETE FROM messages WHERE place & {2**48 - 1} < {end}",
    )
    lost, *rest = past.outcomes(log)
    assert lost.receipt is None
    assert "are gone, for retention took them" in lost.lost
    assert [one.receipt is not None and one.receipt.identical for one in rest] == [True, True]


def test_another_state_at_the_end_is_named(past: Verified, tmp_path: Path) -> None:
    until = past.book.kept()[0].directory
    shutil.copytree(until, tmp_path / "kept")
    try:
        _change(until / "0")
        found = difference(past.outcomes())
    finally:
        shutil.rmtree(until)
        shutil.copytree(tmp_path / "kept", until)
    assert found["what"] == "state"
    assert found["path"] == f"{MARKETS[0]}, step candles[1].building.close"


def _change(place: Path) -> None:
    """Let the candle in the making of a kept state have another close."""
    states = dict(snapshots.read(place))
    [key] = [key for key in states if ".candles." in key.step and key.name == MARKETS[0]]
    shape, state = pickle.loads(opened(cast("bytes", snapshots.plain(states[key]))))
    state.building.close += 0.01
    states[key] = pickle.dumps(sealed(pickle.dumps((shape, state))))
    shutil.rmtree(place)
    place.mkdir()
    snapshots.prepare(place)
    snapshots.write(place, states)


def test_the_command_says_it_keeps_it_and_fails_if_it_differs(
    past: Verified, tmp_path: Path
) -> None:
    rig = Rig(past.home)
    said = rig.deck("verify", "often", "--again")
    assert said.out.count(": identical: ") == 3
    assert "nothing came since: see --again" in rig.deck("verify", past.run.run[:8]).err
    rows = rig.deck("verify", NAME, "--list", "--json").out
    assert {one["identical"] for one in json.loads(rows)[-3:]} == {True}
    listed = rig.deck("verify", NAME, "--list").out
    assert "identical" in listed
    assert max(map(len, listed.splitlines())) <= 80
    log = past.copy_of_log(tmp_path / "log", f"DELETE FROM messages WHERE place = {nth_trade(20)}")
    said = rig.deck(
        "verify", "flows/often.py", "--again", "--from-log", log.directory or "", status=1
    )
    assert "the first event that differs: sim:A/USD, number " in said.out
    assert "not identical" in said.err
    assert rig.deck("verify", NAME).out.count(": identical: ") == 1  # what differed, once more
    assert "nothing came since: see --again" in rig.deck("verify", NAME).err
    assert "deck verify nowhere: is no run" in rig.deck("verify", "nowhere", status=1).err
    kept = [one for one in Receipts(past.run.store).all() if not one.identical]
    sql = "SELECT count() FROM receipts WHERE NOT identical"
    assert int(rig.deck("sql", sql, "--format", "csv").out.splitlines()[1]) == len(kept)
