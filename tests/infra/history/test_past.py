"""What people ask of history, in Python and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from clickhouse_connect.driver.client import Client
from typer.testing import CliRunner, Result

from infra.history.history import History, app
from infra.history.home import HistoryError
from infra.history.past import Past
from infra.history.show import show
from infra.history.topics import TOPICS
from infra.times import TimeError
from schemas import (
    MINUTE,
    SECOND,
    Averages,
    Closed,
    Event,
    Fault,
    Gap,
    Halt,
    Late,
    Position,
    Reject,
    Time,
    Trades,
)  # fmt: skip
from schemas.tables import Record, block, outside_block, table
from tests.conftest import ROOT

START: Time = 1_700_002_800 * SECOND
"""23:00 UTC, 2023-11-14."""


@pytest.fixture(scope="module")
def run(writer: Client) -> str:
    """Keep 90 closed positions, one a minute, of two markets and two flows by turns."""
    run = uuid4().hex
    for flow in ("one", "two"):
        for market in ("past:A/USD", "past:B/USD"):
            records = [Record(n, closed(market, START + n * MINUTE)) for n in range(90)]
            rows = pa.Table.from_batches([block(flow, run, Closed, records)])
            writer.insert_arrow(table(Closed), rows)
    writer.insert(
        "runs", [[run, "one", datetime.now(timezone.utc), 1]], ["run", "flow", "started", "version"]
    )
    return run


@pytest.fixture
def past(history: History) -> Iterator[Past]:
    past = Past(history.settings)
    yield past
    past.close()


@pytest.fixture(autouse=True)
def here(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPEDECK_HOME", str(history.settings.home))
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("CLICKHOUSE_URL", raising=False)


def closed(market: str, ts: Time) -> Closed:
    return Closed(
        market, ts, ts // MINUTE, "long", Decimal(1), Decimal(7), Decimal(8), ts - MINUTE, "take",
        Decimal("0.1"), Decimal("0.123456789012345678901"), 0.1, 0.1,
    )  # fmt: skip


def deck(*words: str) -> Result:
    return CliRunner().invoke(app, ["show", *words])


def test_times_are_aware_and_money_is_exact_unless_floats_are_wanted(past: Past, run: str) -> None:
    rows = past.table("closed", run=run, last=1)
    assert rows.schema.field("ts").type == pa.timestamp("ns", "UTC")
    assert rows["pnl"].to_pylist() == [Decimal("0.123456789012345678901")]
    assert str(rows.to_pandas()["ts"].dtype) == "datetime64[ns, UTC]"
    floats = past.table("closed", run=run, last=1, exact=False)
    assert floats["pnl"].to_pylist() == [0.123456789012345678901]
    assert not [f for f in floats.schema if pa.types.is_decimal(f.type)]


def test_rows_are_of_the_market_flow_and_run_that_are_named(past: Past, run: str) -> None:
    rows = past.table("closed", run=run[:9], market="past:A/USD", flow="two")
    assert (rows.num_rows, set(rows["flow"].to_pylist())) == (90, {"two"})
    assert set(rows["market"].to_pylist()) == {"past:A/USD"}
    assert past.table("closed", run=run).num_rows == 360
    assert past.table("closed", run=run, market="' OR 1 OR '").num_rows == 0
    assert past.equity(run=run, flow="one", last=1)["equity"].to_pylist() == [
        180 * Decimal("0.123456789012345678901")
    ]


def test_a_stretch_of_time_has_its_beginning_and_not_its_end(past: Past, run: str) -> None:
    at = datetime.fromtimestamp(START // SECOND, timezone.utc)
    stretch = past.table("closed", run=run, since=at, until=at + timedelta(minutes=2))
    assert set(stretch["ts"].cast(pa.int64()).to_pylist()) == {START, START + MINUTE}
    assert past.table("closed", run=run, since="2023-11-15").num_rows == 4 * 30
    assert past.table("closed", run=run, since="2h").num_rows == 0


def test_a_day_counts_whole_if_the_time_falls_into_it(past: Past, run: str) -> None:
    days = past.daily(run=run, since="2023-11-15T00:20")
    assert days["positions"].to_pylist() == [30] * 4
    assert past.daily(run=run, until="2023-11-15")["positions"].to_pylist() == [60] * 4


def test_the_last_rows_come_in_the_order_of_time(past: Past, run: str) -> None:
    rows = past.table("closed", run=run, flow="one", market="past:A/USD", last=3)
    assert rows["seq"].to_pylist() == [87, 88, 89]


def test_what_came_from_exchanges_stands_in_the_order_of_the_log(
    past: Past, writer: Client
) -> None:
    market = f"past:{uuid4().hex}"
    place = Position("p", 0, 0)
    trades = Trades.of(market, [5, 3, 4], [1.0] * 3, [1.0] * 3, [1] * 3, [7, 8, 9], at=place)
    rows = pa.Table.from_batches([outside_block(Trades, [trades])])
    writer.insert_arrow("trades", rows)
    assert past.table("trades", market=market)["id"].to_pylist() == ["7", "8", "9"]
    assert past.table("trades", market=market, last=2)["id"].to_pylist() == ["8", "9"]


def test_troubles_of_every_kind_are_in_one_list_by_time(past: Past, writer: Client) -> None:
    market = f"past:{uuid4().hex}"
    events: list[Event] = [
        Halt(market, START, "halted", "by me"),
        Late(market, START + 1, START - MINUTE, 1.0, 1.0, 1, "7"),
        Reject(market, START + 2, "no price", "{}"),
        Gap(market, START + 3, "disconnect", START, START + 3),
        Fault(market, START + 4, "rule", "it raised", ""),
    ]
    for n, event in enumerate(events):
        rows = pa.Table.from_batches([block("f", "r", type(event), [Record(n, event)])])
        writer.insert_arrow(table(type(event)), rows)
    rows = past.troubles(market=market)
    assert rows["kind"].to_pylist() == ["halt", "late", "reject", "gap", "fault"]
    assert rows["what"].to_pylist() == [
        "halted: by me",
        "a trade of 2023-11-14 22:59:00.000000000",
        "no price",
        "disconnect: 2023-11-14 23:00:00.000000000 to 2023-11-14 23:00:00.000000003",
        "rule: it raised",
    ]


def test_money_in_a_map_becomes_floats_too(past: Past) -> None:
    kind = past.table("order_costs", exact=False).schema.field("other_fees").type
    assert kind.item_type == pa.float64()


def test_what_cannot_be_asked_is_told_with_what_can(past: Past, run: str) -> None:
    with pytest.raises(HistoryError, match=r"no table 'nope'; there are averages, .*equity"):
        past.table("nope")
    with pytest.raises(HistoryError, match="trades are of no flow: leave flow 'x' away"):
        past.table("trades", flow="x")
    with pytest.raises(HistoryError, match="calibration has no time: leave since away"):
        past.table("calibration", since="2h")
    with pytest.raises(HistoryError, match="run 'zz': is no run, flow or deployment"):
        past.table("closed", run="zz")
    with pytest.raises(HistoryError, match="last 0: how many rows"):
        past.table("closed", last=0)
    with pytest.raises(TimeError, match="has no zone"):
        past.table("closed", since=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(TimeError, match="time 'soon'"):
        past.table("closed", until="soon")


def test_runs_that_begin_alike_are_named(past: Past, writer: Client) -> None:
    alike = [uuid4().hex[:8] + letter * 24 for letter in "a"]
    alike.append(alike[0][:8] + "b" * 24)
    for run in alike:
        row = [run, "one", datetime.now(timezone.utc), 1]
        writer.insert("runs", [row], ["run", "flow", "started", "version"])
    with pytest.raises(HistoryError, match="is the beginning of several runs"):
        past.table("closed", run=alike[0][:8])


def test_an_empty_history_has_every_topic_without_rows(past: Past) -> None:
    for name in set(TOPICS) - {"runs", "receipts", "deployments"}:
        assert past.table(name, market="past:NONE").num_rows == 0
    for name in ("runs", "receipts", "deployments"):
        assert past.table(name, flow="none").num_rows == 0


@pytest.fixture
def averages(writer: Client) -> str:
    market = f"past:{uuid4().hex}"
    events = [Averages(market, START + n, {"sma2": n + 0.5, "ts": 7.0}) for n in range(3)]
    events[2].values["sma9"] = 1.5
    records = [Record(n, event) for n, event in enumerate(events)]
    writer.insert_arrow("averages", pa.Table.from_batches([block("f", "r", Averages, records)]))
    return market


def test_pandas_has_aware_times_exact_money_and_averages_as_columns(
    past: Past, run: str, averages: str
) -> None:
    frame = past.pandas("averages", market=averages)
    assert str(frame["ts"].dtype) == "datetime64[ns, UTC]"
    assert frame["sma2"].tolist() == [0.5, 1.5, 2.5]
    assert frame["sma9"].isna().tolist() == [True, True, False]
    assert frame["values.ts"].tolist() == [7.0] * 3
    money = past.pandas("positions", run=run, flow="one", last=1)
    assert len(money) == 0  # nothing was opened
    made = past.pandas("closed", run=run, last=2)["pnl"]
    assert made.tolist() == [Decimal("0.123456789012345678901")] * 2
    assert past.pandas("closed", run=run, last=2, exact=False)["pnl"].sum() == 2 * float(made[0])


def test_polars_has_aware_times_floats_and_averages_as_columns(
    past: Past, run: str, averages: str
) -> None:
    frame = past.polars("averages", market=averages)
    assert frame.schema["ts"] == polars.Datetime("ns", "UTC")
    assert frame["sma2"].to_list() == [0.5, 1.5, 2.5]
    assert frame["sma9"].to_list() == [None, None, 1.5]
    assert frame["values.ts"].to_list() == [7.0] * 3
    assert past.polars("closed", run=run, last=1)["pnl"].to_list() == [0.123456789012345678901]
    for name in ("positions", "order_costs", "equity", "daily", "runs", "troubles"):
        assert past.polars(name, flow="none").height == 0


def test_a_run_is_also_found_by_its_flow(past: Past, writer: Client) -> None:
    flow, run = f"flow-{uuid4().hex}", uuid4().hex
    records = [Record(1, closed("past:A/USD", START))]
    writer.insert_arrow("closed", pa.Table.from_batches([block(flow, run, Closed, records)]))
    row = [run, flow, datetime.now(timezone.utc), 1]
    writer.insert("runs", [row], ["run", "flow", "started", "version"])
    assert past.equity(run=flow)["run"].to_pylist() == [run]
    assert past.runs(flow=flow).select(["run", "positions"]).to_pylist() == [
        {"run": run, "positions": 1}
    ]


def test_history_alone_tells_what_can_be_asked() -> None:
    for words in ([], ["show"]):
        said = CliRunner().invoke(app, words)
        assert said.exit_code == 0
        assert {line.split()[0] for line in said.stdout.splitlines() if line} >= set(TOPICS)


def test_the_docs_name_all_that_can_be_asked() -> None:
    text = (ROOT / "docs" / "history.md").read_text()
    assert [name for name in TOPICS if f"`{name}`" not in text] == []


def test_a_position_is_shown_by_its_name(run: str) -> None:
    said = deck("equity", "--run", run, "--flow", "one", "--limit", "1").stdout
    assert f"│ {run[:8]}:past:B/USD:" in said
    assert "position" not in said


def test_a_table_leaves_out_what_was_named_and_shortens_runs(run: str) -> None:
    said = deck("closed", "--run", run[:9], "--flow", "one", "--last", "2").stdout
    assert run not in said
    assert "flow" not in said
    assert said.count("past:") == 2
    assert f"│ {run[:8]} │" in deck("closed", "--flow", "one", "--market", "past:A/USD").stdout


def test_a_table_has_the_last_hundred_rows_and_a_file_all(run: str, tmp_path: Path) -> None:
    assert deck("closed", "--run", run).stdout.count("past:") == 100
    assert deck("closed", "--run", run, "--last", "0").stdout.count("past:") == 360
    assert len(json.loads(deck("closed", "--run", run, "--format", "json").stdout)) == 360
    csv = deck("equity", "--run", run, "--flow", "two", "--format", "csv").stdout.splitlines()
    assert len(csv) == 181
    assert csv[0].startswith('"name","flow","run","currency"')
    out = tmp_path / "closed.parquet"
    assert deck("closed", "--run", run, "--format", "parquet", "--output", str(out)).exit_code == 0
    assert pq.read_table(out).num_rows == 360


def test_where_no_rows_are_at_a_time_it_is_said_when_there_are(run: str) -> None:
    asked = ("closed", "--run", run, "--flow", "one", "--market", "past:A/USD")
    said = deck(*asked, "--since", "2h").stdout
    assert "No rows." in said
    assert "There are 90, from 2023-11-14 23:00:00 to 2023-11-15 00:29:00." in said
    said = deck("daily", *asked[1:], "--since", "2h", "--limit", "5").stdout
    assert "There are 2, from 2023-11-14 to 2023-11-15." in said
    said = deck("closed", "--market", "past:C/USD", "--until", "2h").stdout
    assert "There are none at any other time, either." in said
    assert "There are" not in deck("closed", "--market", "past:C/USD").stdout
    assert "There are" not in deck(*asked, "--since", "2023-11-14").stdout


def test_a_command_that_cannot_be_done_says_so_in_a_line() -> None:
    said = deck("closed", "--run", "zz")
    assert said.exit_code == 1
    assert "run 'zz': is no run" in said.stderr
    assert show.__doc__
