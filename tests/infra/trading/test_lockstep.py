"""Paper equals live, by the real parts: machines, log, executor, ccxt, sockets, a stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from operators import Barriers, Costs, Moment, base, long
from operators.signals import leave, reverse, short
from schemas import Candle, Closed, Event, Fill, Opened, Refused, Signal
from tests.infra.lockstep import EVERY, PULSE, Plan, Rule, on_paper, positions, traded
from tests.standin.capture import Capture

BOTH_WAYS = ("binance_usdm_btcusdt_20240808.gz", "binance:BTC/USDT:USDT")
UP_ONLY = ("binance_spot_btcusdt_20240808.gz", "binance:BTC/USDT")
COSTS = Costs(fees_bps=5, latency_ms=50)
NEAR = Barriers(stop_loss=0.0001, take_profit=0.0001, timeout=timedelta(seconds=2))
FAR = Barriers(stop_loss=0.05, take_profit=0.0001, timeout=timedelta(seconds=2))
"""Its stop, that rests at the exchange, is never hit."""


def restless(size: float, both: bool) -> Rule:
    """Return a rule that enters whenever it can, and now and then leaves or turns around."""

    def rule(now: Moment) -> Signal | None:
        if now.before is None or now.latest_candle is None or now.before.latest_candle is None:
            return None
        number = round(now.values.get(PULSE, 0)) // EVERY % 7
        if number == 6:
            return leave("enough")
        if number == 4 and both:
            return reverse(base(size))
        up = now.candle.close >= now.before.candle.close
        return long(base(size)) if up or not both else short(base(size))

    return rule


def run(
    wire: Path, tmp_path: Path, market: tuple[str, str], lines: int, plan: Plan, stops: bool = False
) -> tuple[list[Event], list[Event]]:
    """Return what was concluded live, and on paper of the same log."""
    capture = Capture.read(wire / market[0]).until(lines)
    live, log = asyncio.run(traded(capture, market[1], plan, tmp_path, stops))
    return live, on_paper(plan, log)


def whys(events: Iterable[Event]) -> set[str]:
    return {event.why for event in events if isinstance(event, Closed)}


@pytest.mark.parametrize(
    ("market", "size", "lines", "count"), [(BOTH_WAYS, 0.5, 8_000, 20), (UP_ONLY, 0.1, 5_000, 12)]
)
def test_positions_live_are_those_on_paper_to_the_last_bit(
    wire: Path, tmp_path: Path, market: tuple[str, str], size: float, lines: int, count: int
) -> None:
    plan = Plan(restless(size, both=market is BOTH_WAYS), NEAR, COSTS)
    live, paper = run(wire, tmp_path, market, lines, plan)
    assert positions(live) == positions(paper)
    assert sum(isinstance(event, Closed) for event in live) >= count
    assert whys(live) >= {"enough", "timeout"}
    assert len([e for e in live if isinstance(e, Fill)]) > 2 * len(positions(live))


def test_a_stop_that_rests_at_the_exchange_changes_no_position(wire: Path, tmp_path: Path) -> None:
    plan = Plan(restless(0.5, both=True), FAR, COSTS)
    live, paper = run(wire, tmp_path, BOTH_WAYS, 4_000, plan, stops=True)
    assert positions(live) == positions(paper)
    assert sum(isinstance(event, Closed) for event in live) >= 5


def test_positions_differ_only_behind_a_signal_at_the_event_of_a_fill(
    wire: Path, tmp_path: Path
) -> None:
    plan = Plan(restless(0.1, both=False), NEAR, COSTS, on=Candle)
    live, paper = run(wire, tmp_path, UP_ONLY, 3_000, plan)
    alike = zip(positions(live), positions(paper), strict=False)
    first = next(ours for ours, theirs in alike if ours != theirs)
    began = min(event.ts for event in first)
    refused = {e.ts for e in live if isinstance(e, Refused) and "already" in e.why}
    filled = {e.ts for e in paper if isinstance(e, (Opened, Closed))}
    assert [ts for ts in refused & filled if ts <= began]
