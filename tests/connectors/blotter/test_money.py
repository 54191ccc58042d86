"""What an account made: by its fills and its funding, whatever the fees were taken in."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from decimal import Decimal

from connectors.account.limits import AccountLimits
from connectors.exact import add
from connectors.executor.order_queue import Asked
from tests.connectors.blotter_rig import ACCOUNT, PERPETUAL, RUN, Rig


def test_too_much_lost_ends_the_entries_until_a_person_has_looked() -> None:
    limits = AccountLimits(daily_loss=Decimal(10))
    with closing(Rig(limits=limits)) as rig:
        rig.exchange.share = Decimal(1)
        rig.ready().ask("enter", "buy")
        rig.work()
        rig.exchange.price = Decimal(89)
        rig.ask("exit")
        rig.work()
        rig.ask("enter", "buy")
        why = "lost 11.189 USDT today, and 10 is the limit"
        assert rig.reports[-1].reason == f"reducing: {why}"
        rig.tell("resume")
        rig.ask("enter", "buy")
        assert rig.told()[-1] == ("sent", "enter")


def test_what_a_fee_took_of_the_coin_is_a_loss_too() -> None:
    with closing(Rig(fees="got")) as rig:
        rig.exchange.share = Decimal(1)
        rig.ready().ask("enter", "buy", amount=Decimal(10))
        rig.work()
        rig.ask("exit")
        rig.work()
        assert rig.outbox.results()[0].total == Decimal("-1.999")


def test_funding_is_told_once_and_divided_exactly() -> None:
    with closing(Rig(PERPETUAL)) as rig:
        rig.exchange.share = Decimal(1)
        rig.ready().ask("enter", "buy")
        rig.work()
        order = replace(rig.asks[0].order, position=7, amount=Decimal(2))
        rig.hand_over(Asked(ACCOUNT, "trend", RUN, order))
        rig.work()
        for _ in range(2):
            rig.take(rig.blotter.funded(PERPETUAL, "p1", Decimal("-0.7"), "USDT", rig.now))
        told = [report for report in rig.reports if report.status == "funding"]
        assert [(report.flow, report.position) for report in told] == [("demo", 1), ("trend", 7)]
        assert [report.fee_currency for report in told] == ["USDT", "USDT"]
        shares = [report.amount or Decimal(0) for report in told]
        assert add(*shares) == Decimal("-0.7")
        assert shares[0] == Decimal("-0.233333333333333333")
        assert rig.outbox.results()[0].total == Decimal("-1")
