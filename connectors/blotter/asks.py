"""What flows ask for: each order is taken once, however often it is handed over."""

from __future__ import annotations

from connectors.account.client_ids import client_id
from connectors.blotter import reports as blotter_reports
from connectors.blotter.modes import Mode, Scope
from connectors.blotter.order import Slip
from connectors.blotter.pages import Case, Pages
from connectors.blotter.position import Holding, Key
from connectors.blotter.slips import Slips, call_off
from connectors.executor.order_queue import Asked
from schemas import Order, Purpose, Time

_UNKNOWN = "the executor knows of no such position"


class Asks:
    """Takes the orders of flows.

    Parameters
    ----------
    pages
        What is open.
    slips
        Looks after the orders.

    """

    def __init__(self, pages: Pages, slips: Slips) -> None:
        self.pages, self.slips = pages, slips

    def take(self, ask: Asked, now: Time) -> list[Case]:
        """Take an order, and return the positions that it is about."""
        order = ask.order
        case = self.pages.case(Key(ask.flow, ask.run, order.market, order.position))
        if order.action == "enter":
            return self._enter(ask, case, now)
        if order.action == "exit":
            return self._exit(ask, case, now)
        if order.action not in {"cancel", "protect"}:
            self._refuse(ask, f"there is no action {order.action!r}", "", now)
        elif case is None:
            if order.action == "cancel":
                self._refuse(ask, _UNKNOWN, "enter", now)
        elif order.action == "cancel":
            return self._cancel(case, order, now)
        elif order.ts > case.holding.level_ts:
            case.holding.level, case.holding.level_ts = order.price, order.ts
            return [case]
        return []

    def _enter(self, ask: Asked, case: Case | None, now: Time) -> list[Case]:
        order = ask.order
        if self._known(ask):
            return []
        if case is not None or not self._new(ask):
            return self._fault(ask, case, now)
        holding = Holding(
            ask.flow, ask.run, order.market, order.position,
            "long" if order.side == "buy" else "short", cause=order.ts, stop=order.stop,
        )  # fmt: skip
        slip = Slip(
            _id(ask), order.market, order.side, order.kind, order.amount, order.price,
            flow=ask.flow, run=ask.run, position=order.position, purpose="enter",
            order=order.order, cause=order.ts, guess=order.expected,
        )  # fmt: skip
        case = self.pages.open(holding)
        self.slips.begin(case, slip, now)
        return [case]

    def _exit(self, ask: Asked, case: Case | None, now: Time) -> list[Case]:
        order = ask.order
        if self._known(ask):
            return []
        others = [] if self._new(ask) else self._fault(ask, case, now)
        if case is None:
            self.pages.tell(
                blotter_reports.refused(
                    self.pages.account, ask.flow, ask.run, order.market, order.position, _id(ask),
                    _UNKNOWN, max(now, order.ts), "exit", "closed",
                )
            )  # fmt: skip
            return others
        if case.holding.stage == "open":
            case.holding.leave(order.why, order.ts, order.order)
        return [*others, case]

    def _cancel(self, case: Case, order: Order, now: Time) -> list[Case]:
        entry = case.slip("enter")
        if entry is None:
            return []
        call_off(entry, order.why, now)
        return [case]

    def _known(self, ask: Asked) -> bool:
        """Tell whether it was taken before."""
        order = ask.order
        said = self.pages.outbox.ask(ask.flow, ask.run, order.market, order.order, order.action)
        return said == _said(order)

    def _new(self, ask: Asked) -> bool:
        """Note it; whether there was none of this number."""
        order = ask.order
        where = (ask.flow, ask.run, order.market, order.order, order.action)
        if self.pages.outbox.ask(*where) is not None:
            return False
        self.pages.outbox.put_ask(*where, _said(order))
        return True

    def _fault(self, ask: Asked, case: Case | None, now: Time) -> list[Case]:
        """Halt a flow that says two things of one order: nobody can know which one it means."""
        order, scope = ask.order, Scope(ask.flow, "")
        why = f"{order.action} {order.order} of {order.market} was another order before"
        self.pages.switch(scope, Mode("halted", why))
        # What is told of a position that lives would end it on the tape.
        alive = case is not None and case.holding.stage != "over"
        self._refuse(ask, why, "" if alive or order.action != "enter" else "enter", now)
        cases = self.pages.within(scope)
        for other in cases:
            entry = other.slip("enter")
            if entry is not None:
                call_off(entry, why, now)
        return cases

    def _refuse(self, ask: Asked, why: str, purpose: Purpose, now: Time) -> None:
        order = ask.order
        position = order.position if purpose else 0
        self.pages.tell(
            blotter_reports.refused(
                self.pages.account, ask.flow, ask.run, order.market, position, _id(ask), why,
                max(now, order.ts), purpose,
            )
        )  # fmt: skip


def _id(ask: Asked) -> str:
    return client_id(ask.flow, ask.run, ask.order.market, str(ask.order.order))


def _said(order: Order) -> str:
    """Return what an order says, by which it is told from another."""
    if order.action == "exit":
        return f"{order.position}"
    price = "" if order.price is None else f" at {order.price:f}"
    stop = "" if order.stop is None else f" stop {order.stop!r}"
    return f"{order.position} {order.side} {order.amount:f} {order.kind}{price}{stop}"
