"""What a rule may answer."""

from __future__ import annotations

import pytest

from operators.signals import Size, base, leave, long, quote, reverse, short
from schemas import Signal


@pytest.mark.parametrize(
    ("signal", "action", "amount", "unit"),
    [
        (long(quote(1_000), "up"), "long", 1_000, "quote"),
        (short(base(0.5), "down"), "short", 0.5, "base"),
        (reverse(base(2), "turn"), "reverse", 2, "base"),
        (leave("enough"), "exit", 0.0, "base"),
    ],
)
def test_a_signal_says_what_how_much_and_why(
    signal: Signal, action: str, amount: float, unit: str
) -> None:
    assert (signal.action, signal.amount, signal.unit) == (action, amount, unit)
    assert signal.reason in ("up", "down", "turn", "enough")


def test_a_signal_needs_no_reason() -> None:
    assert {s.reason for s in (long(quote(1)), short(quote(1)), reverse(quote(1)), leave())} == {""}


def test_a_size_has_a_unit() -> None:
    assert (quote(7), base(7)) == (Size(7, "quote"), Size(7, "base"))
