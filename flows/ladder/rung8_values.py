"""Trade perpetuals of two exchanges: with the trend, and only where holding is not dear."""

from datetime import timedelta

from operators import (
    Averages, Barriers, Costs, Moment, Signal, Tape,
    averages, candles, entries, long, quote, short, trade,
)  # fmt: skip

MARKETS = ["binance:BTC/USDT:USDT", "okx:BTC/USDT:USDT"]
COSTS = Costs(fees_bps=5, maker_fee_bps=2, slippage_bps=1, latency_ms=50)
BARRIERS = Barriers(stop_loss=0.004, trailing_stop=0.006, timeout=timedelta(hours=4))
# The part of its worth that a position pays each time funding is due.
DEAR = 0.0003


def rule(now: Moment) -> Signal | None:
    """Follow a cross either way, unless funding is dear that way.

    Each market has a tape of its own, and a rule sees one: what it is to know of another stands on
    its tape as a value. A value that has not come yet is missing, so ask with `get`.
    """
    if now.before is None:
        return None
    funding = now.values.get("funding", 0.0)
    was, ema = now.before.averages, now.averages
    if was.ema20 <= was.ema60 and ema.ema20 > ema.ema60 and funding < DEAR:
        return long(quote(1_000), reason="up")
    if was.ema20 >= was.ema60 and ema.ema20 < ema.ema60 and funding > -DEAR:
        return short(quote(1_000), reason="down")
    return None


def strategy(tape: Tape) -> Tape:
    """Let each market have the same steps, whichever exchange it is of."""
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, ema=(20, 60))
    tape = entries("entries", tape, on=Averages, rule=rule)
    return trade("trade", tape, barriers=BARRIERS)
