"""The ledger of a position at an exchange: what its fills, fees and funding amount to."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from operators.currencies import currencies
from operators.life import Result
from operators.paper import (
    EXACT,
    Part,
    View,
    average_price,
    contract_size,
    finest,
    total,
    worth,
)
from schemas import Report

_NOTHING = Decimal(0)


class Fee(NamedTuple):
    """A fee, and the currency it was taken in; none is the quote currency."""

    amount: Decimal
    currency: str


def fee_of(report: Report) -> Fee:
    """Return the fee of a fill."""
    quote = currencies(report.market).quote
    currency = "" if report.fee_currency == quote else report.fee_currency
    return Fee(report.fee or _NOTHING, currency)


@dataclass(slots=True)
class Ledger:
    """What went in and came back, each fill once. It pickles."""

    entries: list[Part] = field(default_factory=list)
    exits: list[Part] = field(default_factory=list)
    lost: Decimal = _NOTHING
    """Fees that were taken from what is held: on spot markets, in the base currency."""
    funding: Decimal = _NOTHING
    others: dict[str, Decimal] = field(default_factory=dict)
    """Fees in other currencies, by currency."""
    deals: dict[str, None] = field(default_factory=dict)
    """The trade ids that are counted."""

    @property
    def entered(self) -> Decimal:
        """The amount entered."""
        return total([part.amount for part in self.entries])

    @property
    def held(self) -> Decimal:
        """The amount that is still there."""
        gone = total([self.lost, *(part.amount for part in self.exits)])
        return EXACT.subtract(self.entered, gone)

    @property
    def other_fees(self) -> str:
        """Fees in other currencies, written down."""
        return ", ".join(f"{fee:f} {name}" for name, fee in sorted(self.others.items()))

    def take(self, report: Report, entering: bool) -> bool:
        """Count a fill of the entry, or of an exit; tell whether it was new."""
        assert report.price is not None  # noqa: S101 - a fill has one
        assert report.amount is not None  # noqa: S101 - and the other
        if report.trade_id:
            if report.trade_id in self.deals:
                return False
            self.deals[report.trade_id] = None
        fee = fee_of(report)
        known = currencies(report.market)
        in_quote = _NOTHING if fee.currency else fee.amount
        if fee.currency == known.base and fee.currency and not known.derivative:
            self.lost = EXACT.add(self.lost, fee.amount)
        elif fee.currency and fee.amount:
            self.others[fee.currency] = EXACT.add(
                self.others.get(fee.currency, _NOTHING), fee.amount
            )
        part = Part(report.price, report.amount, in_quote)
        (self.entries if entering else self.exits).append(part)
        return True

    def result(self, sign: int, view: View) -> Result:
        """Return what a position that is over has made; what is left of it counts as it cost."""
        size = contract_size(view)
        cost = EXACT.multiply(worth(self.entries), size)
        back = EXACT.multiply(worth(self.exits), size)
        kept = finest(EXACT.divide(EXACT.multiply(cost, self.held), self.entered))
        fees = total([part.fee for part in (*self.entries, *self.exits)])
        made = EXACT.subtract(total([back, kept]), cost)
        pnl = EXACT.subtract(EXACT.multiply(made, Decimal(sign)), fees)
        pnl = EXACT.add(pnl, self.funding)
        entry = average_price(self.entries)
        exit_ = average_price(self.exits) if self.exits else entry
        gross = sign * (float(exit_) / float(entry) - 1)
        return Result(entry, exit_, fees, pnl, gross, float(EXACT.divide(pnl, cost)))
