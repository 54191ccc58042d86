"""Make a candle of each minute's trades."""

from datetime import timedelta

from operators import Tape, candles


def strategy(tape: Tape) -> Tape:
    """Take a market's tape, and return it with candles on it."""
    return candles("candles", tape, every=timedelta(minutes=1))
