"""What a rule may answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from math import nan

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


@pytest.mark.parametrize("want", [long, short, reverse])
def test_an_entry_may_have_a_limit_that_rests_for_a_time(want: Callable[..., Signal]) -> None:
    plain = want(base(1))
    assert (plain.kind, plain.limit, plain.good_for) == ("market", None, 0)
    bid = want(base(1), "low", limit=99.5)
    assert (bid.kind, bid.limit, bid.good_for, bid.reason) == ("limit", 99.5, 0, "low")
    resting = want(base(1), limit=99.5, post_only=True, good_for=timedelta(seconds=1.5))
    assert (resting.kind, resting.good_for) == ("post-only", 1_500_000_000)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"post_only": True}, "post_only needs a limit, the price to rest at"),
        ({"good_for": timedelta(seconds=1)}, "good_for needs a limit, the price to rest at"),
        ({"limit": 0.0}, "a limit is a price above 0, not 0.0"),
        ({"limit": nan}, "a limit is a price above 0, not nan"),
        ({"limit": 1.0, "good_for": timedelta(0)}, "good_for must be above 0, not 0:00:00"),
    ],
)
def test_a_limit_that_is_none_is_refused(more: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        long(base(1), **more)  # type: ignore[arg-type]


def test_a_bare_number_is_no_size() -> None:
    with pytest.raises(TypeError, match=r"quote\(1_000\) or base\(0.1\), not 1000"):
        long(1000)  # type: ignore[arg-type]


def test_a_size_has_a_unit() -> None:
    assert (quote(7), base(7)) == (Size(7, "quote"), Size(7, "base"))
