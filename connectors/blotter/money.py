"""What an account makes and loses, by its fills and by funding; and when that ends its entries."""

from __future__ import annotations

from decimal import Decimal

from connectors.account.limits import AccountLimits
from connectors.account.orders import Deal
from connectors.blotter import reports as blotter_reports
from connectors.blotter.modes import Mode, Scope
from connectors.blotter.pages import Case, Pages
from connectors.blotter.position import currencies, spot
from connectors.exact import add, less, part, times
from schemas import Time

_ALL = Scope("", "")


class Money:
    """Counts what was made, in each quote currency by itself.

    Parameters
    ----------
    pages
        Keep it.
    limits
        Say how much may be lost.

    """

    def __init__(self, pages: Pages, limits: AccountLimits) -> None:
        self.pages, self.limits = pages, limits

    def earn(self, deal: Deal, made: Decimal, now: Time) -> None:
        """Note what a fill made, for a contract of 1, and what it cost."""
        base, quote = currencies(deal.market)
        instrument = self.pages.instruments.get(deal.market)
        made = times(made, Decimal(1) if instrument is None else instrument.contract_size)
        if deal.fee_currency == quote:
            made = less(made, deal.fee)
        elif deal.fee_currency == base and spot(deal.market):
            made = less(made, times(deal.fee, deal.price))
        self._count(quote, made, now)

    def fund(self, cases: list[Case], amount: Decimal, currency: str, now: Time) -> None:
        """Give each position its part of a payment; the last one gets what is left of it."""
        whole, left = add(*(case.holding.held for case in cases)), amount
        for case in cases:
            share = left
            if case is not cases[-1]:
                share = part(times(amount, case.holding.held), whole)
            left = less(left, share)
            account = self.pages.account
            self.pages.tell(blotter_reports.funding(account, case.holding, share, currency, now))
        self._count(currency, amount, now)

    def forgive(self) -> None:
        """Count from here on: a person has looked at it."""
        for result in self.pages.results.values():
            result.forgive()
            self.pages.outbox.put_result(result)

    def _count(self, quote: str, made: Decimal, now: Time) -> None:
        """Note what was made; if too much is lost, entries end for the whole account."""
        result = self.pages.result(quote)
        result.add(made, now)
        self.pages.outbox.put_result(result)
        lost = self.limits.lost(result)
        if lost is not None and self.pages.modes.of(*_ALL).mode == "active":
            self.pages.switch(_ALL, Mode("reducing", lost))
