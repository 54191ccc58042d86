"""Buy when the fast average of the closes crosses above the slow one."""

from datetime import timedelta

from operators import (
    Averages, Barriers, CostLimit, Costs, Limits, Moment, Signal, Tape,
    averages, candles, entries, long, quote, trade,
)  # fmt: skip

# What an order pays on paper and in a replay, and how late it arrives.
COSTS = Costs(fees_bps=2, slippage_bps=1, latency_ms=50)
# When a position ends: at a loss, at a gain (parts of its entry price), or after a time.
BARRIERS = Barriers(stop_loss=0.002, take_profit=0.003, timeout=timedelta(minutes=30))
# What is bought, in the quote currency.
SIZE = quote(1_000)
# What an entry may cost by the book, fees included, and what it must keep within. The simulator
# makes few books, so old ones must do; those of an exchange should not be older than a second.
MAX_COST = CostLimit(bps=6)
LIMITS = Limits(max_order=5_000, max_book_age_ms=300_000)


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
    return trade("trade", tape, barriers=BARRIERS, max_cost=MAX_COST, limits=LIMITS)
