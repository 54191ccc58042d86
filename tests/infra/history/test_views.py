"""The views of history against a plain loop over the events of the run that filled it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from itertools import accumulate, takewhile
from math import log
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from clickhouse_connect.driver.client import Client

from connectors.simulated.simulate import START, simulate
from infra.history.history import History
from infra.history.past import Past
from infra.running.flowfile import load
from infra.running.replay import replay
from infra.running.sources import Files
from infra.running.worker import Job
from infra.trading.trading import Trading
from infra.whatif.forking import forked
from infra.whatif.parents import find
from operators import Costs
from schemas import DERIVED, MINUTE
from schemas.tables import table
from tests.conftest import ROOT

FLOW = '''
"""Wants something every few minutes: what follows is long, short, refused, left and reversed."""
from datetime import timedelta
from river import linear_model, optim, preprocessing
from operators import *
COSTS = Costs(fees_bps=2, slippage_bps=1, latency_ms=50)
BARRIERS = Barriers(stop_loss=0.002, take_profit=0.003, timeout=timedelta(minutes=30))
def model():
    return preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.003))
def rule(now):
    turn = now.candle.start // 60_000_000_000 % 41
    wants = {0: long(quote(1_000), "up"), 3: long(quote(1_000)), 7: leave(), 11: leave("enough"),
             12: short(quote(900), "down"), 15: reverse(quote(800), "turn"),
             17: reverse(quote(700)), 30: long(quote(0.0001), "little")}
    return wants.get(turn)
def strategy(tape):
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, sma=(2, 3))
    tape = predict("predict", tape, on=Averages, model=model, barriers=BARRIERS, size=quote(1_000))
    tape = entries("entries", tape, on=ON, rule=rule)
    return trade("trade", tape, barriers=BARRIERS)
'''

Told = dict[str, Any]


class Run(NamedTuple):
    """A run, and what it told, each market's events in their order."""

    flow: str
    run: str
    markets: dict[str, list[Told]]
    past: Past
    rich: bool
    """Whether its flow does all that a flow can do."""

    def of(self, kind: str) -> list[Told]:
        return [event for tape in self.markets.values() for event in tape if event["type"] == kind]

    def rows(self, view: str) -> list[Told]:
        rows: list[Told] = self.past.table(view, run=self.run).to_pylist()
        return rows


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("simulated") / "sim.parquet"
    simulate(data, ["sim:BTC/USDT", "sim:ETH/USDT", "sim:ETH/BTC"], 0.3, seed=4, signal=1.0)
    return data


VIEWS = (
    "calibration", "daily", "decisions", "equity", "execution_gap", "model_metrics", "order_costs",
    "positions", "results", "runs", "slippage", "troubles",
)  # fmt: skip
SAID = ("action", "amount", "unit", "reason", "kind")
"""What a signal says of itself."""
ORDERED = ("position", "action", "side", "kind", "why")
"""What an order says of itself."""
KINDS = (
    "simulated", "regressor", "resumed", "real", "sma_cross", "learned_cross", "forked_cross",
    "warm_cross",
)  # fmt: skip
FLOWS = {"forked_cross": "sma_cross", "warm_cross": "learned_cross"}


@pytest.fixture(scope="module", params=KINDS)
def run(
    history: History,
    simulated: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Run]:
    """Run a flow; all but one have the same name, markets and times.

    The regressor begins later, so that its decisions have other numbers at the same time.
    """
    kind, home = request.param, tmp_path_factory.mktemp("views")
    flow, events = home / "views.py", home / "events.jsonl"
    on, model = ("Averages", "LinearR") if kind == "regressor" else ("Prediction", "LogisticR")
    flow.write_text(FLOW.replace("ON", on).replace("LogisticR", model))
    if kind == "real":
        ticks: Path = request.getfixturevalue("ticks")
        data = ticks / "binance_spot_XRPETH_20191011.parquet"
    else:
        data = simulated
    if rich := not kind.endswith("_cross"):
        costs = Costs(2, 1, 50)
    else:
        flow = ROOT / "flows" / f"{FLOWS.get(kind, kind)}.py"
        costs = load(flow).costs
    until = "2019-10-11T08:00" if kind == "real" else ""
    since = "2024-01-01T00:37" if kind == "regressor" else ""
    job = Job(flow, Files((data,)), since, until, costs=costs, settings=history.settings)
    if kind == "warm_cross":  # shadows are held from the beginning, positions later
        job = replace(job, trading=Trading(), started=START + 180 * MINUTE, since="3h")
    report = replay(job, None, events, lambda _: None)
    if kind == "forked_cross":  # all of its parent stands beside it
        with history.client("reader") as reader:
            parent = find(report.run, reader, history.settings, None)
        job = forked(parent, {"stop_loss": "0.004"}, "2024-01-01T03:00")
        report = replay(job, None, events, lambda _: None)
    if kind == "resumed":
        with closing(history.client("owner")) as owner:
            again(owner, report.run)
    assert (b"warming up" in events.read_bytes()) == (kind == "warm_cross")
    markets: dict[str, list[Told]] = defaultdict(list)
    for line in events.read_bytes().splitlines():
        event = json.loads(line)
        markets[event["market"]].append(event)
    with closing(Past(history.settings)) as past:
        yield Run(flow.stem, report.run, dict(markets), past, rich)


def again(owner: Client, run: str) -> None:
    """Tell the later half of a run once more, as one does that is resumed from a snapshot."""
    for kind in DERIVED:
        name = table(kind)
        rows = f"SELECT * FROM {name} WHERE run = '{run}'"
        owner.command(f"INSERT INTO {name} {rows} AND seq > (SELECT avg(seq) FROM ({rows}))")


def ns(time: datetime | None) -> int | None:
    return None if time is None else round(time.timestamp() * 1e6) * 1_000


def micro(time: int | None) -> int | None:
    return None if time is None else time // 1_000


def micro_of(time: datetime | None) -> int | None:
    return micro(ns(time))


def test_a_position_is_told_from_its_entry_to_its_end(run: Run) -> None:
    plain: dict[tuple[str, int], tuple[object, ...]] = {}
    begun: dict[tuple[str, int], int] = {}
    for event in run.of("Opened"):
        at = (event["market"], event["position"])
        [reason] = (
            o["why"] for o in run.of("Order")
            if (o["market"], o["position"], o["action"]) == (*at, "enter")
        )  # fmt: skip
        over = [c for c in run.of("Closed") if (c["market"], c["position"]) == at]
        latest = over[0] if over else event
        result = over[0] if over else defaultdict(lambda: None)
        money = [
            None if result[name] is None else Decimal(result[name])
            for name in ("exit", "pnl", "fees", "funding")
        ]
        plain[at] = (
            event["side"], Decimal(latest["amount"]), Decimal(latest["entry"]), reason,
            *money, result["why"], result["net_return"], result["gross_return"],
            micro(result["ts"]), event["stop"], event["take"], micro(event["deadline"]),
            micro(begun.setdefault(at, event["ts"])),
        )  # fmt: skip
    found = {
        (row["market"], row["position"]): (
            row["side"], row["amount"], row["entry"], row["reason"],
            row["exit"], row["pnl"], row["fees"], row["funding"],
            row["why"], row["net_return"], row["gross_return"],
            micro_of(row["closed"]), row["stop"], row["take"], micro_of(row["deadline"]),
            micro_of(row["opened"]),
        )
        for row in run.rows("positions")
    }  # fmt: skip
    assert found == plain
    assert len(plain) > (20 if run.rich else 2)
    assert {row["side"] for row in run.rows("positions")} == (
        {"long", "short"} if run.rich else {"long"}
    )


def test_a_row_says_of_which_flow_market_and_position_it_is(run: Run) -> None:
    for view in VIEWS:
        for row in run.rows(view):
            assert row["flow"] == run.flow
            assert row.get("market") in {None, *run.markets}
            if "name" in row:
                assert row["name"] == f"{run.run[:8]}:{row['market']}:{row['position']}"


def test_days_add_up_what_was_closed(run: Run) -> None:
    days: dict[tuple[object, ...], list[Told]] = defaultdict(list)
    for event in run.of("Closed"):
        day = datetime.fromtimestamp(event["ts"] // 10**9, timezone.utc).date()
        days[event["market"], day].append(event)
    plain = {}
    for at, closed in days.items():
        made = [Decimal(event["pnl"]) for event in closed]
        fees = sum(Decimal(event["fees"]) for event in closed)
        won = sum(pnl > 0 for pnl in made)
        plain[at] = (len(made), won, sum(made), fees, Decimal(0), max(made), min(made))
    names = ("positions", "won", "pnl", "fees", "funding", "best", "worst")
    found = {
        (row["market"], row["day"]): tuple(row[name] for name in names) for row in run.rows("daily")
    }
    assert found == plain


def test_equity_runs_over_all_markets_of_a_currency_and_falls_from_its_peak(run: Run) -> None:
    plain: dict[str, list[tuple[object, ...]]] = {}
    by_time = sorted(run.of("Closed"), key=lambda e: (e["ts"], e["market"], e["seq"]))
    for currency in {event["market"].partition("/")[2] for event in by_time}:
        made = [Decimal(e["pnl"]) for e in by_time if e["market"].partition("/")[2] == currency]
        equity = list(accumulate(made))
        peak = list(accumulate(equity, max, initial=Decimal(0)))[1:]
        own = [e for e in by_time if e["market"].partition("/")[2] == currency]
        plain[currency] = [
            (e["market"], e["position"], e["seq"], pnl, total, most, most - total)
            for e, pnl, total, most in zip(own, made, equity, peak, strict=True)
        ]
    names = ("market", "position", "seq", "pnl", "equity", "peak", "drawdown")
    found = defaultdict(list)
    for row in run.rows("equity"):
        found[row["currency"]].append(tuple(row[name] for name in names))
    assert found == plain
    assert any(row["drawdown"] for row in run.rows("equity"))


def test_a_position_stands_beside_the_shadow_of_its_own_decision(run: Run) -> None:
    plain = {}
    for market, tape in run.markets.items():
        shadows = {e["decision"]: e for e in tape if e["type"] == "Outcome"}
        closed = {e["position"]: e for e in tape if e["type"] == "Closed"}
        for order in (e for e in tape if e["type"] == "Order" and e["action"] == "enter"):
            same = [e for e in tape if e["type"] == "Prediction" and e["ts"] == order["ts"]]
            decision = min(same, key=lambda e: abs(e["seq"] - order["seq"]), default={})
            shadow = shadows.get(decision.get("decision"))
            end = closed.get(order["position"])
            if shadow and end and shadow["side"] == end["side"]:
                gap = end["net_return"] - shadow["net_return"]
                plain[market, order["position"]] = (
                    decision["decision"], shadow["why"], shadow["net_return"], gap,
                    end["side"], end["why"], end["net_return"], end["seq"],
                )  # fmt: skip
    rows = run.rows("execution_gap")
    names = (
        "decision", "shadow_why", "shadow_return", "gap", "side", "why", "net_return", "seq",
    )  # fmt: skip
    found = {(row["market"], row["position"]): tuple(row[name] for name in names) for row in rows}
    assert len(rows) == len(found)
    assert found == plain
    alike = [row["gap"] for row in rows if row["why"] == row["shadow_why"]]
    assert alike == pytest.approx([0.0] * len(alike), abs=1e-12)  # other sizes round otherwise


def test_a_signal_became_an_order_or_was_refused_or_both(run: Run) -> None:
    plain, found = {}, {}
    for market, tape in run.markets.items():
        for at, signal in enumerate(tape):
            if signal["type"] != "Signal":
                continue
            behind = list(takewhile(lambda e: e["type"] in ("Order", "Refused"), tape[at + 1 :]))
            wanted = {"enter": signal["reason"], "exit": signal["reason"] or signal["action"]}
            orders = [
                (e["order"], e["position"])
                for e in behind
                if "order" in e and e["why"] == wanted.get(e["action"])
            ]
            refused = [e["why"] for e in behind if e["type"] == "Refused"]
            said = tuple(signal[name] for name in SAID)
            [order, *_], [why, *_] = orders or [(None, None)], refused or [None]
            plain[market, signal["seq"]] = (*order, why, said)
    for row in run.rows("decisions"):
        said = tuple(row[name] for name in SAID)
        found[row["market"], row["seq"]] = (row["order"], row["position"], row["refused"], said)
        became = "order" if row["order"] else "refused" if row["refused"] else "nothing"
        assert row["became"] == became
    assert found == plain
    all_of_it = {row["became"] for row in run.rows("decisions")}
    assert all_of_it == {"order", "refused"} or not run.rich


def test_calibration_bins_odds_against_what_came(run: Run) -> None:
    bins: dict[tuple[str, int], list[Told]] = defaultdict(list)
    for event in run.of("Outcome"):
        if event["odds"] is not None:
            bins[event["market"], min(int(event["odds"] * 10), 9)].append(event)
    found = {(row["market"], round(row["bin"] * 10)): row for row in run.rows("calibration")}
    assert set(found) == set(bins)
    for at, events in bins.items():
        row, n = found[at], len(events)
        assert row["outcomes"] == n
        assert row["odds"] == pytest.approx(sum(e["odds"] for e in events) / n)
        assert row["won"] == pytest.approx(sum(e["label"] for e in events) / n)
        assert row["net_return"] == pytest.approx(sum(e["net_return"] for e in events) / n)


def test_hours_of_metrics_add_up_to_those_the_model_told_itself(run: Run) -> None:
    hours: dict[tuple[str, int], list[Told]] = defaultdict(list)
    rows = run.rows("model_metrics")
    for event in run.of("Outcome"):
        hours[event["market"], event["ts"] // (60 * MINUTE)].append(event)
    found = {
        (row["market"], (ns(row["hour"].to_pydatetime()) or 0) // (60 * MINUTE)): row
        for row in rows
    }
    assert set(found) == set(hours)
    for at, events in hours.items():
        losses = [loss(event) for event in events]
        name = "mse" if events[0]["odds"] is None else "log_loss"
        assert found[at][name] == pytest.approx(sum(losses) / len(losses))
        assert found[at]["log_loss" if name == "mse" else "mse"] is None
        says = "expected" if name == "mse" else "odds"
        for column, told in (("won", "label"), ("net_return", "net_return"), (says, says)):
            mean = sum(event[told] for event in events) / len(events)
            assert found[at][column] == pytest.approx(mean)
    for market in {market for market, _ in hours}:
        ours = [row for row in rows if row["market"] == market]
        *_, last = (e for e in run.of("Outcome") if e["market"] == market)
        own = {"log_loss", "base_log_loss", "mae", "mse", "base_mse", "accuracy"}
        for name in own & set(last["metrics"]):
            mean = sum(row[name] * row["outcomes"] for row in ours) / last["metrics"]["count"]
            assert mean == pytest.approx(last["metrics"][name])


def loss(outcome: Told) -> float:
    """Return what a model lost by what it said: squared if it said a return, else in logarithms."""
    if outcome["odds"] is None:
        return float(outcome["net_return"] - outcome["expected"]) ** 2
    return -log(max(outcome["odds"] if outcome["label"] else 1 - outcome["odds"], 1e-15))


def test_results_are_those_of_all_positions_and_runs_those_of_all_markets(run: Run) -> None:
    markets: dict[str, list[Told]] = defaultdict(list)
    for event in run.of("Closed"):
        markets[event["market"]].append(event)
    rows = run.rows("results")
    names = ("positions", "won", "pnl", "fees", "best", "worst", "net_return")
    assert {row["market"]: tuple(row[name] for name in names) for row in rows} == {
        market: (
            len(closed), sum(Decimal(e["pnl"]) > 0 for e in closed), *money(closed),
            max(Decimal(e["pnl"]) for e in closed), min(Decimal(e["pnl"]) for e in closed),
            pytest.approx(sum(e["net_return"] for e in closed) / len(closed)),
        )
        for market, closed in markets.items()
    }  # fmt: skip
    currencies: dict[str, list[Told]] = defaultdict(list)
    for market, closed in markets.items():
        currencies[market.partition("/")[2]] += closed
    runs = {row["currency"]: row for row in run.rows("runs")}
    assert {c: (r["positions"], r["pnl"], r["fees"]) for c, r in runs.items()} == {
        currency: (len(closed), *money(closed)) for currency, closed in currencies.items()
    }
    begun = min(event["start"] for event in run.of("Candle"))
    assert {row["since"].value for row in runs.values()} == {begun}


def money(closed: list[Told]) -> tuple[Decimal, Decimal]:
    """Return PnL and fees of positions."""
    pnl, fees = (sum(Decimal(event[name]) for event in closed) for name in ("pnl", "fees"))
    return Decimal(pnl), Decimal(fees)


def test_an_order_stands_beside_its_own_fills(run: Run) -> None:
    plain = {}
    for market, tape in run.markets.items():
        for order in (e for e in tape if e["type"] == "Order"):
            fills = [e for e in tape if e["type"] == "Fill" and e["order"] == order["order"]]
            if not fills or order["action"] not in ("enter", "exit"):
                continue
            filled = sum(float(fill["amount"]) for fill in fills)
            paid = sum(float(fill["amount"]) * float(fill["price"]) for fill in fills)
            plain[market, order["order"]] = (
                *(order[name] for name in ORDERED), pytest.approx(float(order["amount"])),
                pytest.approx(filled), pytest.approx(paid / filled),
                sum(Decimal(fill["fee"]) for fill in fills),
            )  # fmt: skip
    names = (*ORDERED, "asked", "filled", "realised", "fees")
    rows = run.rows("order_costs")
    found = {(row["market"], row["order"]): tuple(row[name] for name in names) for row in rows}
    assert found == plain
    assert len(rows) == len(plain) > 0


def test_slippage_of_a_day_is_the_mean_of_its_orders(run: Run) -> None:
    costs: dict[tuple[object, ...], list[Told]] = defaultdict(list)
    for row in run.rows("order_costs"):
        costs[row["market"], row["ts"].date(), row["action"]].append(row)
    rows: dict[tuple[object, ...], Told] = {
        (row["market"], row["day"], row["action"]): row for row in run.rows("slippage")
    }
    assert set(rows) == set(costs)
    for at, orders in costs.items():
        assert rows[at]["orders"] == len(orders)
        assert rows[at]["fees"] == sum(order["fees"] for order in orders)
        known = [o["worse_bps"] for o in orders if o["worse_bps"] is not None]
        assert rows[at]["expected_orders"] == len(known)
        mean = sum(known) / len(known) if known else None
        assert rows[at]["worse_bps"] == (mean if mean is None else pytest.approx(mean))


@pytest.mark.parametrize("view", ["positions", "execution_gap"])
def test_a_stretch_of_a_view_is_what_all_of_it_has_there(run: Run, view: str) -> None:
    rows = run.rows(view)
    times = sorted(row["ts"] for row in rows)
    if not times:
        return
    since, until = (times[len(times) * at // 4].to_pydatetime(warn=False) for at in (1, 3))
    some = run.past.table(view, run=run.run, since=since, until=until).to_pylist()
    assert some == [row for row in rows if since <= row["ts"].to_pydatetime(warn=False) < until]
    assert some or len(rows) < 4
