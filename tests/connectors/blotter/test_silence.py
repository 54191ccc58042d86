"""A flow that was alive and is silent: its entries are called off, its positions held or sold."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from typing import Literal

import pytest

from connectors.blotter.rules import Rules
from tests.connectors.blotter_rig import Rig


@pytest.mark.parametrize("choice", ["hold", "flatten"])
@pytest.mark.parametrize("restarted", [False, True])
def test_the_entries_of_a_silent_flow_are_called_off(
    choice: Literal["hold", "flatten"], restarted: bool
) -> None:
    with closing(Rig(rules=Rules(on_silence=choice))) as rig:
        rig.ready().ask("enter", "buy", kind="limit", price=Decimal(100), stop=0.1)
        rig.work()
        rig.exchange.fill(rig.exchange.standing()[0], Decimal("0.5"))
        rig.work()
        if restarted:
            rig.crash()
        rig.tick(9)
        assert ("cancelled", "enter") not in rig.told()
        rig.exchange.share = Decimal(1)
        for _ in range(5):
            rig.tick(2)
            rig.work()
        told = next(r for r in rig.reports if (r.status, r.purpose) == ("cancelled", "enter"))
        assert told.reason.startswith("no sign of life from demo for 1")
        held = [case.holding.held for case in rig.cases()]
        assert held == ([Decimal("0.5")] if choice == "hold" else [])
        assert len(rig.exchange.standing()) == len(held)


def test_a_flow_that_is_alive_keeps_its_entry() -> None:
    with closing(Rig()) as rig:
        rig.ready().ask("enter", "buy", kind="limit", price=Decimal(90))
        for _ in range(20):
            rig.live()
            rig.tick(2)
            rig.work()
        assert len(rig.exchange.standing()) == 1


def test_a_flow_is_quiet_from_its_silence_to_its_next_sign_of_life() -> None:
    with closing(Rig(rules=Rules(on_silence="flatten"))) as rig:
        rig.ready().ask("enter", "buy", stop=0.1)
        rig.work()
        rig.tick(9)
        assert rig.blotter.quiet(rig.now) == set()
        rig.tick(2)
        assert rig.blotter.quiet(rig.now) == {"demo"}
        rig.work()
        assert rig.cases() == []
        assert rig.blotter.quiet(rig.now) == {"demo"}
        rig.live()
        assert rig.blotter.quiet(rig.now) == set()


def test_a_flow_that_has_nothing_open_may_be_silent() -> None:
    with closing(Rig()) as rig:
        rig.ready().live()
        rig.tick(20)
        assert rig.blotter.quiet(rig.now) == set()
