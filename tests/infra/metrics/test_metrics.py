"""What is measured and published; and that board, alert rules and docs speak of what there is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest
import urllib3
import yaml
from prometheus_client.parser import text_string_to_metric_families

from connectors.account.limits import Result
from connectors.blotter.modes import Mode, Scope
from connectors.blotter.order import Slip
from connectors.blotter.position import Holding
from connectors.feed.feed import Counts
from connectors.recordings.tracks import Item
from connectors.tally import MarketTally
from connectors.venue.rate import Budget
from infra.executor.executing import Standing
from infra.executor.gauges import Heard, executor_gauges, notice
from infra.intake.gauges import intake_gauges
from infra.intake.intake import Taken
from infra.metrics.exporter import STATES, Exporter
from infra.metrics.flow_gauges import FlowGauges
from infra.metrics.gauges import BOUNDS, Gauges, Stopwatch
from infra.metrics.meter import Meter
from infra.metrics.names import DEPLOYMENT, FLOW, METRICS
from infra.notices.notify import Notifier
from infra.running.far import Far, Line
from infra.running.problems import ReplayError
from infra.settings import Settings
from schemas import (
    SECOND,
    Closed,
    Command,
    Event,
    Fault,
    Instrument,
    Late,
    Opened,
    Order,
    Outcome,
    Report,
    Side,
    Trades,
)
from schemas.tables import Record

ROOT = Path(__file__).parents[3]
M = "okx:A/B"
TWO, NOTHING = Decimal(2), Decimal(0)
CONSTANT = {"deployment", "account", "log", "instance", "job", "le"}


class Status(NamedTuple):
    """As a parent says it."""

    state: str
    since: int
    restarts: int


def records(*events: Event) -> list[Record]:
    return [Record(number, event) for number, event in enumerate(events)]


def outcome(count: float, loss: float, base: float, kind: str = "log_loss") -> Outcome:
    metrics = {"count": count, kind: loss, f"base_{kind}": base}
    return Outcome(M, 7, 1, "long", 1.0, 1.0, 7, "stop", 0.1, True, 0.5, None, metrics)


def closed(pnl: str) -> Closed:
    return Closed(M, 9, 1, "long", TWO, TWO, TWO, 7, "stop", NOTHING, Decimal(pnl), 0.0, 0.0)


def opened(side: Side = "long") -> Opened:
    return Opened(M, 7, 1, side, TWO, Decimal(100), None, None, None, None)


def order(action: str) -> Order:
    return Order(M, 7, 1, 1, action, "buy", TWO, "cross")


def metered() -> Meter:
    """Return a meter that has seen a bit of everything."""
    meter = Meter("demo", "1f", kept=lambda: 1.0, clock=lambda: 10 * SECOND)
    trades = Trades.of(M, [SECOND] * 3, [101.0, 103.0, 102.0], [1.0] * 3, received=[9 * SECOND] * 3)
    rules = Instrument(M, 1, Decimal("0.1"), Decimal("0.1"), Decimal(5), Decimal(10))
    ours, other = (
        Report(M, 7, "main:live", "demo", "x", "filled", TWO, TWO, run=run) for run in ("1f", "2e")
    )
    items: list[Item] = [(M, [rules, ours, other, trades])]
    assert meter.seen(items) is items
    meter.write(records(order("enter"), opened(), outcome(1.0, 0.5, 0.7), closed("3")))
    meter.write(records(Fault(M, 7, "rule", "oops", ""), order("exit"), opened("short")))
    meter.snapshot()
    return meter


def flow_gauges(meter: Meter, told: Gauges, journal: Path | None) -> Gauges:
    tally = MarketTally(pnl=Decimal("12.5"), fees=Decimal("0.5"))
    return FlowGauges(
        meter, lambda: {M: tally}, lambda: {M: Line("reducing", stamp=SECOND)}, journal,
        lambda: "no answer", lambda: 17, lambda: told, ("demo", "1f", "paper"),
    ).at()  # fmt: skip


def standing() -> Standing:
    slip = Slip("a", M, "buy", "market", TWO, flow="demo", purpose="enter", status="unknown")
    slip.sent_at = 7
    held = Holding("demo", "1f", M, 1, "short", "open", entered=Decimal(3))
    return Standing(
        "trading", True, [slip], [held], {Scope("demo", M): Mode("halted", "me")},
        [Result("USDT", today=Decimal("-2.5"), total=Decimal(10), peak=Decimal(15))], 3,
        ["private stream: closed"], {"done": 4}, Budget(5.0, 20.0),
    )  # fmt: skip


def heard() -> Heard:
    found = Heard()
    for ts, status in ((0, "sent"), (SECOND // 50, "partially filled"), (SECOND // 25, "filled")):
        found.note(Report(M, ts, "main:live", "demo", "x", status, purpose="enter"))
    found.note(Command(M, 7, "reduce", who="the executor: odd"))
    return found


def everything(tmp_path: Path) -> Exporter:
    """Return an exporter of all that any process of ours ever says."""
    told = Gauges(
        {
            "tapedeck_notices_total": {("sent",): 1.0},
            "tapedeck_notices_waiting": {(): 0.0},
        }
    )
    logged = Stopwatch()
    logged.note(0.003)
    taken = Taken({M: Counts(trades=7, books=2, stalls=1)}, None, ["okx away"], logged.spread())
    exporter = Exporter("demo", settings=Settings(tmp_path))
    far = Far(gauges=flow_gauges(metered(), told, tmp_path / "journal"))
    exporter.show(Status("running", 5 * SECOND, 2), [far])
    shown = [*exporter._gauges, executor_gauges(standing(), heard()), intake_gauges(taken)]
    exporter.say(shown)
    return exporter


def samples(exporter: Exporter) -> dict[tuple[str, ...], float]:
    """Return what is published: name and labels' values, but for the constant one."""
    found = {}
    for family in exporter.collect():
        for sample in family.samples:
            labels = {k: v for k, v in sample.labels.items() if k != "deployment"}
            key = (sample.name, *labels.values())
            found[key] = sample.value
    return found


def test_a_flow_tells_what_it_counts_holds_and_made(tmp_path: Path) -> None:
    found = samples(everything(tmp_path))
    assert found["tapedeck_trades_total", M] == 3
    assert found["tapedeck_events_total", M, "fault"] == 1
    assert found["tapedeck_events_total", M, "late"] == 0
    assert found["tapedeck_orders_total", M, "exit"] == 1
    assert found["tapedeck_reports_total", M, "filled"] == 1
    assert found["tapedeck_position_amount", M] == -2
    assert found["tapedeck_position_entry_price", M] == 100
    assert found["tapedeck_unrealised_pnl", M] == -2 * 10 * (102 - 100)
    assert found["tapedeck_realised_pnl", M] == 12.5
    assert found["tapedeck_wins_total", M] == 1
    assert found["tapedeck_mode", M] == 1
    assert found["tapedeck_log_lag_messages",] == 17
    assert found["tapedeck_history_troubled",] == 1
    assert found["tapedeck_model_loss", M, "log_loss"] == 0.5
    assert found["tapedeck_stage_seconds_sum", "log"] == 1.0
    assert found["tapedeck_stage_seconds_count", "flow"] == 1
    assert found["tapedeck_state", "running"] == 1
    assert sum(found["tapedeck_state", state] for state in STATES) == 1
    assert found["tapedeck_restarts_total",] == 2


def test_an_executor_tells_orders_positions_modes_money_and_doubts(tmp_path: Path) -> None:
    found = samples(everything(tmp_path))
    assert found["tapedeck_executor_trading",] == 1
    assert found["tapedeck_executor_open_orders", "unknown", "enter"] == 1
    assert found["tapedeck_executor_position_amount", "demo", M] == -3
    assert found["tapedeck_executor_mode", "demo", M] == 2
    assert found["tapedeck_executor_mode", "", ""] == 0
    assert found["tapedeck_executor_drawdown", "USDT"] == 5
    assert found["tapedeck_executor_doubts",] == 1
    assert found["tapedeck_executor_oldest_doubt_seconds",] > 10**9
    assert found["tapedeck_executor_reports_total", "sent", "enter"] == 1
    assert found["tapedeck_executor_order_seconds_sum", "answered"] == 0.02
    assert found["tapedeck_executor_order_seconds_count", "answered"] == 1
    assert found["tapedeck_executor_order_seconds_sum", "filled"] == 0.04
    assert found["tapedeck_executor_differences_total",] == 1
    assert found["tapedeck_executor_requests_used",] == 5


def test_counts_begin_anew_with_a_process_and_what_is_held_is_known_again() -> None:
    meter, again = metered(), Meter("demo", "1f", kept=lambda: 0.0)
    again.resume(meter.snapshot())
    found = flow_gauges(again, Gauges(), None).numbers
    assert found["tapedeck_position_amount"] == {(M,): -2.0}
    assert found["tapedeck_model_loss"] == {(M, "log_loss"): 0.5}
    assert "tapedeck_trades_total" not in found
    assert "tapedeck_history_waiting_blocks" not in found


def test_drift_is_the_edge_that_was_lost_and_not_a_harder_market() -> None:
    def drift(pairs: list[tuple[float, float]]) -> float:
        meter = Meter("demo", "1f", kept=lambda: 0.0)
        loss = base = 0.0
        for count, (own, others) in enumerate(pairs, 1):
            loss, base = loss + own, base + others
            meter.write(records(outcome(float(count), loss / count, base / count, "mse")))
        edge = meter.markets[M].edge
        assert edge.kind == "mse"
        return edge.drift

    assert drift([(0.5, 0.7)] * 3_000) == pytest.approx(0.0, abs=1e-9)
    assert drift([(0.5, 0.7)] * 1_500 + [(0.9, 1.1)] * 1_500) == pytest.approx(0.0, abs=1e-9)
    assert drift([(0.5, 0.7)] * 1_500 + [(0.7, 0.7)] * 1_500) == pytest.approx(0.1, rel=0.02)


def test_processes_are_added_up_and_the_port_is_read_as_prometheus_reads_it(
    tmp_path: Path,
) -> None:
    exporter = Exporter("demo", settings=Settings(tmp_path))
    watch = Stopwatch()
    for seconds in (-1.0, 0.0004, 0.015, 1e9):
        watch.note(seconds)
    one = Gauges(
        {"tapedeck_flow_processes": {(): 1.0}}, {"tapedeck_snapshot_seconds": {(): watch.spread()}}
    )
    port = exporter.start()
    try:
        exporter.show(Status("running", 0, 0), [Far(gauges=one), Far(gauges=one)])
        text = urllib3.request("GET", f"http://127.0.0.1:{port}/metrics").data.decode()
        found = {
            (sample.name, sample.labels.get("le")): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }
        assert found["tapedeck_flow_processes", None] == 2
        buckets = [found["tapedeck_snapshot_seconds_bucket", str(bound)] for bound in BOUNDS]
        assert buckets == sorted(buckets)
        assert buckets[0] == 4
        assert found["tapedeck_snapshot_seconds_bucket", "+Inf"] == 8
        with pytest.raises(ReplayError, match=f"--metrics-port {port}: .*choose another"):
            Exporter("other", port, settings=Settings(tmp_path)).start()
    finally:
        exporter.close()


def test_people_are_told_of_refusals_and_of_the_executors_own_halts() -> None:
    refused = Report(M, 7, "a", "demo", "x", "expired", reason="too old", purpose="enter")
    assert notice(refused) == ("refused", "demo · okx:A/B: enter expired: too old")
    assert notice(Command(M, 7, "reduce", who="the executor: odd")) == (
        "halt", "okx:A/B: reduce, the executor: odd",
    )  # fmt: skip
    assert notice(Report(M, 7, "a", "demo", "x", "filled")) is None


def test_what_is_published_is_what_is_named_with_its_labels_and_nothing_else(
    tmp_path: Path,
) -> None:
    families = [*everything(tmp_path).collect()]
    names = {f"{f.name}_total" if f.type == "counter" else f.name for f in families}
    assert names == METRICS.keys()
    for family in families:
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert family.type == METRICS[name].kind
        for sample in family.samples:
            assert sample.labels.keys() - {"le"} == {"deployment", *METRICS[name].labels}


def test_each_metric_is_documented_as_it_is() -> None:
    text = (ROOT / "docs" / "monitoring.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(tapedeck_\w+)` \| (.*?) \|", text, re.MULTILINE))
    wanted = {
        name: ", ".join(f"`{one}`" for one in known.labels) for name, known in METRICS.items()
    }
    assert rows == wanted
    assert {*DEPLOYMENT, *FLOW} < rows.keys()


def expressions() -> Iterator[tuple[str, str]]:
    rules = yaml.safe_load((ROOT / "infra" / "prometheus" / "alerts.yml").read_text("utf-8"))
    for rule in rules["groups"][0]["rules"]:
        assert rule["annotations"].keys() == {"summary", "remedy"}
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        yield rule["alert"], rule["expr"]
        for text in rule["annotations"].values():
            for label in re.findall(r"\$labels\.(\w+)", text):
                yield rule["alert"], f"{rule['expr']} # {{{label}=''}}"
    board = json.loads((ROOT / "infra" / "grafana" / "tapedeck.json").read_text("utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                yield panel["title"], f"{target['expr']} # {{{label}=''}}"
    for variable in board["templating"]["list"][1:]:
        yield variable["name"], variable["query"]["query"]


def test_board_and_alerts_speak_of_metrics_and_labels_that_there_are() -> None:
    used = set()
    for where, text in expressions():
        names = re.findall(r"\btapedeck_\w+", text)
        known = {name: METRICS.get(name) or METRICS[_histogram(name)] for name in names}
        labels = {label for metric in known.values() for label in metric.labels} | CONSTANT
        selected = re.findall(r"[{,]\s*(\w+)\s*(?:=|!)", text)
        grouped = [one.split(", ") for one in re.findall(r"\bby \(([^)]*)\)", text)]
        for label in [*selected, *(name for names in grouped for name in names)]:
            assert label in labels, f"{where}: {text}: no label {label}"
        used |= {name if name in METRICS else _histogram(name) for name in names}
    assert len(used) > 50


def _histogram(name: str) -> str:
    base = re.sub(r"_(bucket|sum|count)$", "", name)
    assert METRICS.get(base) is not None, f"there is no metric {name}"
    assert METRICS[base].kind == "histogram", f"there is no metric {name}"
    return base


def test_nobody_listens_where_nobody_was_named() -> None:
    assert Notifier("demo", []).gauges() == Gauges()


def test_a_late_trade_is_counted_though_it_tells_no_more() -> None:
    meter = Meter("demo", "1f", kept=lambda: 0.0)
    meter.write(records(Late(M, 7, 5, 1.0, 1.0, 1, "x")))
    assert meter.counts[M].events["late"] == 1
