"""Let a model learn online what a position opened now would make, and enter at good odds."""

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
    """Return what each market learns with; a part that draws needs a seed, such as seed=1."""
    return preprocessing.StandardScaler() | linear_model.LogisticRegression(optim.SGD(0.003))


def features(now: Moment) -> dict[str, float]:
    """Return what the model is shown: numbers without a unit, so that they hold at any price."""
    candle, sma = now.candle, now.averages
    return {
        "fast": candle.close / sma.sma5 - 1,
        "slow": candle.close / sma.sma20 - 1,
        "bought": candle.buy_volume / candle.volume if candle.volume else 0.5,
    }


def rule(now: Moment) -> Signal | None:
    """Long when the model gives a position opened now better than even odds to pay."""
    return long(SIZE, reason=f"odds {now.odds:.2f}") if now.odds > 0.55 else None


def strategy(tape: Tape) -> Tape:
    """Behind each candle's averages stand the model's odds, and behind those the rule's signal."""
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, sma=(5, 20))
    tape = predict("predict", tape, Averages, model, BARRIERS, features=features, size=SIZE)
    tape = entries("entries", tape, on=Prediction, rule=rule)
    return trade("trade", tape, barriers=BARRIERS)
