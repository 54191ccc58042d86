"""The views of history against a plain loop over the events of the run that filled it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timezone
from decimal import Decimal
from itertools import accumulate, takewhile
from math import log
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from connectors.simulated.simulate import simulate
from infra.history.history import History
from infra.history.past import Past
from infra.running.replay import replay
from infra.running.sources import Files
from infra.running.worker import Job
from operators import Costs
from schemas import MINUTE

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

    run: str
    markets: dict[str, list[Told]]
    past: Past

    def of(self, kind: str) -> list[Told]:
        return [event for tape in self.markets.values() for event in tape if event["type"] == kind]

    def rows(self, view: str) -> list[Told]:
        rows: list[Told] = self.past.table(view, run=self.run).to_pylist()
        return rows


@pytest.fixture(scope="module", params=["simulated", "simulated, on averages", "real"])
def run(
    history: History, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Run]:
    home = tmp_path_factory.mktemp("views")
    flow, data, events = home / "views.py", home / "sim.parquet", home / "events.jsonl"
    flow.write_text(FLOW.replace("ON", "Averages" if "averages" in request.param else "Prediction"))
    if request.param == "real":
        ticks: Path = request.getfixturevalue("ticks")
        data = ticks / "binance_spot_XRPETH_20191011.parquet"
    else:
        simulate(data, ["sim:BTC/USDT", "sim:ETH/USDT", "sim:ETH/BTC"], 0.4, seed=4, signal=1.0)
    until = "2019-10-11T08:00" if request.param == "real" else ""
    job = Job(flow, Files((data,)), until=until, costs=Costs(2, 1, 50), settings=history.settings)
    report = replay(job, None, events, lambda _: None)
    markets: dict[str, list[Told]] = defaultdict(list)
    for line in events.read_bytes().splitlines():
        event = json.loads(line)
        markets[event["market"]].append(event)
    with closing(Past(history.settings)) as past:
        yield Run(report.run, dict(markets), past)


def ns(time: datetime | None) -> int | None:
    return None if time is None else round(time.timestamp() * 1e6) * 1_000


def test_a_position_is_told_from_its_entry_to_its_end(run: Run) -> None:
    plain: dict[tuple[str, int], tuple[object, ...]] = {}
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
            result["ts"] and result["ts"] // 1_000, event["stop"], event["take"],
        )  # fmt: skip
    found = {
        (row["market"], row["position"]): (
            row["side"], row["amount"], row["entry"], row["reason"],
            row["exit"], row["pnl"], row["fees"], row["funding"],
            row["why"], row["net_return"], row["gross_return"],
            row["closed"] and (ns(row["closed"].to_pydatetime(warn=False)) or 0) // 1_000,
            row["stop"], row["take"],
        )
        for row in run.rows("positions")
    }  # fmt: skip
    assert len(plain) > 20
    assert found == plain
    assert {row["side"] for row in run.rows("positions")} == {"long", "short"}


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
    plain: dict[str, list[tuple[Decimal, ...]]] = {}
    by_time = sorted(run.of("Closed"), key=lambda e: (e["ts"], e["market"], e["seq"]))
    for currency in {event["market"].partition("/")[2] for event in by_time}:
        made = [Decimal(e["pnl"]) for e in by_time if e["market"].partition("/")[2] == currency]
        equity = list(accumulate(made))
        peak = list(accumulate(equity, max, initial=Decimal(0)))[1:]
        plain[currency] = [(e, p, p - e) for e, p in zip(equity, peak, strict=True)]
    found = defaultdict(list)
    for row in run.rows("equity"):
        found[row["currency"]].append((row["equity"], row["peak"], row["drawdown"]))
    assert found == plain
    assert any(drawdown for rows in plain.values() for _, _, drawdown in rows)


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
                plain[market, order["position"]] = (decision["decision"], shadow["why"], gap)
    rows = run.rows("execution_gap")
    found = {
        (row["market"], row["position"]): (row["decision"], row["shadow_why"], row["gap"])
        for row in rows
    }
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
                e["order"] for e in behind if "order" in e and e["why"] == wanted.get(e["action"])
            ]
            refused = [e["why"] for e in behind if e["type"] == "Refused"]
            plain[market, signal["seq"]] = (orders[:1] or [None], refused[:1] or [None])
    for row in run.rows("decisions"):
        found[row["market"], row["seq"]] = ([row["order"]], [row["refused"]])
        became = "order" if row["order"] else "refused" if row["refused"] else "nothing"
        assert row["became"] == became
    assert found == plain
    assert {row["became"] for row in run.rows("decisions")} == {"order", "refused"}


def test_calibration_bins_odds_against_what_came(run: Run) -> None:
    bins: dict[tuple[str, int], list[Told]] = defaultdict(list)
    for event in run.of("Outcome"):
        bins[event["market"], min(int(event["odds"] * 10), 9)].append(event)
    found = {(row["market"], round(row["bin"] * 10)): row for row in run.rows("calibration")}
    assert set(found) == set(bins)
    for at, events in bins.items():
        row, n = found[at], len(events)
        assert row["outcomes"] == n
        assert row["odds"] == pytest.approx(sum(e["odds"] for e in events) / n)
        assert row["won"] == pytest.approx(sum(e["label"] for e in events) / n)


def test_hours_of_metrics_add_up_to_those_the_model_told_itself(run: Run) -> None:
    hours: dict[tuple[str, int], list[float]] = defaultdict(list)
    rows = run.rows("model_metrics")
    for event in run.of("Outcome"):
        likely = event["odds"] if event["label"] else 1 - event["odds"]
        hours[event["market"], event["ts"] // (60 * MINUTE)].append(-log(max(likely, 1e-15)))
    found = {
        (row["market"], (ns(row["hour"].to_pydatetime()) or 0) // (60 * MINUTE)): row
        for row in rows
    }
    assert set(found) == set(hours)
    for at, losses in hours.items():
        assert found[at]["log_loss"] == pytest.approx(sum(losses) / len(losses))
    for market in run.markets:
        ours = [row for row in rows if row["market"] == market]
        *_, last = (e for e in run.of("Outcome") if e["market"] == market)
        for name in ("log_loss", "base_log_loss"):
            mean = sum(row[name] * row["outcomes"] for row in ours) / last["metrics"]["count"]
            assert mean == pytest.approx(last["metrics"][name])
