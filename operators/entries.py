"""Entries: ask the rule what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite
from typing import TypeAlias

from operators.guard import fault
from operators.moment import KINDS, Moment, Watch
from operators.operator import operator
from operators.tape import Tape, run
from schemas import Event, OrderKind, Signal

Rule: TypeAlias = Callable[[Moment], "Signal | None"]
"""What to do at a moment. It never sees the position: `trade` accepts, or refuses with why."""

_ACTIONS = ("long", "short", "exit", "reverse")
_UNITS = ("quote", "base")
_ORDER_KINDS = ("market", "limit", "post-only")


class Entries:
    """Ask the rule behind each event of one kind, and put its signal there.

    Parameters
    ----------
    on
        The kind of event: `Candle`, `Averages`, `Prediction` or `Value`.
    rule
        What to do. What it raises, or answers that is no signal, becomes a `Fault`.

    Examples
    --------
    >>> from operators.signals import long, quote
    >>> from schemas import Averages
    >>> machine = Entries(Averages, lambda now: long(quote(100)) if now.averages.sma2 > 7 else None)
    >>> [type(out).__name__ for out in machine(Averages("m", 0, {"sma2": 8.0}))]
    ['Averages', 'Signal']

    Notes
    -----
    State: at most 4 kB a market, the latest of each kind and the moment before.

    """

    shape = ("entries", 1)

    def __init__(self, on: type[Event], rule: Rule) -> None:
        if on not in KINDS:
            msg = f"on must be Candle, Averages, Prediction or Value, not {on!r}"
            raise ValueError(msg)
        self.on = on
        self.rule = rule
        self.reads = KINDS
        self.state = Watch()

    def __call__(self, event: Event) -> Iterable[Event]:
        """Return `event`, and behind it what the rule answers."""
        watch = self.state
        watch.see(event)
        if type(event) is not self.on:
            return (event,)
        now = watch.moment(event)
        try:
            answer = self.rule(now)
            return (event,) if answer is None else (event, _stamped(answer, now))
        except Exception as error:  # noqa: BLE001 - whatever the user's rule raises is the user's
            return (event, fault(now.market, now.ts, "rule", error))


def _stamped(answer: Signal, now: Moment) -> Signal:
    """Return a rule's answer as a signal of its moment, if it is one that can be obeyed."""
    if not isinstance(answer, Signal):
        msg = f"a rule answers with long(), short(), leave(), reverse() or None, not {answer!r}"
        raise TypeError(msg)
    if answer.action not in _ACTIONS:
        msg = f"action must be one of {', '.join(_ACTIONS)}, not {answer.action!r}"
        raise ValueError(msg)
    if answer.unit not in _UNITS:
        msg = f"unit must be {' or '.join(_UNITS)}, not {answer.unit!r}"
        raise ValueError(msg)
    if not isinstance(answer.reason, str):
        msg = f"a reason is a text, not {answer.reason!r}"
        raise TypeError(msg)
    if answer.action != "exit" and not (isfinite(answer.amount) and answer.amount > 0):
        msg = f"a size must be a finite number above 0, not {answer.amount}"
        raise ValueError(msg)
    amount = 0.0 if answer.action == "exit" else float(answer.amount)
    return Signal(
        now.market, now.ts, answer.action, amount, answer.unit, str(answer.reason),
        *_priced(answer),
    )  # fmt: skip


def _priced(answer: Signal) -> tuple[OrderKind, float | None, int]:
    """Return the kind, the limit and the time to rest of an answer, if they go together."""
    kind, limit = answer.kind, answer.limit
    if kind not in _ORDER_KINDS:
        msg = f"kind must be one of {', '.join(_ORDER_KINDS)}, not {kind!r}"
        raise ValueError(msg)
    if kind == "market" or answer.action == "exit":
        return "market", None, 0
    if limit is None or not (isfinite(limit) and limit > 0):
        msg = f"a {kind} order needs a limit, a price above 0, not {limit}"
        raise ValueError(msg)
    if answer.good_for < 0:
        msg = f"good_for must be 0 or more nanoseconds, not {answer.good_for}"
        raise ValueError(msg)
    return kind, float(limit), int(answer.good_for)


@operator
def entries(step_id: str, tape: Tape, on: type[Event], rule: Rule) -> Tape:
    """Add the rule's signals behind each event of the type `on`.

    Parameters
    ----------
    on
        `Candle`, `Averages`, `Prediction` or `Value`.
    rule
        A plain function of a `Moment`; it answers with a `Signal` or `None`.

    """
    return run("entries", tape, lambda: Entries(on, rule))
