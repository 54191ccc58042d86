"""An account's limits: each tells its figures, and none of them is on unless it was set."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.account.limits import AccountLimits, Result
from schemas import DAY

HUNDRED = Decimal(100)


@given(st.lists(st.decimals(-1000, 1000, places=2), min_size=1))
def test_a_drawdown_is_the_fall_from_the_peak(made: list[Decimal]) -> None:
    result, totals = Result("USDT"), [Decimal(0)]
    for number in made:
        result.add(number, now=0)
        totals.append(totals[-1] + number)
    assert result.drawdown == max(totals) - totals[-1]
    assert result.today == result.total == totals[-1]


def test_a_day_begins_at_midnight_utc() -> None:
    result = Result("USDT")
    result.add(Decimal(-60), now=DAY - 1)
    result.add(Decimal(-50), now=DAY)
    assert (result.today, result.total) == (Decimal(-50), Decimal(-110))
    assert AccountLimits(daily_loss=HUNDRED).lost(result) is None


def test_whoever_looked_at_it_counts_from_there_on() -> None:
    result, limits = Result("USDT"), AccountLimits(daily_loss=HUNDRED, drawdown=HUNDRED)
    result.add(Decimal(-100), now=0)
    assert limits.lost(result) == "lost 100 USDT today, and 100 is the limit"
    result.forgive()
    assert limits.lost(result) is None


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (AccountLimits(), None),
        (AccountLimits(max_positions=3), None),
        (AccountLimits(max_positions=2), "2 positions are open, and 2 is the limit"),
        (AccountLimits(orders_a_minute=5), "5 orders within a minute, and 5 is the limit"),
        (AccountLimits(exposure=Decimal(110)), None),
        (AccountLimits(exposure=Decimal(109)), "it would be 110 USDT in all, and 109 is the limit"),
    ],
)
def test_an_entry_that_breaks_a_limit_is_told_the_figures(
    limits: AccountLimits, why: str | None
) -> None:
    assert limits.refusal(2, 5, HUNDRED, Decimal(10), "USDT") == why


def test_an_exposure_that_nobody_can_tell_is_too_much() -> None:
    why = AccountLimits(exposure=HUNDRED).refusal(0, 0, Decimal(0), None, "USDT")
    assert why == "what it is worth cannot be told, and exposure has a limit"
