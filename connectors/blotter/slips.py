"""Looking after orders: each is sent, asked about, called off, until all of it is told."""

from __future__ import annotations

from connectors.account.orders import Known
from connectors.blotter import reports as blotter_reports
from connectors.blotter.actions import Cancel, FetchDeals, LookUp, Reconcile, Send
from connectors.blotter.judge import Judge
from connectors.blotter.order import Slip
from connectors.blotter.pages import Case, Pages
from connectors.blotter.rules import Rules, due
from schemas import Time


class Slips:
    """Looks after the orders of all cases.

    Parameters
    ----------
    pages
        What is open.
    rules
        How long it waits.
    judge
        Says which entry may go.

    """

    def __init__(self, pages: Pages, rules: Rules, judge: Judge) -> None:
        self.pages, self.rules, self.judge = pages, rules, judge
        self.ready: set[str] = set()
        """Markets that were reconciled since the start."""
        self._asked: dict[str, Time] = {}

    def begin(self, case: Case, slip: Slip, now: Time) -> None:
        """Put a new order into its case, and send it if that may be."""
        self.pages.add(case, slip)
        self.mind(case, slip, now)

    def mind(self, case: Case, slip: Slip, now: Time) -> None:
        """Do what is due for an order."""
        if slip.status == "new":
            self._new(case, slip, now)
        elif slip.status == "sent" and due(slip.sent_at + self.rules.answer_within, now):
            self.doubt(slip, now)
        if slip.settled:
            self.settle(case, slip, now)
        elif due(slip.due, now):
            self._look(slip, now)

    def doubt(self, slip: Slip, now: Time) -> None:
        """Take it that nobody knows whether the exchange has it."""
        if slip.status in {"new", "sent"}:
            slip.status, slip.misses = "unknown", 0
            self._tell(slip, "unknown", now)
        slip.due = now
        self._look(slip, now, ask=True)

    def learn(self, case: Case, slip: Slip, known: Known, now: Time) -> None:
        """Take what the exchange says of it."""
        before = slip.status
        slip.learn(known, now)
        if slip.status == "filled" and before != slip.status:
            slip.due = now + self.rules.fills_within
        if slip.status == "acknowledged" and before != slip.status:
            self.acknowledged(slip, now)
        if not slip.settled and slip.id not in case.slips:
            self.pages.add(case, slip)

    def acknowledged(self, slip: Slip, now: Time) -> None:
        """Tell that the exchange has it."""
        slip.due = now if slip.unwanted else now + self.rules.exchange_delay
        self._tell(slip, "acknowledged", now)

    def missing(self, slip: Slip, now: Time) -> None:
        """Take it that the exchange shows none; at a second look, behind its delay, it has none."""
        shown_by = slip.sent_at + self.rules.exchange_delay
        slip.misses += 1
        if slip.misses == 1 or not due(shown_by, now):
            slip.due = max(now + self.rules.look_every, shown_by)
            if slip.status == "acknowledged":
                self._fetch(slip)
        elif slip.status == "acknowledged":
            slip.end("cancelled", "the exchange knows it no more")
        elif slip.refusal:
            slip.end("rejected", slip.refusal)
        else:
            slip.status, slip.due = "new", now

    def settle(self, case: Case, slip: Slip, now: Time) -> None:
        """Tell how an order ended, now that each of its fills was told."""
        self.pages.drop(case, slip)
        if slip.status != "filled":
            self._tell(slip, slip.status, now, slip.reason)
        holding = case.holding
        if slip.purpose == "exit":
            holding.failures = 0 if slip.filled else holding.failures + 1
            holding.exit_at = now + self.rules.backoff(holding.failures)
        elif slip.purpose == "stop" and slip.status == "rejected" and holding.stage == "open":
            holding.leave(f"its stop was refused: {slip.reason}", slip.cause)

    def _new(self, case: Case, slip: Slip, now: Time) -> None:
        """Send it, if it is still wanted."""
        if slip.unwanted:
            slip.end("cancelled")
        elif due(slip.due, now) and self._may(case, slip, now):
            slip.due = now + self.rules.answer_within
            self.pages.actions.append(Send(slip.send(now)))
            self.pages.sent(now)
            self._tell(slip, "sent", now, f"try {slip.tries}" if slip.tries > 1 else "")

    def _may(self, case: Case, slip: Slip, now: Time) -> bool:
        if slip.purpose != "enter":
            return True
        verdict = self.judge.verdict(case, slip, now)
        if verdict is not None:
            slip.end(*verdict)
            return False
        return self.compared(slip.market, now)

    def compared(self, market: str, now: Time) -> bool:
        """Tell whether a market was reconciled; if it was not, ask, but not too often."""
        if market in self.ready and market in self.pages.instruments:
            return True
        asked = self._asked.get(market)
        if asked is None or due(asked + self.rules.exchange_delay, now):
            self._asked[market] = now
            self.pages.actions.append(Reconcile(market))
        return False

    def _look(self, slip: Slip, now: Time, ask: bool = False) -> None:
        """Ask the exchange what is waited for."""
        resting = slip.stop_price is not None or slip.kind != "market"
        every = self.rules.look_every
        if slip.ended:
            self._fetch(slip)
        elif slip.status == "unknown" or (slip.status == "acknowledged" and ask):
            self.pages.actions.append(LookUp(slip.id, slip.market))
        elif slip.status == "acknowledged" and slip.unwanted:
            self.pages.actions.append(Cancel(slip.id, slip.market))
            every = self.rules.exchange_delay
        elif slip.status == "acknowledged" and not resting:
            self.pages.actions.append(LookUp(slip.id, slip.market))
        else:
            return
        slip.due = now + every

    def _fetch(self, slip: Slip) -> None:
        self.pages.actions.append(FetchDeals(slip.market, slip.id, slip.exchange_id))

    def _tell(self, slip: Slip, status: str, now: Time, reason: str = "") -> None:
        self.pages.tell(blotter_reports.of_slip(self.pages.account, slip, status, now, reason))


def call_off(slip: Slip, why: str, now: Time) -> None:
    """Want an order to be called off."""
    if not slip.unwanted:
        slip.unwanted, slip.reason = True, slip.reason or why
        if slip.status == "acknowledged":
            slip.due = now
