"""Flows to begin with."""

from __future__ import annotations

PLAIN = '''\
"""NAME: buy when the fast average of the closes crosses above the slow one."""

from datetime import timedelta

from operators import (
    Averages, Barriers, Costs, Moment, Signal, Tape,
    averages, candles, entries, long, quote, trade,
)  # fmt: skip

# What an order pays on paper and in a replay, and how late it arrives.
COSTS = Costs(fees_bps=2, slippage_bps=1, latency_ms=50)
# When a position ends: at a loss, at a gain (parts of its entry price), or after a time.
BARRIERS = Barriers(stop_loss=0.002, take_profit=0.003, timeout=timedelta(minutes=30))
# What is bought, in the quote currency.
SIZE = quote(1_000)


def rule(now: Moment) -> Signal | None:
    """Long when the fast average crosses above the slow one.

    It sees what is on the tape and nothing else: no clock, no chance, no file, no variable of
    its own that lasts. `now.before` is the moment of its previous call.
    """
    if now.before is None:
        return None
    was, sma = now.before.averages, now.averages
    if was.sma5 <= was.sma20 and sma.sma5 > sma.sma20:
        return long(SIZE, reason="cross")
    return None


def strategy(tape: Tape) -> Tape:
    """Each step adds what it concludes right behind the event that caused it."""
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, sma=(5, 20))
    tape = entries("entries", tape, on=Averages, rule=rule)
    return trade("trade", tape, barriers=BARRIERS)
'''

LEARNED = '''\
"""NAME: buy the cross of two averages when a model that learns online agrees."""

from datetime import timedelta

from river import linear_model, optim, preprocessing

from operators import (
    Averages, Barriers, Costs, Moment, Prediction, Signal, Tape,
    averages, candles, entries, long, predict, quote, trade,
)  # fmt: skip
from operators.predict import Model

COSTS = Costs(fees_bps=2, slippage_bps=1, latency_ms=50)
# When a position ends, and each of the virtual ones that the model learns from.
BARRIERS = Barriers(stop_loss=0.002, take_profit=0.003, timeout=timedelta(minutes=30))
SIZE = quote(1_000)


def model() -> Model:
    """Return what each market learns with. A part that draws needs a seed: seed=1."""
    return preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.003))


def features(now: Moment) -> dict[str, float]:
    """Return what the model is shown, without a unit, so that it holds at any price."""
    sma, candle = now.averages, now.candle
    return {"fast": candle.close / sma.sma5 - 1, "slow": candle.close / sma.sma20 - 1}


def rule(now: Moment) -> Signal | None:
    """Long when the fast average crosses above the slow one, at better than even odds."""
    if now.before is None:
        return None
    was, sma = now.before.averages, now.averages
    if was.sma5 <= was.sma20 and sma.sma5 > sma.sma20 and now.odds > 0.5:
        return long(SIZE, reason="cross")
    return None


def strategy(tape: Tape) -> Tape:
    """Each step adds what it concludes right behind the event that caused it."""
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, sma=(5, 20))
    tape = predict("predict", tape, Averages, model, BARRIERS, features=features, size=SIZE)
    tape = entries("entries", tape, on=Prediction, rule=rule)
    return trade("trade", tape, barriers=BARRIERS)
'''
