"""Free-running: how far a live run is from paper on the log that it left.

`python -m tests.infra.free_running WIRE [SECONDS]` plays a recorded wire at its own speed to real
processes: ingest, a flow that trades, an executor. Then the same flow reads the same log on paper.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

import numpy as np

from infra.history.history import History
from infra.log.log import MarketLog, OrderQueue
from infra.settings import Settings
from tests.infra.rig import Rig
from tests.infra.trading_rig import Seen, count, kept
from tests.standin.account import KEY, SECRET, Account
from tests.standin.binance import BinanceStandIn
from tests.standin.capture import Capture

MARKET = "binance:BTC/USDT:USDT"
LATENCY_MS, FEES_BPS = 50, 5
_Position: TypeAlias = "dict[str, object]"
FLOW = '''
"""Enter at every second, the way the last one went."""

from datetime import timedelta

from operators import Barriers, Moment, Signal, Tape, base, candles, entries, long, trade
from operators.signals import short
from schemas import Candle

BARRIERS = Barriers(stop_loss=0.0002, take_profit=0.0002, timeout=timedelta(seconds=3))


def often(now: Moment) -> Signal | None:
    return long(base(0.1)) if now.candle.close >= now.candle.open else short(base(0.1))


def strategy(tape: Tape) -> Tape:
    tape = candles("candles", tape, every=timedelta(seconds=1))
    tape = entries("entries", tape, on=Candle, rule=often)
    return trade("trade", tape, barriers=BARRIERS)
'''
_KEYS = {
    "TAPEDECK_ACCOUNT_MAIN_EXCHANGE": "binance",
    "TAPEDECK_ACCOUNT_MAIN_KEY": KEY,
    "TAPEDECK_ACCOUNT_MAIN_SECRET": SECRET,
}


def free_running(capture: Capture, seconds: float, home: Path) -> tuple[Seen, Seen]:
    """Return the events of a live run, and those on paper of the log that it left."""
    (home / "often.py").write_text(FLOW)
    settings, store = Settings(home), home / "trading" / "often-sandbox-main"
    with ExitStack() as held:
        exchange = BinanceStandIn([capture], speed=1.0, accounts=[Account()])
        held.enter_context(exchange)
        exchange.trouble.clock(time.time_ns() // 1_000_000 - exchange.now())
        exchange.play()
        for part in (MarketLog, OrderQueue, History):
            held.callback(part(settings).stop)
        rig = Rig(home, {"EXCHANGE_URLS": f"binance={exchange.url}", **_KEYS})
        where = ("--broker", "sandbox", "--account", "main", "--no-history")
        for command in (
            ("ingest", "--markets", MARKET, "--no-history"),
            ("executor", "--account", "main"),
            ("trade", "often.py", *where, "--events", str(home / "live.jsonl")),
        ):
            held.enter_context(_running(rig, *command))
        _wait(lambda: count(store, "Closed") > 0, 45)
        time.sleep(seconds)  # it is played as long as that
        live = kept(store)
        rig.deck(
            "replay", "often.py", "--from-log", "--no-history", "--events", home / "paper.jsonl",
            "--fees", str(FEES_BPS), "--latency", str(LATENCY_MS),
        )  # fmt: skip
    return live, [json.loads(line) for line in (home / "paper.jsonl").open()]


@contextmanager
def _running(rig: Rig, *command: str) -> Iterator[None]:
    with rig.started(*command) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            said = process.communicate()
            if process.returncode:
                print(*command, *said, sep="\n", file=sys.stderr)  # noqa: T201 - a script


def _wait(seen: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not seen():
        if time.monotonic() > end:
            raise TimeoutError(f"no position was closed within {seconds:g} s")
        time.sleep(0.1)


def table(live: Seen, paper: Seen) -> str:
    """Return what differs between the positions that both had, in three percentiles."""
    ours, theirs = _positions(live), _positions(paper)
    first, last = min(ours), max(ours)
    theirs = {ts: position for ts, position in theirs.items() if first <= ts <= last}
    both = sorted(ours.keys() & theirs.keys())
    lines = [
        f"positions: {len(both)} in both, {len(ours) - len(both)} live only, "
        f"{len(theirs) - len(both)} on paper only; "
        f"{sum(ours[ts]['why'] == theirs[ts]['why'] for ts in both)} left for the same reason",
        f"{'live against paper':22}{'p5':>10}{'p50':>10}{'p95':>10}",
    ]
    for name, of in _MEASURES.items():
        found = [of(ours[ts], theirs[ts]) for ts in both]
        row: list[float] = np.percentile(found, [5, 50, 95]).tolist() if found else []
        lines.append(f"{name:22}" + "".join(f"{value:10.3f}" for value in row))
    return "\n".join(lines)


def _worse(ours: _Position, theirs: _Position, price: str, sign: int) -> float:
    """Return by how many basis points live paid more, or got less, than paper."""
    long = 1 if theirs["side"] == "long" else -1
    ratio = Decimal(str(ours[price])) / Decimal(str(theirs[price]))
    return float((ratio - 1) * 10_000) * sign * long


def _later(ours: _Position, theirs: _Position, time: str) -> float:
    return (int(str(ours[time])) - int(str(theirs[time]))) / 1e6


_MEASURES: dict[str, Callable[[_Position, _Position], float]] = {
    "entry worse by, bps": lambda a, b: _worse(a, b, "entry", 1),
    "exit worse by, bps": lambda a, b: _worse(a, b, "exit", -1),
    "entry later by, ms": lambda a, b: _later(a, b, "opened_ts"),
    "exit later by, ms": lambda a, b: _later(a, b, "ts"),
    "PnL more by, USDT": lambda a, b: float(str(a["pnl"])) - float(str(b["pnl"])),
}


def _positions(events: Seen) -> dict[int, _Position]:
    """Return what became of positions, by the tape time of the order that began them."""
    entered = {
        e["position"]: e["ts"] for e in events if e["type"] == "Order" and e["action"] == "enter"
    }
    return {entered[e["position"]]: e for e in events if e["type"] == "Closed"}


if __name__ == "__main__":
    wire, *rest = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        found = free_running(Capture.read(Path(wire)), float([*rest, "60"][0]), Path(directory))
    print(table(*found))  # noqa: T201 - a script
