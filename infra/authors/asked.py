"""Whether the rules of a flow are asked at all: of one that is not, a look can tell nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from infra.authors.found import Found
from operators.entries import Entries
from operators.tape import Tape
from schemas import Averages, Candle, Event, Prediction, Value

_MADE_BY = {Candle: "candles", Averages: "averages", Prediction: "predict"}


@contextmanager
def counted() -> Iterator[Counter[type[Event]]]:
    """Count how often rules are asked, by the kind of event behind which they are."""
    counts: Counter[type[Event]] = Counter()
    call = Entries.__call__

    def counting(self: Entries, event: Event) -> Iterable[Event]:
        counts[type(event)] += type(event) is self.on
        return call(self, event)

    Entries.__call__ = counting  # type: ignore[method-assign]
    try:
        yield counts
    finally:
        Entries.__call__ = call  # type: ignore[method-assign]


def looks(tape: Tape, counts: Counter[type[Event]], where: str) -> Iterator[Found]:
    """Say of each kind of event behind which a rule is to be asked whether it was.

    Parameters
    ----------
    tape
        What the flow makes of its tape.
    counts
        How often rules were asked.
    where
        The flow file.

    """
    machines = [make() for make in tape.machines]
    for on in dict.fromkeys(one.on for one in machines if isinstance(one, Entries)):
        kind, count = on.__name__, counts[on]
        if count:
            yield Found("asked", good=True, says=f"its rule is asked behind each {kind}: {count:,}")
        elif on is Value:  # they may come from outside: nobody tells any here
            says = "its rule was not asked, for nobody tells numbers on a simulated market"
            yield Found("asked", good=True, says=says)
        else:
            says = f"its rule was never asked: no {kind} stood on the tape in front of it"
            remedy = f"put {_MADE_BY[on]}(...) in front of it, or let it have more: --hours 48"
            yield Found("asked", False, says, where, remedy)
