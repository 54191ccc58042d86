"""Buy the one-minute moving-average cross when a model that learns online agrees."""

from datetime import timedelta

from river import linear_model, optim, preprocessing

from operators import (
    Averages, Barriers, Costs, Moment, Prediction, Signal, Tape,
    averages, candles, entries, long, predict, quote, trade,
)  # fmt: skip
from operators.predict import Model

COSTS = Costs(fees_bps=2, slippage_bps=1, latency_ms=50)
BARRIERS = Barriers(stop_loss=0.002, take_profit=0.003, timeout=timedelta(minutes=30))
SIZE = quote(1_000)


def model() -> Model:
    """Return what learns whether a position opened here would pay; slowly, for outcomes overlap."""
    return preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.003))


def cross(now: Moment) -> Signal | None:
    """Long when the fast average crosses above the slow one, if the model agrees."""
    if now.before is None:
        return None
    was, sma = now.before.averages, now.averages
    if was.sma5 <= was.sma20 and sma.sma5 > sma.sma20 and now.odds > 0.5:
        return long(SIZE, reason="cross")
    return None


def strategy(tape: Tape) -> Tape:
    """Candles, their averages, the model's odds, the rule, and the trade."""
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, sma=(5, 20, 60))
    tape = predict("predict", tape, on=Averages, model=model, barriers=BARRIERS, size=SIZE)
    tape = entries("entries", tape, on=Prediction, rule=cross)
    return trade("trade", tape, barriers=BARRIERS)
