"""The gate: whether an entry may be ordered, and how much of it."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import NamedTuple

from operators.costs import Costs
from operators.limits import Limits
from operators.live import Live
from operators.monitor import Barriers, Widths
from operators.offer import Offer, left_out, offered
from operators.paper import size_of, too_small
from operators.slippage import CostLimit, Promise
from operators.standing import Standing
from operators.ticks import to_tick
from schemas import SECOND, Side, Signal, Time

_NOTHING = Decimal(0)


class Plan(NamedTuple):
    """An entry that may be ordered."""

    side: Side
    amount: Decimal
    price: Decimal | None
    """Its limit, in whole ticks."""
    widths: Widths
    promise: Promise | None
    short: str
    """Why it is less than was wanted, if it is."""


class Gate:
    """Judge entries: by the mode, the limits of the market, the size and the expected cost.

    Parameters
    ----------
    barriers
        Whose widths an entry needs.
    costs
        Of the run.
    max_slippage
        How far from the best level of the book an entry without a limit may go.
    max_cost
        What an entry may be expected to cost.
    limits
        What it must keep within.
    live
        Set if orders go out.
    since
        The tape time from which on there are entries, if orders do not go out.

    """

    def __init__(
        self,
        barriers: Barriers,
        costs: Costs,
        max_slippage: float | None = None,
        max_cost: CostLimit | None = None,
        limits: Limits | None = None,
        live: Live | None = None,
        since: Time = 0,
    ) -> None:
        self.barriers, self.costs, self.live = barriers, costs, live
        self.since = since if live is None else live.since
        self.max_slippage, self.max_cost, self.limits = max_slippage, max_cost, limits

    def judge(self, signal: Signal, ts: Time, standing: Standing) -> Plan | str:
        """Return the entry that a signal may have at tape time `ts`, or why there is none."""
        why = self._shut(ts, standing)
        if why:
            return why
        side: Side = "long" if signal.action == "long" else "short"
        sign, view = 1 if side == "long" else -1, standing.view
        widths = self.barriers.widths(standing.values)
        price, limit = view.reference(sign, ts, self.costs.max_book_age), None
        if widths is None or price is None:
            return "no price yet" if price is None else "no volatility to scale the barriers by"
        if signal.limit is not None and signal.kind != "market":
            tick = None if view.instrument is None else view.instrument.tick
            limit = to_tick(signal.limit, tick, sign)
            price = float(limit)
            if price <= 0:
                return f"a limit of {signal.limit} is less than one tick"
        wanted = size_of(signal.amount, signal.unit, price, view.instrument)
        if isinstance(wanted, str):
            return wanted
        kind = "market" if limit is None else signal.kind
        offer = offered(standing, ts, sign, kind, limit, self.max_slippage, self.costs)
        amount, short = self._had(offer, wanted)
        why = self._unfit(amount, short, price, offer, standing)
        return why or Plan(side, amount, limit, widths, offer.promise(amount), short)

    def _shut(self, ts: Time, standing: Standing) -> str:
        """Return why there are no entries now, whatever their size; nothing if there are."""
        if standing.mode != "active":
            return f"the market is {standing.mode}"
        if ts < self.since:
            return f"warming up: positions are entered from {_clock(self.since)} on"
        if self.live is not None and standing.view.instrument is None:
            return "no instrument yet, so the exchange's lot and tick are not known"
        return "" if self.limits is None else self.limits.unseen(ts, standing.view, standing.sight)

    def _had(self, offer: Offer, wanted: Decimal) -> tuple[Decimal, str]:
        """Return how much of what is wanted may be had, and why that is not all."""
        amount, why = wanted, ""
        if self.live is not None and offer.kind == "market" and self.max_slippage is not None:
            amount, why = offer.within(wanted)
            stated = self.costs.slippage > Decimal(repr(self.max_slippage))
            if offer.book is None and stated:
                amount, why = _NOTHING, f"slippage above {self.max_slippage:g} is expected"
        if self.max_cost is not None and amount:
            fits, dear = offer.afforded(amount, self.max_cost)
            amount, why = fits, dear or why
        if why and amount:
            why = left_out(amount, wanted, why)
        return amount, why

    def _unfit(
        self, amount: Decimal, short: str, price: float, offer: Offer, standing: Standing
    ) -> str:
        """Return why what may be had is no entry; nothing if it is one."""
        if not amount:
            return short
        less = too_small(amount, price, standing.view.instrument) if short else ""
        if less or self.limits is None:
            return f"{less}; {short}" if less else ""
        exact, found = Decimal(repr(price)), offer.promise(amount)
        worst = exact
        if offer.kind == "market" and found is not None and found.worst is not None:
            worst = found.worst
        return self.limits.excess(amount, exact, worst, offer.sign, standing.view)


def _clock(time: Time) -> str:
    return datetime.fromtimestamp(time // SECOND, timezone.utc).isoformat().replace("+00:00", "Z")
