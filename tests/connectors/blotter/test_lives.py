"""Random life cycles against a model exchange: nothing doubled, lost, forgotten or unprotected.

`TAPEDECK_LIVES` is how many runs are tried; each leads through some positions.
"""

from __future__ import annotations

import os
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from connectors.blotter.rules import Rules
from connectors.exact import NOTHING, add, less, times
from schemas import SECOND, Aggressor
from tests.connectors.blotter_rig import PERPETUAL, SPOT, Rig

LIVES = int(os.environ.get("TAPEDECK_LIVES", "100"))
Steps: TypeAlias = list[tuple[str, int]]

FAULTS = ["", "", "", "", "", "lost before", "lost after", "hidden", "busy", "late", "crash"]
KINDS = ["act"] * 8 + ["hear"] * 5 + ["trade"] * 4 + ["tick"] * 3 + ["move"] * 2
RARE = ["leave", "cancel", "protect", "protect", "hand_over_again", "reconcile", "mishap"]
STEPS: st.SearchStrategy[Steps] = st.lists(
    st.tuples(st.sampled_from(KINDS + RARE), st.integers(0, 16)), min_size=4, max_size=25
)
ENDS = st.sampled_from(["exit", "exit", "exit", "close", "flatten", "halt", ""])


class Wish(NamedTuple):
    """An entry, and what goes wrong with the first that follows from it."""

    short: bool
    lots: int
    kind: str
    stop: float | None
    age: int
    share: Decimal
    faults: list[str]


WISHES = st.builds(
    Wish,
    st.booleans(),
    st.integers(4, 30),
    st.sampled_from(["market", "market", "limit"]),
    st.sampled_from([0.05, 0.05, 0.2, None]),
    st.sampled_from([0, 0, 0, 0, 0, 3]),
    st.sampled_from([Decimal(share) for share in ("1", "1", "1", "0.5", "0")]),
    st.lists(st.sampled_from(FAULTS), max_size=6),
)
ENDED = {"cancelled", "rejected", "expired"}
lived = [0]
"""How many positions were asked for in all."""


class Lives(RuleBasedStateMachine):
    """One flow, one market, and all that can go wrong."""

    rig: Rig

    @initialize(
        market=st.sampled_from([SPOT, PERPETUAL]),
        fees=st.sampled_from(["quote", "got", "third"]),
        flatten=st.booleans(),
        early=st.booleans(),
    )
    def begin(self, market: str, fees: str, flatten: bool, early: bool) -> None:
        self.rig = Rig(market, Rules(on_silence="flatten" if flatten else "hold"), fees=fees)
        if not early:
            self.rig.ready()
        self.silent = False

    @rule(wish=WISHES, held=STEPS, end=ENDS, leaving=STEPS, whole=st.booleans())
    def live(self, wish: Wish, held: Steps, end: str, leaving: Steps, whole: bool) -> None:
        """Lead a position from its entry to its end, or leave it while it is under way."""
        if not self.busy():
            self.enter(wish)
            self.work(wish.faults)
        self.go_on(held)
        if end == "exit" and self.rig.positions:
            self.rig.ask("exit")
        elif end:
            self.rig.tell(end)
            self.rig.tell("resume")
        self.go_on(leaving)
        if whole:
            self.silent = False
            self.rig.rest()
            self.check_books()
            assert not self.rig.unprotected()

    def go_on(self, steps: Steps) -> None:
        """Let things happen, one after the other."""
        for what, number in steps:
            getattr(self, what)(number)
            self.nothing_is_doubled_or_oversold()

    def enter(self, wish: Wish) -> None:
        rig = self.rig
        rig.exchange.share = wish.share
        side: Aggressor = "sell" if wish.short and rig.market == PERPETUAL else "buy"
        price = None if wish.kind == "market" else rig.exchange.price
        rig.ask(
            "enter", side, amount=Decimal(wish.lots) / 100, kind=wish.kind, price=price,
            stop=wish.stop, ts=rig.now - wish.age * SECOND,
        )  # fmt: skip
        lived[0] += 1

    def work(self, faults: list[str]) -> None:
        for fault in faults:
            if self.rig.todo:
                self.rig.act(fault)

    def act(self, number: int) -> None:
        self.work([FAULTS[number % len(FAULTS)]])

    def leave(self, number: int) -> None:
        if self.rig.positions and number % 2:
            self.rig.ask("exit")

    def cancel(self, number: int) -> None:
        if self.rig.positions and number % 3 == 0:
            self.rig.ask("cancel")

    def protect(self, number: int) -> None:
        """Let the flow move its stop, at times to where it triggers at once."""
        for case in self.rig.cases():
            away = Decimal(12 - number if case.holding.side == "long" else number - 12)
            if case.holding.position == self.rig.positions:
                self.rig.ask("protect", price=self.rig.exchange.price - away)

    def hand_over_again(self, number: int) -> None:
        """Let a flow that comes back hand over the same again."""
        for ask in self.rig.asks[-(number % 4) :]:
            self.rig.hand_over(ask)

    def hear(self, number: int) -> None:
        """Hear news: in order or not, once, twice or never."""
        news = self.rig.exchange.news
        if news and number == 0:
            news.pop(0)
        elif news:
            self.rig.hear(number % len(news) if number % 3 == 0 else 0, keep=number % 5 == 0)

    def trade(self, number: int) -> None:
        exchange = self.rig.exchange
        standing = [order for order in exchange.standing() if exchange.triggers(order)]
        if standing:
            order = standing[number % len(standing)]
            exchange.fill(order, order.left if number % 2 else Decimal(number + 1) / 100)

    def move(self, number: int) -> None:
        self.rig.exchange.price = max(self.rig.exchange.price + number - 8, Decimal(60))

    def tick(self, number: int) -> None:
        if not self.silent:
            self.rig.live()
        self.rig.tick((0.1, 0.5, 1, 6)[number % 4])
        for case in self.rig.cases():
            due = self.rig.now - case.holding.stop_at >= self.rig.rules.stop_every
            if due and case.slip("stop") is None:
                assert not self.rig.unprotected()

    def reconcile(self, number: int) -> None:
        if number % 2:
            self.rig.reconcile()

    def mishap(self, number: int) -> None:
        """Let something rare happen."""
        standing = self.rig.exchange.standing()
        if number < 5:
            self.rig.crash()
        elif number < 8:
            self.silent = not self.silent
        elif number < 12 and standing:  # the exchange ends it, or a person there
            self.rig.exchange.end(standing[0], "cancelled" if number % 2 else "expired")
        elif number >= 12:
            self.rig.tell(("halt", "reduce", "close", "flatten", "close")[(number - 12) % 5])
            self.rig.tell("resume")

    @invariant()
    def nothing_is_doubled_or_oversold(self) -> None:
        if hasattr(self, "rig"):
            assert not self.rig.exchange.wrong

    def teardown(self) -> None:
        if not hasattr(self, "rig"):
            return
        rig = self.rig
        try:
            rig.rest()
            self.check_books()
            assert not rig.unprotected()
            rig.tell("flatten")
            rig.rest()
            self.check_books()
            self.check_end()
        finally:
            rig.close()

    def busy(self) -> bool:
        """Whether the flow's last position is not over, as the flow is told."""
        rig = self.rig
        mine = [report for report in rig.reports if report.position == rig.positions]
        got = any(report.trade_id for report in mine)
        over = {"closed"} if got else {"closed"} | ENDED
        ends = any(
            report.status in over and report.purpose in {"", "enter", "exit"} for report in mine
        )
        return rig.positions > 0 and not ends

    def check_books(self) -> None:
        """See that exchange, blotter and reports say the same."""
        rig, exchange = self.rig, self.rig.exchange
        assert not exchange.wrong
        assert not any("another order" in report.reason for report in rig.reports)
        told = [report for report in rig.reports if report.trade_id]
        assert sorted(report.trade_id for report in told) == sorted(
            d.trade_id for d in exchange.deals
        )
        assert add(*(case.holding.signed for case in rig.cases())) + self.left() == exchange.held
        standing = {order.place.id for order in exchange.standing()}
        assert standing == {id_ for case in rig.cases() for id_ in case.slips}

    def check_end(self) -> None:
        """See that all is over, and that each coin is accounted for."""
        rig, exchange = self.rig, self.rig.exchange
        assert rig.cases() == []
        cash = NOTHING
        sides = {deal.trade_id: deal.side for deal in exchange.deals}
        for report in rig.reports:
            if report.trade_id and report.price and report.amount and report.fee is not None:
                worth = times(report.price, report.amount)
                cash = less(cash, worth if sides[report.trade_id] == "buy" else -worth)
                if report.fee_currency == "USDT":
                    cash = less(cash, report.fee)
        assert cash == exchange.cash
        made = {result.quote: result.total for result in rig.blotter._pages.results.values()}
        assert abs(exchange.held) < rig.instrument.lot * max(rig.positions, 1) or rig.market == SPOT
        numbers = [report.number for report in rig.reports]
        assert numbers == sorted(set(numbers))
        if not exchange.held:
            assert abs(made.get("USDT", NOTHING) - cash) < Decimal("1e-9")
        filled = {report.position for report in rig.reports if report.trade_id}
        assert filled <= {r.position for r in rig.reports if r.status == "closed"}

    def left(self) -> Decimal:
        """Return what was too little to sell, of positions that are over."""
        held: dict[int, Decimal] = {}
        live = {case.holding.position for case in self.rig.cases()}
        side = {
            ask.order.position: ask.order.side
            for ask in self.rig.asks
            if ask.order.action == "enter"
        }
        for report in self.rig.reports:
            if not report.trade_id or report.position in live or report.amount is None:
                continue
            entering = report.purpose == "enter"
            sign = 1 if (side[report.position] == "buy") == entering else -1
            held[report.position] = held.get(report.position, NOTHING) + sign * report.amount
            if report.fee_currency == "BTC" and report.fee is not None:
                held[report.position] -= report.fee
        return add(*held.values())


def test_life_cycles_with_all_that_can_go_wrong() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Lives,
        settings=settings(
            max_examples=LIVES, stateful_step_count=6, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    assert lived[0]
