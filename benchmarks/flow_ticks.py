"""Job J with a model that learns, on candles of ten trades: the flow whose latency is measured."""

from datetime import timedelta

from river import linear_model, optim, preprocessing

from operators import (
    Averages,
    Barriers,
    Moment,
    Prediction,
    Signal,
    Tape,
    averages,
    candles,
    entries,
    long,
    predict,
    quote,
    trade,
)  # fmt: skip
from operators.predict import Model

BARRIERS = Barriers(stop_loss=0.002, take_profit=0.003, timeout=timedelta(minutes=30))
TICKS = 10
"""Every tenth trade of a market concludes something."""


def model() -> Model:
    """Return a small model."""
    return preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.003))


def cross(now: Moment) -> Signal | None:
    """Long when the fast average crosses above the slow one, if the model agrees."""
    if now.before is None:
        return None
    was, sma = now.before.averages, now.averages
    if was.sma5 <= was.sma20 and sma.sma5 > sma.sma20 and now.odds > 0.5:
        return long(quote(1_000), reason="cross")
    return None


def strategy(tape: Tape) -> Tape:
    """Candles, their averages, the model's odds, the rule, and the trade."""
    tape = candles("candles", tape, ticks=TICKS)
    tape = averages("averages", tape, sma=(5, 20, 60))
    tape = predict("predict", tape, on=Averages, model=model, barriers=BARRIERS, size=quote(1_000))
    tape = entries("entries", tape, on=Prediction, rule=cross)
    return trade("trade", tape, barriers=BARRIERS)
