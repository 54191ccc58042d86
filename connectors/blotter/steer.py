"""What comes next for a position: from what is known of it, whatever it was that happened last.

It is asked behind each input, and answers the same however often it is asked.
"""

from __future__ import annotations

from decimal import Decimal

from connectors.account.client_ids import client_id
from connectors.blotter import reports as blotter_reports
from connectors.blotter.order import Slip
from connectors.blotter.pages import Case, Pages
from connectors.blotter.position import spot
from connectors.blotter.rules import Rules, due
from connectors.blotter.slips import Slips, call_off
from connectors.exact import NOTHING, stepped
from schemas import Instrument, Purpose, Time


class Steer:
    """Leads positions: a stop rests for what is held; or all is called off, and it is sold.

    Parameters
    ----------
    pages
        What is open.
    rules
        How often a stop is moved.
    slips
        Looks after the orders.

    """

    def __init__(self, pages: Pages, rules: Rules, slips: Slips) -> None:
        self.pages, self.rules, self.slips = pages, rules, slips

    def __call__(self, case: Case, now: Time) -> None:
        """Do what is due for a position and its orders."""
        self.pages.touch(case)
        for slip in list(case.slips.values()):
            self.slips.mind(case, slip, now)
        if case.holding.stage == "open":
            self._hold(case, now)
        if case.holding.stage == "leaving":
            self._leave(case, now)

    def _hold(self, case: Case, now: Time) -> None:
        holding = case.holding
        if case.slip("enter") is None:
            if not holding.entered:
                holding.stage = "over"
                return
            instrument = self._instrument(holding.market, now)
            if instrument is not None and holding.held < instrument.lot:
                holding.leave("nothing can be sold of it", holding.cause)
                return
        if holding.entered and self.rules.stops:
            self._protect(case, now)

    def _protect(self, case: Case, now: Time) -> None:
        """See that one stop rests, for what is held and where it should."""
        holding, stop = case.holding, case.slip("stop")
        instrument = self._instrument(holding.market, now)
        if instrument is None:
            return
        level = holding.level_of(instrument.tick)
        if holding.too_little(instrument):
            level = None
        amount = stepped(max(holding.held, NOTHING), instrument.lot)
        may_move = due(holding.stop_at + self.rules.stop_every, now)
        if stop is None:
            if level is not None and (may_move or not holding.stops):
                self._rest(case, amount, level, now)
        elif (
            stop.status == "acknowledged"
            and may_move
            and (stop.amount, stop.stop_price) != (amount, level)
        ):
            call_off(stop, "moved", now)
            self.slips.mind(case, stop, now)

    def _rest(self, case: Case, amount: Decimal, level: Decimal, now: Time) -> None:
        """Let a stop rest."""
        holding = case.holding
        holding.stops += 1
        holding.stop_at = now
        slip = self._slip(case, "stop", f"stop {holding.position}.{holding.stops}", amount)
        slip.stop_price = level
        self.slips.begin(case, slip, now)

    def _leave(self, case: Case, now: Time) -> None:
        """Call all off, learn what it did, and only then sell what is held."""
        holding = case.holding
        for slip in list(case.slips.values()):
            if slip.purpose != "exit":
                call_off(slip, holding.why, now)
                self.slips.mind(case, slip, now)
        if not all(self._harmless(slip) for slip in case.slips.values()):
            return
        if not holding.entered:
            holding.stage = "over"
            return
        instrument = self._instrument(holding.market, now)
        if instrument is None:
            return
        if holding.too_little(instrument):
            if not case.slips:
                self.close(case, now)
        elif due(holding.exit_at, now):
            holding.exits += 1
            amount = stepped(holding.held, instrument.lot)
            slip = self._slip(case, "exit", self._exit_name(case), amount)
            slip.order = holding.exit_order
            self.slips.begin(case, slip, now)

    def _harmless(self, slip: Slip) -> bool:
        """Tell whether an exit may go beside it: the exchange itself lets not both of them sell."""
        return slip.stuck and slip.purpose == "stop" and not spot(slip.market)

    def close(self, case: Case, now: Time, gone: bool = False) -> None:
        """Tell that a position is over; or that it is gone, whoever sold it."""
        case.holding.stage = "over"
        self.pages.touch(case)
        self.pages.tell(blotter_reports.closed(self.pages.account, case.holding, now, gone))

    def _exit_name(self, case: Case) -> str:
        holding = case.holding
        if not holding.exit_order:
            return f"exit {holding.position}.{holding.exits}"
        number = str(holding.exit_order)
        return number if holding.exits == 1 else f"{number}.{holding.exits}"

    def _slip(self, case: Case, purpose: Purpose, what: str, amount: Decimal) -> Slip:
        holding = case.holding
        return Slip(
            client_id(holding.flow, holding.run, holding.market, what), holding.market,
            holding.out, "market", amount, reduce_only=True, flow=holding.flow, run=holding.run,
            position=holding.position, purpose=purpose, cause=holding.cause,
        )  # fmt: skip

    def _instrument(self, market: str, now: Time) -> Instrument | None:
        """Return what is known of a market; if that is nothing, ask."""
        instrument = self.pages.instruments.get(market)
        if instrument is None:
            self.slips.compared(market, now)
        return instrument
