"""Reconciling a market: what is at the exchange, against what the blotter knows."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from connectors.account.orders import Deal, Known
from connectors.blotter.actions import Cancel, FetchDeals, LookUp
from connectors.blotter.modes import Mode, Scope
from connectors.blotter.order import Slip
from connectors.blotter.pages import Case, Pages
from connectors.blotter.position import spot
from connectors.exact import NOTHING, add, less
from schemas import Command, Time

_GONE = 2
"""Exits in a row that got nothing, until it is believed that there is nothing to leave."""


class Look(NamedTuple):
    """What the exchange tells of a market, each part of it asked for and answered."""

    market: str
    orders: list[Known]
    """Those that are open."""
    deals: list[Deal]
    """The latest fills."""
    held: Decimal
    """The position of a perpetual in units of amount, below 0 if short; else the base balance."""


class Differences:
    """What is at the exchange and cannot be explained, by market; believed at a second look.

    Parameters
    ----------
    pages
        What is open.

    """

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.seen: dict[str, Decimal] = {}

    def look(self, market: str, held: Decimal, now: Time) -> None:
        """Compare what is held; the market takes no more entries if that does not fit."""
        if self._moving(market):
            return
        difference = self._difference(market, held)
        before = self.seen.pop(market, None)
        if not difference:
            return
        self.seen[market] = difference
        mode = self.pages.modes.of("", market)
        if difference == before and mode.mode == "active":
            there = "there" if spot(market) else "at the exchange"
            why = f"{held:f} is {there}, {difference:+f} of it cannot be explained"
            self.pages.switch(Scope("", market), Mode("reducing", why))
            self.pages.tell(Command(market, now, "reduce", who=f"the executor: {why}"))

    def accept(self, scope: Scope) -> None:
        """Take what cannot be explained for what is none of ours: a person has looked at it."""
        for market in [m for m in self.seen if scope.market in {"", m}]:
            difference = self.seen.pop(market)
            self.pages.rebase(market, add(self.pages.baseline(market), difference))

    def gone(self, market: str, held: Decimal) -> list[Case]:
        """Return the positions that cannot be left, as nothing of them is there."""
        there = less(held, self.pages.baseline(market))
        instrument = self.pages.instruments.get(market)
        little = instrument is not None and spot(market) and there < instrument.lot
        if self._moving(market) or (there and not little):
            return []
        cases = self.pages.of_market(market)
        return [case for case in cases if case.holding.failures >= _GONE and not case.slips]

    def _difference(self, market: str, held: Decimal) -> Decimal:
        ours = add(*(case.holding.signed for case in self.pages.of_market(market)))
        difference = less(held, self.pages.baseline(market), ours)
        # Of a currency there may be more: it is money, too.
        return min(difference, NOTHING) if spot(market) else difference

    def _moving(self, market: str) -> bool:
        """Tell whether an order is under way, so that what is held may change at any time."""
        return any(
            slip.ended or slip.status != "acknowledged" or _at_once(slip)
            for case in self.pages.of_market(market)
            for slip in case.slips.values()
        )


def compare_orders(pages: Pages, look: Look) -> list[Known]:
    """Return the open orders that are ours; what is not there is asked for."""
    ours = []
    missed = {
        slip.id: slip
        for case in pages.of_market(look.market)
        for slip in case.slips.values()
        if slip.status == "acknowledged"
    }
    for known in look.orders:
        found = pages.find(known.id, known.market, known.exchange_id)
        if found is not None:
            missed.pop(found[1].id, None)
            ours.append(known)
    pages.actions += [LookUp(id_, look.market) for id_ in missed]
    return ours


def call_off_ended(pages: Pages, slip: Slip, known: Known) -> None:
    """Call off what is open at the exchange though it has ended: an earlier try came late."""
    pages.actions.append(Cancel(slip.id, slip.market))
    pages.actions.append(FetchDeals(slip.market, slip.id, known.exchange_id))


def _at_once(slip: Slip) -> bool:
    return slip.kind == "market" and slip.stop_price is None
