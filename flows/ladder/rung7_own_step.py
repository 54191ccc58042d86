"""Write a step of one's own: the share of buyers in the last candles."""

from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from math import fsum

from operators import (
    Barriers, Candle, Costs, Moment, Signal, Tape, Value,
    candles, entries, long, quote, trade,
)  # fmt: skip
from operators.tape import run
from schemas import Event

COSTS = Costs(fees_bps=2, slippage_bps=1, latency_ms=50)
BARRIERS = Barriers(stop_loss=0.002, take_profit=0.003, timeout=timedelta(minutes=30))


class Buyers:
    """Put the buyers' share of the volume of the last `window` candles behind each candle.

    All that changes stands in `state`, and pickles: a run goes on from it after a crash. What
    its form depends on stands in `shape`: a state of another window is refused.
    """

    reads: frozenset[type[Event]] = frozenset({Candle})

    def __init__(self, window: int) -> None:
        self.state: deque[Candle] = deque(maxlen=window)
        self.shape = ("buyers", 1, window)

    def __call__(self, event: Event) -> Iterator[Event]:
        """Yield the candle, and behind it the share."""
        yield event
        if isinstance(event, Candle):
            self.state.append(event)
            bought = fsum(candle.buy_volume for candle in self.state)
            volume = fsum(candle.volume for candle in self.state)
            yield Value(event.market, event.ts, "buyers", bought / volume if volume else 0.5)


def rule(now: Moment) -> Signal | None:
    """Long when nearly all that was traded was bought."""
    return long(quote(1_000), reason="buyers") if now.values["buyers"] > 0.8 else None


def strategy(tape: Tape) -> Tape:
    """Let a `Buyers` of its own read each market's tape."""
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = run("buyers", tape, lambda: Buyers(window=10))
    tape = entries("entries", tape, on=Value, rule=rule)
    return trade("trade", tape, barriers=BARRIERS)
