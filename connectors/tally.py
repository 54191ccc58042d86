"""The tally of a run: what it concluded and what it made, over all its resumes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Context, Decimal
from math import fsum
from time import perf_counter

from schemas import Closed, Fault, Numbers, Opened, Outcome, Refused, Reject
from schemas.tables import Record

_EXACT = Context(prec=76)
_TOLD = {Closed, Fault, Opened, Outcome, Refused, Reject}
"""What says more than that it was there."""
_FIGURES = re.compile(r"\d(?:[\d.,:eTZ+-]*[\dZ])?")


class ExactSum:
    """A sum of floats without any rounding (Shewchuk 1997), so that it can be cut and resumed.

    Examples
    --------
    >>> total = ExactSum()
    >>> for x in (1e16, 1.0, -1e16):
    ...     total.add(x)
    >>> fsum(total.partials)
    1.0

    """

    __slots__ = ("partials",)

    def __init__(self) -> None:
        self.partials: list[float] = []

    def add(self, x: float) -> None:
        """Add a number."""
        kept = []
        for y in self.partials:
            big, small = (x, y) if abs(x) >= abs(y) else (y, x)
            high = big + small
            low = small - (high - big)
            if low:
                kept.append(low)
            x = high
        self.partials = [*kept, x]


@dataclass(slots=True)
class MarketTally:
    """What one market concluded and made."""

    counts: Counter[str] = field(default_factory=Counter)
    """Events by the name of their type."""
    pnl: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    wins: int = 0
    returns: ExactSum = field(default_factory=ExactSum)
    metrics: Numbers = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    """Why something was refused, without its figures, and how often."""
    fault: str = ""
    """What the flow did wrong first, and where."""
    reject: str = ""
    """What could not be read first: where, and why."""
    held: bool = False
    """Whether a position is open."""

    def take(self, records: list[Record]) -> None:
        """Take records into account."""
        kinds = Counter([type(event) for _, event in records])
        for kind, count in kinds.items():
            self.counts[kind.__name__] += count
        if kinds.keys() & _TOLD:
            self._results(records)

    def _results(self, records: list[Record]) -> None:
        for _, event in records:
            if type(event) is Closed:
                self.pnl = _EXACT.add(self.pnl, event.pnl)
                self.fees = _EXACT.add(self.fees, event.fees)
                self.wins += event.pnl > 0
                self.returns.add(event.gross_return)
                self.held = False
            elif type(event) is Opened:
                self.held = True
            elif type(event) is Outcome:
                self.metrics = event.metrics
            elif type(event) is Refused:
                self.refusals[plain_reason(event.why)] += 1
            elif type(event) is Fault and not self.fault:
                self.fault = f"{event.error} ({event.traceback or event.where})"
            elif type(event) is Reject and not self.reject:
                self.reject = event.why


class Tally:
    """An outlet that counts, and takes the time: from opening the files to the last number.

    Parameters
    ----------
    opening
        Seconds that it took to open them.

    """

    def __init__(self, opening: float = 0.0) -> None:
        self.markets: dict[str, MarketTally] = {}
        self._before = opening
        """Seconds in front of this start, also of the snapshot that this was resumed from."""
        self._started: float | None = None
        """None before the start, and behind the end."""

    @property
    def seconds(self) -> float:
        """How long the run has taken so far, without what a crash made it do again."""
        running = 0.0 if self._started is None else perf_counter() - self._started
        return self._before + running

    def start(self) -> None:
        """Let the time run."""
        self._started = perf_counter()

    def resume(self, state: Mapping[str, object] | None) -> None:
        """Go on counting."""
        for market, kept in (state or {}).items():
            if isinstance(kept, MarketTally):
                self.markets[market] = _whole(kept)
            elif isinstance(kept, float):
                self._before += kept

    def write(self, records: list[Record]) -> None:
        """Count the records of one market."""
        market = records[0].event.market
        tally = self.markets.get(market)
        if tally is None:
            tally = self.markets[market] = MarketTally()
        tally.take(records)

    def snapshot(self) -> Mapping[str, object]:
        """Return the counts."""
        return {**self.markets, "": self.seconds}

    def close(self) -> None:
        """Stop the time."""
        self._before, self._started = self.seconds, None


def _whole(kept: MarketTally) -> MarketTally:
    """Return what was kept with all that a tally has now: an earlier Tapedeck kept less of it."""
    names = [one.name for one in fields(MarketTally) if hasattr(kept, one.name)]
    return MarketTally(**{name: getattr(kept, name) for name in names})


def total_return(markets: Mapping[str, MarketTally]) -> float:
    """Return the exactly rounded sum of all positions' returns, before fees."""
    return fsum(part for market in markets.values() for part in market.returns.partials)


def plain_reason(why: str) -> str:
    """Return a reason without its figures, so that those of one kind can be counted.

    Examples
    --------
    >>> plain_reason("the book is 1290.5 ms old, and at most 1000 are allowed")
    'the book is … ms old, and at most … are allowed'

    """
    return _FIGURES.sub("…", why)
