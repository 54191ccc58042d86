"""Put moving averages behind each candle."""

from datetime import timedelta

from operators import Tape, averages, candles


def strategy(tape: Tape) -> Tape:
    """Candles first: a step sees what the steps in front of it have put on the tape."""
    tape = candles("candles", tape, every=timedelta(minutes=1))
    return averages("averages", tape, sma=(5, 20), volatility=(60,))
