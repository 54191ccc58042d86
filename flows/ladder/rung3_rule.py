"""Say when to buy: when the fast average crosses above the slow one."""

from datetime import timedelta

from operators import Averages, Moment, Signal, Tape, averages, candles, entries, long, quote


def rule(now: Moment) -> Signal | None:
    """Long at the cross; a rule sees what is on the tape, and the moment of its previous call."""
    if now.before is None:
        return None
    was, sma = now.before.averages, now.averages
    if was.sma5 <= was.sma20 and sma.sma5 > sma.sma20:
        return long(quote(1_000), reason="cross")
    return None


def strategy(tape: Tape) -> Tape:
    """Ask the rule behind each event of the kind `on`, here the averages."""
    tape = candles("candles", tape, every=timedelta(minutes=1))
    tape = averages("averages", tape, sma=(5, 20))
    return entries("entries", tape, on=Averages, rule=rule)
