"""Buy the one-minute moving-average cross, above the hour's average."""

from datetime import timedelta

from operators import (
    Averages, Barriers, Moment, Signal, Tape,
    averages, candles, entries, long, quote, trade,
)  # fmt: skip

BARRIERS = Barriers(stop_loss=0.002, take_profit=0.003, timeout=timedelta(minutes=30))


def cross(now: Moment) -> Signal | None:
    """Long when the fast average crosses above the slow one, with the close above the hour's."""
    if now.before is None:
        return None
    was, sma = now.before.averages, now.averages
    if was.sma5 <= was.sma20 and sma.sma5 > sma.sma20 and now.candle.close > sma.sma60:
        return long(quote(1_000), reason="cross")
    return None


def strategy(tape: Tape) -> Tape:
    """Candles, their averages, the rule, and the trade."""
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, sma=(5, 20, 60))
    tape = entries("entries", tape, on=Averages, rule=cross)
    return trade("trade", tape, barriers=BARRIERS)
