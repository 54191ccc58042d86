"""Whether an entry may be sent: judged right before it is."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from connectors.account.limits import AccountLimits
from connectors.blotter.order import Slip
from connectors.blotter.pages import Case, Pages
from connectors.blotter.position import currencies, spot
from connectors.blotter.rules import Rules
from connectors.exact import NOTHING, add, less, times
from schemas import SECOND, Time


class Verdict(NamedTuple):
    """How an entry ends without being sent: `rejected` or `expired`, and why."""

    status: str
    why: str


class Judge:
    """Judges entries.

    Parameters
    ----------
    pages
        What is open.
    rules
        How old a cause may be.
    limits
        The account's.

    """

    def __init__(self, pages: Pages, rules: Rules, limits: AccountLimits) -> None:
        self.pages, self.rules, self.limits = pages, rules, limits

    def verdict(self, case: Case, slip: Slip, now: Time) -> Verdict | None:
        """Return how an entry ends without being sent, if it may not be."""
        old = now - slip.cause
        if old > self.rules.max_age:
            most = self.rules.max_age / SECOND
            return Verdict("expired", f"its cause is {old / SECOND:.1f} s old, {most:g} s at most")
        mode = self.pages.modes.of(slip.flow, slip.market)
        if mode.mode != "active":
            return Verdict("rejected", f"{mode.mode}: {mode.why}")
        why = self._in_the_way(case) or self._breach(case, slip, now)
        return None if why is None else Verdict("rejected", why)

    def _in_the_way(self, case: Case) -> str | None:
        """Return which other position keeps this one from being opened, if one does."""
        mine = case.holding
        if mine.side == "short" and spot(mine.market):
            return "what is not held cannot be sold on a spot market"
        for other in self.pages.of_market(mine.market):
            theirs = other.holding
            if theirs.flow == mine.flow and theirs.run != mine.run:
                return f"run {theirs.run} of this flow has position {theirs.position} there"
            if other is not case and theirs.side != mine.side:
                return f"{theirs.flow} is {theirs.side} there, and the exchange would net the two"
        return None

    def _breach(self, case: Case, slip: Slip, now: Time) -> str | None:
        """Return which of the account's limits it would break, if any."""
        quote = currencies(slip.market)[1]
        result = self.pages.result(quote)
        result.turn(now)
        lost = self.limits.lost(result)
        if lost is not None:
            return lost
        others = [other for other in self.pages.cases.values() if other is not case]
        exposure = NOTHING
        for other in others:
            if currencies(other.holding.market)[1] == quote:
                exposure = add(exposure, self._held(other), self._asked(other) or NOTHING)
        return self.limits.refusal(
            len(others), self.pages.count(now), exposure, self._asked(case), quote
        )

    def _held(self, case: Case) -> Decimal:
        holding = case.holding
        return times(max(holding.held, NOTHING), holding.price, self._size(holding.market))

    def _asked(self, case: Case) -> Decimal | None:
        """Return what the open rest of an entry is worth, if that can be told."""
        slip = case.slip("enter")
        if slip is None or slip.ended:
            return NOTHING
        price = slip.price or slip.guess
        if price is None:
            return None
        return times(less(slip.amount, slip.filled), price, self._size(slip.market))

    def _size(self, market: str) -> Decimal:
        instrument = self.pages.instruments.get(market)
        return Decimal(1) if instrument is None else instrument.contract_size
