"""Entries: the rule is asked behind each event of its kind, and nowhere else."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.entries import Entries, Rule
from operators.moment import Moment
from operators.signals import base, leave, long, quote, reverse, short
from schemas import SECOND, Averages, Candle, Event, Fault, Prediction, Signal, Trades, Value
from tests.desk import TIMED, TOLD, sessions
from tests.tapes import MARKET, START, canonical, chop, cuts, play

AVERAGES = Averages(MARKET, START, {"sma5": 7.0})


def asked(rule: Rule) -> list[Event]:
    return [out for out in play(lambda: Entries(Averages, rule), [AVERAGES]) if out is not AVERAGES]


def wanting(action: object, amount: object, unit: object = "quote", reason: object = "") -> Signal:
    return Signal("", 0, action, amount, unit, reason)  # type: ignore[arg-type]


@given(
    sessions((*TIMED, *TOLD, "averages", "value")),
    st.sampled_from([Averages, Value]),
    cuts(100),
    cuts(100),
)
def test_no_cut_and_no_restart_changes_when_the_rule_is_called(
    tape: list[Event], on: type[Event], cut: Container[int], restarts: Container[int]
) -> None:
    calls: list[tuple[int, int | None]] = []

    def rule(now: Moment) -> Signal:
        calls.append((now.ts, None if now.before is None else now.before.ts))
        return long(quote(len(calls)), f"call {len(calls)}")

    chopped = chop(tape, cut)
    out = play(lambda: Entries(on, rule), chopped, restarts)
    expected: list[Event] = []
    times = [
        event.ts for event in chopped if isinstance(event, (Averages, Value)) and type(event) is on
    ]
    for event in chopped:
        expected.append(event)
        if type(event) is on:
            count = sum(isinstance(e, Signal) and e.reason[:4] == "call" for e in expected) + 1
            want = Signal(MARKET, times[count - 1], "long", float(count), "quote", f"call {count}")
            expected.append(want)
    assert canonical(out) == canonical(expected)
    assert calls == list(zip(times, [None, *times], strict=False))


@pytest.mark.parametrize(
    ("answer", "signal"),
    [
        (long(quote(10)), Signal(MARKET, START, "long", 10.0, "quote", "")),
        (short(base(1), "down"), Signal(MARKET, START, "short", 1.0, "base", "down")),
        (reverse(base(1)), Signal(MARKET, START, "reverse", 1.0, "base", "")),
        (leave("enough"), Signal(MARKET, START, "exit", 0.0, "base", "enough")),
        (wanting("exit", "all", reason="x"), Signal(MARKET, START, "exit", 0.0, "quote", "x")),
        (
            long(quote(np.float64(10)), np.str_("x")),
            Signal(MARKET, START, "long", 10.0, "quote", "x"),
        ),
        (
            short(base(1), limit=np.float64(99.5), post_only=True, good_for=timedelta(seconds=1)),
            Signal(MARKET, START, "short", 1.0, "base", "", "post-only", 99.5, SECOND),
        ),
        (replace(leave(), kind="limit"), Signal(MARKET, START, "exit", 0.0, "base", "")),
    ],
)
def test_a_signal_is_stamped_with_its_cause(answer: Signal, signal: Signal) -> None:
    assert canonical(asked(lambda _: answer)) == canonical([signal])


def test_no_answer_is_no_signal() -> None:
    assert asked(lambda _: None) == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("long", "TypeError: a rule answers with long()"),
        (False, "TypeError: a rule answers with long()"),
        (wanting("buy", 1), "ValueError: action must be one of long, short, exit, reverse"),
        (wanting("long", 0), "ValueError: a size must be a finite number above 0, not 0"),
        (wanting("long", -1), "ValueError: a size must be a finite number above 0, not -1"),
        (wanting("short", float("nan")), "ValueError: a size must be a finite number above 0"),
        (wanting("reverse", float("inf")), "ValueError: a size must be a finite number above 0"),
        (wanting("long", "much"), "TypeError"),
        (wanting("long", None), "TypeError"),
        (wanting("long", 1, "dollars"), "ValueError: unit must be quote or base, not 'dollars'"),
        (wanting("long", 1, reason=5), "TypeError: a reason is a text, not 5"),
        (
            replace(long(base(1)), kind="stop"),  # type: ignore[arg-type]
            "ValueError: kind must be one of market, limit, post-only, not 'stop'",
        ),
        (
            replace(long(base(1)), kind="limit"),
            "ValueError: a limit order needs a limit, a price above 0, not None",
        ),
        (
            replace(long(base(1), limit=1.0), good_for=-1),
            "ValueError: good_for must be 0 or more nanoseconds, not -1",
        ),
    ],
)
def test_a_bad_answer_is_a_fault(answer: object, error: str) -> None:
    (fault,) = asked(lambda _: answer)  # type: ignore[arg-type,return-value]
    assert isinstance(fault, Fault)
    assert fault.where == "rule"
    assert fault.error[: len(error)] == error


def test_a_rule_that_raises_is_a_fault_and_is_asked_again() -> None:
    def rule(now: Moment) -> Signal | None:
        return long(quote(1 / (now.averages.sma5 - 7)))

    tape = [AVERAGES, Averages(MARKET, START, {"sma5": 8.0})]
    out = play(lambda: Entries(Averages, rule), tape)
    assert [type(event) for event in out] == [Averages, Fault, Averages, Signal]


def test_a_rule_that_asks_for_what_is_not_there_is_told_what_to_add() -> None:
    (fault,) = asked(lambda now: long(quote(now.prediction.odds or 1)))
    assert isinstance(fault, Fault)
    assert "is there a `predict` step in front of this one?" in fault.error


@pytest.mark.parametrize("on", [Candle, Averages, Prediction, Value])
def test_a_rule_may_wait_for_what_moments_are_made_of(on: type[Event]) -> None:
    Entries(on, lambda _: None)


def test_a_rule_cannot_wait_for_trades() -> None:
    with pytest.raises(ValueError, match="Trades"):
        Entries(Trades, lambda _: None)
