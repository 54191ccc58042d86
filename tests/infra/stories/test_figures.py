"""Every number of a report that is no view's own, against a plain loop over the run's events."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from decimal import Decimal
from itertools import accumulate
from math import ceil, log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clickhouse_connect.driver.client import Client

from connectors.tally import plain_reason
from infra.history.history import History
from infra.stories.bars import bars_of
from infra.stories.report import charts
from infra.stories.report.figures import Figures, Rows, figures
from schemas import SECOND
from tests.infra.stories.played import REGRESSES, Played, Told, play

_MOST = 10_000


@pytest.fixture(scope="module", params=["simulated", "real"])
def run(
    history: History, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Played:
    if request.param == "simulated":
        played: Played = request.getfixturevalue("played")
        return played
    ticks: Path = request.getfixturevalue("ticks")
    data = ticks / "binance_spot_XRPETH_20191011.parquet"
    return play(history, tmp_path_factory.mktemp("real"), data, until="2019-10-11T08:00")


@pytest.fixture(scope="module")
def found(run: Played) -> Iterator[Figures]:
    with run.history.client("reader") as client:
        yield figures(client, run.run, _MOST)


def currency(event: Told) -> str:
    return str(event["market"]).partition("/")[2].partition(":")[0]


def day(event: Told) -> object:
    return datetime.fromtimestamp(event["ts"] // SECOND, timezone.utc).date()


def made(events: list[Told]) -> dict[str, Any]:
    """Return what positions made, by a plain loop."""
    pnl, parts = [Decimal(e["pnl"]) for e in events], [e["net_return"] for e in events]
    count, mean = len(parts), sum(parts) / len(parts)
    spread = sqrt(sum((part - mean) ** 2 for part in parts) / (count - 1)) if count > 1 else 0.0
    lost = -float(sum(one for one in pnl if one < 0))
    return {
        "positions": count,
        "won": sum(one > 0 for one in pnl),
        "share": sum(one > 0 for one in pnl) / count,
        "pnl": sum(pnl),
        "fees": sum(Decimal(e["fees"]) for e in events),
        "funding": Decimal(0),
        "net": mean,
        "error": spread / sqrt(count) if count > 1 else None,
        "best": max(parts),
        "worst": min(parts),
        "factor": float(sum(one for one in pnl if one > 0)) / lost if lost else None,
        "held": sum(e["ts"] - e["opened_ts"] for e in events) / count,
    }


def alike(rows: Rows, plain: dict[object, dict[str, Any]], key: Callable[[Told], object]) -> None:
    assert {key(row) for row in rows} == plain.keys()
    for row in rows:
        for name, value in plain[key(row)].items():
            exact = value is None or isinstance(value, (int, Decimal))
            assert row[name] == (value if exact else pytest.approx(value, rel=1e-9, abs=1e-15))


@pytest.mark.parametrize(
    ("table", "keys"),
    [
        ("totals", {"currency": currency}),
        ("markets", {"market": lambda e: e["market"]}),
        ("days", {"day": day, "currency": currency}),
        ("reasons", {"why": lambda e: e["why"], "currency": currency}),
    ],
)
def test_what_positions_made_adds_up(
    run: Played, found: Figures, table: str, keys: dict[str, Callable[[Told], object]]
) -> None:
    groups: dict[object, list[Told]] = defaultdict(list)
    for event in run.of("Closed"):
        groups[tuple(key(event) for key in keys.values())].append(event)
    plain: dict[object, dict[str, Any]] = {key: made(events) for key, events in groups.items()}
    assert plain
    alike(getattr(found, table), plain, lambda row: tuple(row[name] for name in keys))


def test_a_fall_is_the_deepest_from_the_peak_so_far(run: Played, found: Figures) -> None:
    plain = {}
    by_time = sorted(run.of("Closed"), key=lambda e: (e["ts"], e["market"], e["seq"]))
    for quote in {currency(e) for e in by_time}:
        equity = [*accumulate(Decimal(e["pnl"]) for e in by_time if currency(e) == quote)]
        peaks = [*accumulate(equity, max, initial=Decimal(0))][1:]
        plain[quote] = max(peak - now for peak, now in zip(peaks, equity, strict=True))
    assert {row["currency"]: row["drawdown"] for row in found.falls} == plain


def test_positions_are_told_the_latest_first(run: Played, found: Figures) -> None:
    opened: dict[tuple[str, int], int] = {}
    for event in run.of("Opened"):
        opened.setdefault((event["market"], event["position"]), event["ts"])
    told = {(row["market"], row["position"]): row["opened"] for row in found.positions}
    assert told == opened
    assert [*told.values()] == sorted(told.values(), reverse=True)


def test_what_orders_cost_is_the_mean_over_those_with_a_book(run: Played, found: Figures) -> None:
    costs: dict[tuple[str, str], list[tuple[float, float] | None]] = defaultdict(list)
    for order in run.of("Order"):
        fills = [f for f in run.of("Fill", order["market"]) if f["order"] == order["order"]]
        if order["action"] not in ("enter", "exit") or not fills:
            continue
        bps, cost = order["slippage_bps"], None
        if bps is not None:
            sign = 1 if order["side"] == "buy" else -1
            mid = float(order["expected"]) / (1 + sign * bps / 10_000)
            amount = sum(float(f["amount"]) for f in fills)
            price = sum(float(f["amount"]) * float(f["price"]) for f in fills) / amount
            cost = (bps, sign * (price / mid - 1) * 10_000)
        costs[order["market"], order["action"]].append(cost)
    assert {(row["market"], row["action"]) for row in found.costs} == costs.keys()
    for row in found.costs:
        own = costs[row["market"], row["action"]]
        known = [cost for cost in own if cost is not None]
        assert (row["orders"], row["known"]) == (len(own), len(known))
        for name, number in (("expected", 0), ("realised", 1)):
            mean = sum(cost[number] for cost in known) / len(known) if known else None
            assert row[name] == (mean if mean is None else pytest.approx(mean, abs=1e-9))


def test_odds_are_calibrated_over_all_markets_together(run: Played, found: Figures) -> None:
    bins: dict[float, list[Told]] = defaultdict(list)
    for event in run.of("Outcome"):
        bins[min(int(event["odds"] * 10), 9) / 10].append(event)
    plain: dict[object, dict[str, Any]] = {
        bin_: {
            "outcomes": len(own),
            "odds": sum(e["odds"] for e in own) / len(own),
            "won": sum(e["label"] for e in own) / len(own),
            "net": sum(e["net_return"] for e in own) / len(own),
        }
        for bin_, own in bins.items()
    }
    alike(found.calibration, plain, lambda row: row["bin"])


def test_the_loss_of_an_hour_is_the_mean_over_all_markets(run: Played, found: Figures) -> None:
    hours: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for market in run.markets:
        came = 0
        for seen, event in enumerate(run.of("Outcome", market)):
            base = (came + 1) / (seen + 2)
            came += event["label"]
            odds = [odds if event["label"] else 1 - odds for odds in (event["odds"], base)]
            hour = event["ts"] // SECOND // 3600 * 3600
            hours[hour].append((-log(max(odds[0], 1e-15)), -log(odds[1])))
    plain: dict[object, dict[str, Any]] = {
        hour: {
            "outcomes": len(own),
            "log_loss": sum(loss for loss, _ in own) / len(own),
            "base": sum(base for _, base in own) / len(own),
        }
        for hour, own in hours.items()
    }
    alike(found.hours, plain, lambda row: row["hour"])


def test_refusals_and_candles_are_counted(run: Played, found: Figures) -> None:
    refused = Counter(plain_reason(event["why"]) for event in run.of("Refused"))
    assert {row["why"]: row["times"] for row in found.refused} == refused
    [span] = found.span
    candles = run.of("Candle")
    assert span["candles"] == len(candles)
    assert span["incomplete"] == sum(not candle["complete"] for candle in candles)
    assert (span["since"], span["until"]) == (
        min(candle["start"] for candle in candles), max(candle["end"] for candle in candles)
    )  # fmt: skip


def test_what_a_model_knew_at_the_end_is_what_its_last_outcome_says(
    run: Played, found: Figures
) -> None:
    last = {event["market"]: event["metrics"] for event in run.of("Outcome")}
    assert {row["market"]: dict(row["metrics"]) for row in found.models} == last


def test_a_regressor_is_judged_tenth_by_tenth_of_what_it_expected(
    history: History, recording: Path, tmp_path: Path, reader: Client
) -> None:
    run = play(history, tmp_path, recording, model=REGRESSES, until="2024-01-01T02:00")
    ordered = sorted(run.of("Outcome"), key=lambda e: (e["expected"], e["market"], e["seq"]))
    tenths: dict[object, list[Told]] = defaultdict(list)
    for place, event in enumerate(ordered):
        tenths[place * 10 // len(ordered)].append(event)
    plain: dict[object, dict[str, Any]] = {
        tenth: {
            "outcomes": len(own),
            "expected": sum(e["expected"] for e in own) / len(own),
            "net": sum(e["net_return"] for e in own) / len(own),
        }
        for tenth, own in tenths.items()
    }
    found = figures(reader, run.run, _MOST)
    assert len(plain) == 10
    alike(found.expectations, plain, lambda row: row["tenth"])
    assert not found.hours


@pytest.mark.parametrize("most", [7, 10_000])
def test_bars_are_candles_that_follow_each_other(run: Played, reader: Client, most: int) -> None:
    drawn = bars_of(reader, run.run.flow, run.run.run, "1m", most, [*run.markets])
    for market, bars in drawn.items():
        candles = run.of("Candle", market)
        each = ceil(len(candles) / most)
        parts = [candles[at : at + each] for at in range(0, len(candles), each)]
        assert bars.each == each
        assert bars.start.tolist() == [part[0]["start"] for part in parts]
        assert bars.open.tolist() == [part[0]["open"] for part in parts]
        assert bars.high.tolist() == [max(c["high"] for c in part) for part in parts]
        assert bars.low.tolist() == [min(c["low"] for c in part) for part in parts]
        assert bars.close.tolist() == [part[-1]["close"] for part in parts]
        behind = [_behind(run.markets[market], part[-1]["seq"]) for part in parts]
        shown = [None if value != value else value for value in bars.averages["sma2"].tolist()]  # noqa: PLR0124
        assert shown == [values.get("sma2") for values in behind]


def _behind(tape: list[Told], place: int) -> dict[str, float]:
    """Return the averages that stand right behind a candle."""
    at = next(number for number, event in enumerate(tape) if event["seq"] == place)
    behind: Told = tape[at + 1] if at + 1 < len(tape) else {"type": "nothing"}
    return behind["values"] if behind["type"] == "Averages" else {}


def test_a_thinned_equity_keeps_its_ends_and_its_deepest_fall(
    run: Played, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "_POINTS", 5)
    found = figures(reader, run.run, _MOST)
    drawn = charts.charts(reader, run.run, found)
    falls = {row["currency"]: float(row["drawdown"]) for row in found.falls}
    totals = {row["currency"]: float(row["pnl"]) for row in found.totals}
    for one in drawn.equity:
        assert 1 <= len(one["equity"]) <= 5
        assert one["time"] == sorted(set(one["time"]))
        assert one["equity"][-1] == pytest.approx(totals[one["currency"]], abs=1e-8)
        assert -min(one["drawdown"]) == pytest.approx(falls[one["currency"]], abs=1e-8)
    marks = sum(len(one["marks"]) for one in drawn.markets)
    assert marks == len(found.positions) + sum(row["closed"] is not None for row in found.positions)
    assert len(drawn.returns) == sum(row["positions"] for row in found.totals)
    assert np.isfinite(drawn.returns).all()


def test_where_candles_are_drawn_as_one_the_best_and_the_worst_position_are_drawn_singly(
    run: Played, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = figures(reader, run.run, _MOST)
    plain = charts.charts(reader, run.run, found).markets
    assert len(plain) == len(run.markets)
    monkeypatch.setattr(charts, "_MOST", 20)
    drawn = charts.charts(reader, run.run, found)
    ends = drawn.markets[len(plain) :]
    closed = sorted(run.of("Closed"), key=lambda event: float(event["net_return"]))
    wanted = [(closed[-1], "best"), (closed[0], "worst")]
    assert [one["market"] for one in ends] == [
        f"{event['market']}, the {what}: position {event['position']}" for event, what in wanted
    ]
    for one, (event, _) in zip(ends, wanted, strict=True):
        first, last = (mark["bar"] for mark in one["marks"])
        within = [n for n, at in enumerate(one["time"]) if event["opened_ts"] < at * SECOND]
        assert one["each"] == 1
        assert first == within[0] - 1 <= last < len(one["time"])
        whole = next(other for other in plain if other["market"] == event["market"])
        at = whole["time"].index(one["time"][0])
        for column in ("time", *"ohlc"):
            assert one[column] == whole[column][at : at + len(one["time"])]
    assert "can be chosen beside the markets" in drawn.note
