"""What is told of orders and positions: the reports of an account.

Each is stamped by our clock, but never in front of what it is about: a clock that was set back
would put it in front of a tape's beginning, where the flow that waits for it does not see it.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.account.orders import Deal
from connectors.blotter.order import Slip
from connectors.blotter.position import Holding
from schemas import Purpose, Report, Time


def of_slip(account: str, slip: Slip, status: str, now: Time, reason: str = "") -> Report:
    """Return the report that an order has a status."""
    return Report(
        slip.market, max(now, slip.cause), account, slip.flow, slip.id, status, reason=reason,
        run=slip.run, position=slip.position, purpose=slip.purpose,
    )  # fmt: skip


def of_deal(account: str, slip: Slip, deal: Deal, now: Time) -> Report:
    """Return the report of a fill, once it is noted on its order."""
    status = "filled" if slip.filled >= slip.amount else "partially filled"
    return Report(
        slip.market, max(now, slip.cause), account, slip.flow, slip.id, status,
        deal.price, deal.amount, deal.fee, deal.fee_currency, deal.trade_id,
        run=slip.run, position=slip.position, purpose=slip.purpose,
    )  # fmt: skip


def closed(account: str, holding: Holding, now: Time, gone: bool = False) -> Report:
    """Return the report that a position is over, with what is left of it, unless it is `gone`."""
    reason, left = holding.why, holding.held
    if gone:
        reason += f"; the exchange holds nothing of the {left:f} that should be there"
    elif left > 0:
        reason += f"; {left:f} is left, too little to {holding.out}"
    elif left < 0:
        reason += f"; {-left:f} more was gone than was held"
    return _of_position(account, holding, "closed", now, reason)


def refused(
    account: str, flow: str, run: str, market: str, position: int, id_: str, why: str, now: Time,
    purpose: Purpose, status: str = "rejected",
) -> Report:  # fmt: skip
    """Return the report that what was asked for is not taken up at all."""
    return Report(
        market, now, account, flow, id_, status, reason=why,
        run=run, position=position, purpose=purpose,
    )  # fmt: skip


def funding(account: str, holding: Holding, amount: Decimal, currency: str, now: Time) -> Report:
    """Return the report that a position got funding, or paid it if it is below 0."""
    report = _of_position(account, holding, "funding", now, "")
    report.amount, report.fee_currency = amount, currency
    return report


def _of_position(account: str, holding: Holding, status: str, now: Time, reason: str) -> Report:
    return Report(
        holding.market, max(now, holding.cause), account, holding.flow, "", status, reason=reason,
        run=holding.run, position=holding.position,
    )  # fmt: skip
