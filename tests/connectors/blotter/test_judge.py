"""Entries are judged right before they are sent; each refusal says why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.account.limits import AccountLimits
from connectors.executor.order_queue import Asked
from schemas import SECOND, Order
from tests.connectors.blotter_rig import ACCOUNT, FLOW, PERPETUAL, RUN, SPOT, Rig


@contextmanager
def trading(market: str = SPOT, limits: AccountLimits | None = None) -> Iterator[Rig]:
    with closing(Rig(market, limits=limits)) as rig:
        rig.exchange.share = Decimal(1)
        yield rig.ready()


def last(rig: Rig) -> tuple[str, str]:
    return rig.reports[-1].status, rig.reports[-1].reason


def other(rig: Rig, flow: str, run: str, side: str = "buy") -> None:
    """Let another flow, or another run, ask for an entry."""
    rig.hand_over(
        Asked(ACCOUNT, flow, run, Order(
            rig.market, rig.now, 1, 1, "enter", side, Decimal(1), "",  # type: ignore[arg-type]
        ))
    )  # fmt: skip


def test_an_entry_whose_cause_is_too_old_expires_and_an_exit_goes() -> None:
    with trading() as rig:
        rig.ask("enter", "buy", ts=rig.now - 3 * SECOND)
        assert last(rig) == ("expired", "its cause is 3.0 s old, 2 s at most")
        rig.ask("enter", "buy")
        rig.work()
        rig.ask("exit", ts=rig.now - 60 * SECOND)
        rig.work()
        assert last(rig) == ("closed", "as asked")


def test_no_entry_goes_where_entries_have_ended() -> None:
    with trading() as rig:
        rig.tell("reduce")
        rig.ask("enter", "buy")
        assert last(rig) == ("rejected", "reducing: reduce by me")
        rig.tell("resume")
        rig.ask("enter", "buy")
        assert last(rig)[0] == "sent"


def test_two_runs_of_a_flow_are_not_in_one_market() -> None:
    with trading() as rig:
        rig.ask("enter", "buy")
        rig.work()
        other(rig, FLOW, "2e")
        assert last(rig) == ("rejected", f"run {RUN} of this flow has position 1 there")


def test_two_flows_are_not_on_two_sides_of_one_market() -> None:
    with trading(PERPETUAL) as rig:
        rig.ask("enter", "buy")
        rig.work()
        other(rig, "mean", "2e", "sell")
        why = "demo is long there, and the exchange would net the two"
        assert last(rig) == ("rejected", why)
        other(rig, "trend", "2e", "buy")
        assert last(rig)[0] == "sent"


def test_what_is_not_held_is_not_sold_on_a_spot_market() -> None:
    with trading() as rig:
        rig.ask("enter", "sell")
        assert last(rig) == ("rejected", "what is not held cannot be sold on a spot market")


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (AccountLimits(max_positions=1), "1 position is open, and 1 is the limit"),
        (AccountLimits(orders_a_minute=1), "1 orders within a minute, and 1 is the limit"),
        (
            AccountLimits(exposure=Decimal(150)),
            "it would be 200.00 USDT in all, and 150 is the limit",
        ),
    ],
)
def test_the_account_has_limits(limits: AccountLimits, why: str) -> None:
    with trading(limits=limits) as rig:
        rig.ask("enter", "buy", kind="limit", price=Decimal(100), amount=Decimal("1.00"))
        rig.work()
        order = replace(rig.asks[0].order, position=7, order=7)
        rig.hand_over(Asked(ACCOUNT, "other", "2e", order))
        assert last(rig) == ("rejected", why)


def test_orders_of_a_minute_are_counted_over_a_restart() -> None:
    with trading(limits=AccountLimits(orders_a_minute=1)) as rig:
        rig.ask("enter", "buy")
        rig.work()
        rig.crash()
        rig.work()
        order = replace(rig.asks[0].order, position=7, order=7)
        rig.hand_over(Asked(ACCOUNT, "other", "2e", order))
        assert last(rig)[0] == "rejected"
        rig.tick(61)
        rig.hand_over(Asked(ACCOUNT, "third", "2e", replace(order, ts=rig.now)))
        assert last(rig)[0] == "sent"


def test_exposure_is_the_sum_of_all_that_is_held_and_asked_for() -> None:
    with trading(limits=AccountLimits(exposure=Decimal(350))) as rig:
        rig.ask("enter", "buy", expected=Decimal(100))
        rig.work()
        order = replace(rig.asks[0].order, kind="limit", price=Decimal(100))
        for flow in ("two", "three", "four"):
            rig.hand_over(Asked(ACCOUNT, flow, RUN, order))
            rig.work()
        assert last(rig) == ("rejected", "it would be 400 USDT in all, and 350 is the limit")
