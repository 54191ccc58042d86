"""Runs side by side: what history keeps of each, and which positions are of the same decisions."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import orjson
import pyarrow as pa
import pytest
from clickhouse_connect.driver.client import Client
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from infra.history.history import History
from infra.verify.which import Run, which
from infra.whatif import beside
from infra.whatif.fork_command import fork
from infra.whatif.forking import forked
from infra.whatif.laid import as_run, sides_of
from infra.whatif.pairs import pair
from infra.whatif.parents import find
from infra.whatif.sides import Held, Side, side
from schemas import Outcome
from schemas.tables import Record, block, table
from tests.infra.whatif.rig import Bench, closings

HELD = st.lists(
    st.builds(
        lambda decided, side, pnl: Held(
            "m", decided, side, decided + 3, "stop", Decimal(pnl), Decimal(0), 0.0, pnl / 100
        ),
        st.integers(0, 9), st.sampled_from(["long", "short"]), st.integers(-2, 2),
    ),
    max_size=9,
)  # fmt: skip


@given(HELD, HELD)
def test_each_position_is_told_once_and_pairs_are_of_one_decision(
    one: list[Held], other: list[Held]
) -> None:
    found = pair(one, other)
    assert len(found.only_one) + found.both == len(one)
    assert len(found.only_other) + found.both == len(other)
    for ours, theirs in found.different:
        assert (ours.decided, ours.side) == (theirs.decided, theirs.side)
        assert (ours.closed, ours.why, ours.pnl) != (theirs.closed, theirs.why, theirs.pnl)
    if found.both:
        gaps = sum(a.net_return - b.net_return for a, b in found.different) / found.both
        assert found.gap == pytest.approx(gaps)
    assert (pair(one, one).different, pair(one, one).only_one) == ([], [])


def test_a_side_says_of_a_run_what_its_events_say(bench: Bench, reader: Client) -> None:
    run, events = bench.played(bench.job())
    found = side(which(run, reader, bench.history.settings.home), reader, "replay")
    closed = closings(events)
    entered = {
        (e["market"], e["position"]): e["ts"]
        for e in map(orjson.loads, events)
        if e["type"] == "Order" and e["action"] == "enter"
    }
    told = [
        (entered[e["market"], e["position"]], e["market"], e["ts"], Decimal(str(e["pnl"])))
        for e in closed
    ]
    assert sorted(told) == sorted((h.decided, h.market, h.closed, h.pnl) for h in found.held)
    assert found.pnl == sum(Decimal(str(e["pnl"])) for e in closed)
    kinds = [orjson.loads(line)["type"] for line in events]
    assert found.counts == {
        "signals": kinds.count("Signal"), "refused": kinds.count("Refused"), "faults": 0,
    }  # fmt: skip
    made = peak = fall = Decimal(0)
    for one in sorted(closed, key=lambda e: (e["ts"], e["market"])):
        made += Decimal(str(one["pnl"]))
        peak = max(peak, made)
        fall = max(fall, peak - made)
    assert (found.equity[-1], found.drawdown) == (made, fall)


def test_the_drawdown_is_the_deepest_fall_not_the_last() -> None:
    held = [
        Held("m", n, "long", n, "take", Decimal(pnl), Decimal(0), 0.0, 0.0)
        for n, pnl in enumerate((5, -3, 4, -1))
    ]
    made = Side("x", Run("5f0c", "cross", "replay", "", "", 0), {}, held, {}, {})
    assert ([*map(int, made.equity)], made.drawdown) == ([5, 2, 6, 5], Decimal(3))


def test_money_of_several_currencies_is_told_to_be_no_sum() -> None:
    run = Run("5f0c", "cross", "replay", "", "", 0)
    dollars, coins = (
        Side("x", run, {}, [Held(market, 1, "long", 2, "take", Decimal(1), Decimal(0), 0.0, 0.0)],
             {}, {})
        for market in ("m:A/USD", "m:A/BTC")
    )  # fmt: skip
    assert not any("as if these were one" in line for line in beside.lines([dollars, dollars]))
    assert "PnL, fees and drawdown add up BTC, USD as if these were one: look at the returns" in [
        *beside.lines([dollars, coins])
    ]


def test_what_a_model_knew_is_the_mean_of_its_losses(
    bench: Bench, reader: Client, writer: Client
) -> None:
    run = Run(uuid.uuid4().hex, "cross", "replay", "", "", 0)
    outcomes = [
        Outcome("m:A/B", n, n, "long", 1.0, 1.0, n, "take", 0.1, label, odds, None, {})
        for n, (label, odds) in enumerate([(True, 0.8), (False, 0.8), (True, 0.5)])
    ]
    insert(writer, run, [Record(n, one) for n, one in enumerate(outcomes)], Outcome)
    found = side(run, reader, "x")
    assert found.outcomes == 3
    assert found.log_loss == pytest.approx((0.2231436 + 1.6094379 + 0.6931472) / 3)
    assert side(replace(run, run="none"), reader, "x").log_loss is None


def insert(writer: Client, run: Run, records: list[Record], kind: type) -> None:
    rows = pa.Table.from_batches([block(run.flow, run.run, kind, records)])
    writer.insert_arrow(table(kind), rows)


Live = Callable[[Run], Run]


@pytest.fixture
def live(reader: Client, writer: Client) -> Live:
    """Return a run with orders that made half a coin less of each position than a run on paper."""

    def made(paper: Run) -> Run:
        sent = replace(paper, run=uuid.uuid4().hex, mode="live")
        whose = {"run": paper.run, "new": sent.run}
        for name in ("closed", "orders", "candles", "runs"):
            rows = reader.query_arrow(
                f"SELECT * FROM {name} FINAL WHERE run = {{run:String}}", whose
            )
            new = pa.array([sent.run] * len(rows), pa.string())
            rows = rows.set_column(rows.schema.get_field_index("run"), "run", new)
            if name == "closed":
                pnl = [value - Decimal("0.5") for value in rows["pnl"].to_pylist()]
                kind = rows.schema.field("pnl").type
                rows = rows.set_column(
                    rows.schema.get_field_index("pnl"), "pnl", pa.array(pnl, kind)
                )
            if name == "runs":
                rows = rows.set_column(
                    rows.schema.get_field_index("mode"), "mode", pa.array(["live"])
                )
            writer.insert_arrow(name, rows)
        return sent

    return made


def test_a_live_run_stands_beside_itself_on_paper_and_the_gap_is_named(
    bench: Bench, reader: Client, live: Live
) -> None:
    run, _ = bench.played(bench.job())
    sent = live(which(run, reader, bench.history.settings.home))
    parent = replace(find(run, reader, bench.history.settings, None), run=sent)
    same, _ = bench.played(forked(parent, {}, ""))
    changed, _ = bench.played(forked(parent, {"stop_loss": "0.01"}, ""))
    home = bench.history.settings.home
    between = as_run(sent, reader)
    assert between == which(same, reader, home)
    runs = [sent, between, which(changed, reader, home)]
    sides = sides_of(runs, reader, ("live", "paper as run", "paper changed"))
    count = len(sides[0].held)
    assert count > 3
    [_, gap] = beside.lines(sides)
    assert f"live made {-count / 2:+,.2f} beside the same run on paper, +0.00 of it by fees" in gap
    assert beside.differing(sides)["BARRIERS.stop_loss"] == ["0.002", "0.002", "0.01"]


def test_fees_that_paper_did_not_pay_are_told_of_the_gap() -> None:
    run = Run("5f0c", "cross", "live", "", "", 0)
    made = {
        label: Held("m", 1, "long", 2, "take", Decimal(pnl), Decimal(fees), 0.0, 0.0)
        for label, pnl, fees in (("live", 3, 4), ("as run", 9, 0), ("changed", 9, 0))
    }
    sides = [Side(label, run, {}, [held], {}, {}) for label, held in made.items()]
    _, gap, remedy = beside.lines(sides)
    assert "live made -6.00 beside the same run on paper, -4.00 of it by fees" in gap
    assert "--set fees_bps=" in remedy


def test_the_commands_show_and_draw_it(
    bench: Bench,
    history: History,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TAPEDECK_HOME", str(history.settings.home))
    monkeypatch.delenv("CLICKHOUSE_URL", raising=False)
    run, _ = bench.played(bench.job())
    fork(run[:8], ["stop_loss=0.0005"], picture=bench.directory / "two.svg")
    said = capsys.readouterr().out
    assert "side by side" in said
    assert "BARRIERS.stop_loss" in said
    assert "of the same decisions" in said
    assert (bench.directory / "two.svg").read_text().count("<path") > 4
    fork(run[:8], listing=True)
    assert "candles.every" in capsys.readouterr().out


def console(sides: list[Side]) -> str:
    shown = Console(width=200, record=True)
    for grid in beside.tables(sides):
        shown.print(grid)
    return shown.export_text()


def test_what_only_one_run_has_is_listed(bench: Bench, reader: Client) -> None:
    first, _ = bench.played(bench.job())
    second, _ = bench.played(
        forked(find(first, reader, bench.history.settings, None), {"candles.every": "2m"}, "")
    )
    runs = [which(one, reader, bench.history.settings.home) for one in (first, second)]
    sides = sides_of(runs, reader)
    assert [one.label for one in sides] == ["replay", "fork"]
    text = console(sides)
    told = [line[:19] for line in text.splitlines() if "sim:" in line]
    assert told == sorted(told)
    assert len(told) > 1
    assert "candles.every" in text
    assert "1m" in text
    plain = beside.plain(sides)
    assert len(plain["only"][0]) + plain["both"] == len(sides[0].held)
    orjson.dumps(plain)
