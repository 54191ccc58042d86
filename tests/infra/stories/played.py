"""A run that was played into history, and what it told, as plain values."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from infra.history.history import History
from infra.running.replay import replay
from infra.running.sources import Files
from infra.running.worker import Job
from infra.verify.which import Run, which
from operators import Costs

FLOW = '''
"""Wants something every few minutes: long, short, refused, left and reversed."""
from datetime import timedelta
from river import linear_model, optim, preprocessing
from operators import *
COSTS = Costs(fees_bps=2, slippage_bps=1, latency_ms=50)
BARRIERS = Barriers(stop_loss=0.002, take_profit=0.003, timeout=timedelta(minutes=30), trailing_stop=0.004)
def model():
    return preprocessing.StandardScaler() | MODEL
def rule(now):
    turn = now.candle.start // 60_000_000_000 % 41
    wants = {0: long(quote(1_000), "up"), 3: long(quote(1_000)), 7: leave(), 11: leave("enough"),
             12: short(quote(900), "down"), 15: reverse(quote(800), "turn"),
             17: reverse(quote(700)), 30: long(quote(0.0001), "little")}
    return wants.get(turn) if WANTS else None
def strategy(tape):
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, sma=(2, 3))
    if LEARNS:
        tape = predict("predict", tape, on=Averages, model=model, barriers=BARRIERS, size=quote(1_000))
    tape = entries("entries", tape, on=Averages, rule=rule)
    return trade("trade", tape, barriers=BARRIERS)
'''  # noqa: E501 - a flow's own text

CLASSIFIES = "linear_model.LogisticRegression(optim.SGD(0.003))"
REGRESSES = "linear_model.LinearRegression(optim.SGD(0.001))"

Told = dict[str, Any]


class Played(NamedTuple):
    """A run, and what it told, each market's events in their order."""

    run: Run
    markets: dict[str, list[Told]]
    history: History

    def of(self, kind: str, market: str | None = None) -> list[Told]:
        """Return the events of a kind."""
        return [
            event
            for name, tape in self.markets.items()
            for event in tape
            if event["type"] == kind and market in (None, name)
        ]

    @property
    def home(self) -> Path:
        """Where its history is."""
        return self.history.settings.home


def play(
    history: History,
    place: Path,
    data: Path,
    *,
    model: str = CLASSIFIES,
    learns: bool = True,
    wants: bool = True,
    until: str = "",
    market: str | None = None,
) -> Played:
    """Play a recording through the flow, with or without a model and wishes."""
    flow, events = place / "told.py", place / "events.jsonl"
    text = FLOW.replace("MODEL", model).replace("LEARNS", str(learns))
    flow.write_text(text.replace("WANTS", str(wants)))
    job = Job(
        flow, Files((data,), market), until=until, costs=Costs(2, 1, 50), settings=history.settings
    )
    report = replay(job, None, events, lambda _: None)
    markets: dict[str, list[Told]] = defaultdict(list)
    for line in events.read_bytes().splitlines():
        event = json.loads(line)
        markets[event["market"]].append(event)
    with history.client("reader") as client:
        return Played(which(report.run, client, history.settings.home), dict(markets), history)
