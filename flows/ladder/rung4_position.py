"""Trade the cross: one position at a time, watched on every tick."""

from datetime import timedelta

from operators import (
    Averages, Barriers, Moment, Scaled, Signal, Tape,
    averages, candles, entries, long, quote, trade,
)  # fmt: skip

# A stop of twice the hour's volatility, a gain of 0.3 %, and half an hour; whichever is first.
BARRIERS = Barriers(
    stop_loss=Scaled("volatility60", 2.0), take_profit=0.003, timeout=timedelta(minutes=30)
)


def rule(now: Moment) -> Signal | None:
    """Long when the fast average crosses above the slow one."""
    if now.before is None:
        return None
    was, sma = now.before.averages, now.averages
    if was.sma5 <= was.sma20 and sma.sma5 > sma.sma20:
        return long(quote(1_000), reason="cross")
    return None


def strategy(tape: Tape) -> Tape:
    """Signals become orders, fills, and positions; what is not done is refused, with why."""
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, sma=(5, 20), volatility=(60,))
    tape = entries("entries", tape, on=Averages, rule=rule)
    return trade("trade", tape, barriers=BARRIERS)
