"""A small run in a real history, and a server of the page in front of it."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from connectors.simulated.simulate import simulate
from infra.history.history import History
from infra.page.house import House
from infra.page.keys import Keys
from infra.page.rate import Rate
from infra.page.serving import Serving, listening
from infra.running.replay import replay
from infra.running.sources import Files
from infra.running.worker import Job
from operators import Costs
from schemas import Reject
from schemas.tables import outside_block

TOKEN = "the-token-that-opens-the-page-of-these-tests"
MARKETS = ("page:BTC/USDT", "page:ETH/USDT")
"""Of no other test: history is shared."""
PAYLOAD = "<img src=x onerror=alert(1)>\x00\x1b'); DROP TABLE candles; --"
FLOW = '''
"""Goes long every few minutes; learns."""
from datetime import timedelta
from river import linear_model, optim, preprocessing
from operators import *
BARRIERS = Barriers(stop_loss=0.002, take_profit=0.003, timeout=timedelta(minutes=9))
def model():
    return preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.003))
def rule(now):
    turn = now.candle.start // 60_000_000_000 % 11
    wants = {0: long(quote(1_000), "up"), 1: long(quote(1_000), "more"), 7: leave("enough")}
    return wants.get(turn)
def strategy(tape):
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, sma=(2, 3))
    tape = predict("predict", tape, on=Averages, model=model, barriers=BARRIERS, size=quote(1_000))
    tape = entries("entries", tape, on=Prediction, rule=rule)
    return trade("trade", tape, barriers=BARRIERS)
'''

Told = dict[str, Any]


class Kept(NamedTuple):
    """A run, and what it told, each market's events in their order."""

    run: str
    markets: dict[str, list[Told]]
    history: History

    def of(self, market: str, kind: str) -> list[Told]:
        return [event for event in self.markets[market] if event["type"] == kind]


def keep(history: History, home: Path, days: float = 0.2) -> Kept:
    """Replay a simulated morning into history; and keep a reject as a feed finds it."""
    flow, data, events = home / "kept.py", home / "sim.parquet", home / "events.jsonl"
    flow.write_text(FLOW)
    simulate(data, list(MARKETS), days, seed=4, signal=1.0)
    job = Job(flow, Files((data,)), costs=Costs(2, 1, 50), settings=history.settings)
    done = replay(job, None, events, lambda _: None)
    markets: dict[str, list[Told]] = defaultdict(list)
    for line in events.read_bytes().splitlines():
        event = json.loads(line)
        markets[event["market"]].append(event)
    reject = Reject(MARKETS[0], markets[MARKETS[0]][-1]["ts"], "no <b>JSON</b>", PAYLOAD)
    with history.client("writer") as writer:
        writer.insert_arrow("rejects", pa.Table.from_batches([outside_block(Reject, [reject])]))
    return Kept(done.run, dict(markets), history)


@contextmanager
def serving(history: History, *, read_only: bool = False, port: int = 0) -> Iterator[Serving]:
    """Serve the page of a home, as many requests a second as may come."""
    house = House(history.settings, Keys(TOKEN), read_only=read_only)
    server = Serving(house, listening(port))
    server.gate.known = server.gate.strangers = Rate(10**6, 10.0**6)
    thread = threading.Thread(target=server.serve_all)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()
