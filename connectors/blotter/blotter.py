"""The blotter: what an executor decides, without the exchange and without a clock.

Each input takes our time, keeps in one transaction all that follows from it, and then returns what
is to be done. Who does it makes that durable first: so nothing is ever done that is not known after
a crash.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from connectors.account.limits import AccountLimits
from connectors.account.orders import Deal, Known
from connectors.blotter import reports as blotter_reports
from connectors.blotter.actions import Action, Reconcile
from connectors.blotter.asks import Asks
from connectors.blotter.judge import Judge
from connectors.blotter.modes import Mode, Scope, commanded
from connectors.blotter.money import Money
from connectors.blotter.pages import Case, Pages
from connectors.blotter.reconcile import Differences, Look, call_off_ended, compare_orders
from connectors.blotter.rules import LONGEST, Rules
from connectors.blotter.silence import Silence
from connectors.blotter.slips import Slips, call_off
from connectors.blotter.steer import Steer
from connectors.exact import NOTHING
from connectors.executor.order_queue import Alive, Asked, Told
from connectors.outbox.outbox import Outbox
from schemas import SECOND, Command, Instrument, Position, Reject, Time

_NO_RULES, _NO_LIMITS = Rules(), AccountLimits()


class Blotter:
    """All orders and positions of an account: facts come in, actions and reports go out.

    Parameters
    ----------
    account
        Whose they are.
    outbox
        Keeps them.
    rules
        How long it waits, and what it does then.
    limits
        The account's.

    """

    def __init__(
        self,
        account: str,
        outbox: Outbox,
        rules: Rules = _NO_RULES,
        limits: AccountLimits = _NO_LIMITS,
    ) -> None:
        self.account, self.rules = account, rules
        self._pages = Pages(account, outbox)
        self._slips = Slips(self._pages, rules, Judge(self._pages, rules, limits))
        self._steer = Steer(self._pages, rules, self._slips)
        self._asks = Asks(self._pages, self._slips)
        self._money = Money(self._pages, limits)
        self._silence = Silence(self._pages, rules)
        self._differences = Differences(self._pages)

    def markets(self) -> set[str]:
        """Return the markets that are to be reconciled regularly."""
        asked = {market for markets in self._silence.markets.values() for market in markets}
        return asked | {key.market for key in self._pages.cases} | set(self._pages.baselines)

    def resume(self, now: Time) -> list[Action]:
        """Begin: what was sent before and never answered is asked about first."""
        with self._pages.turn() as actions:
            self._pages.recall(now)
            self._silence.resume(now)
            for case in list(self._pages.cases.values()):
                for slip in case.slips.values():
                    if slip.status == "sent":
                        self._slips.doubt(slip, now)
                self._steer(case, now)
            actions += [Reconcile(market) for market in sorted(self.markets())]
        return actions

    def asked(self, ask: Asked, at: Position, now: Time) -> list[Action]:
        """Take what a flow asks for, once."""
        with self._pages.turn(at) as actions:
            self._silence.heard(ask.flow, ask.run, now)
            for case in self._asks.take(ask, now):
                self._steer(case, now)
        return actions

    def alive(self, alive: Alive, at: Position, now: Time) -> list[Action]:
        """Take a flow's sign of life."""
        if self._silence.knows(alive.flow, alive.run):
            # It may be read again, so that nothing needs to be kept of it.
            self._silence.heard(alive.flow, alive.run, now)
            return self._watch(alive)
        with self._pages.turn(at):
            self._silence.heard(alive.flow, alive.run, now)
        return self._watch(alive)

    def told(self, told: Told, at: Position, now: Time) -> list[Action]:
        """Obey a person, at once."""
        command = told.command
        scope = Scope(command.flow, command.market)
        why = f"{command.action} by {command.who or 'unknown'}"
        with self._pages.turn(at) as actions:
            if command.action == "resume":
                self._resume(scope)
            mode = commanded(command.action)
            if mode is not None:
                self._pages.switch(scope, Mode(mode, why))
            for case in self._pages.within(scope):
                self._obey(case, command, why, now)
        return actions

    def leave(self, now: Time) -> list[Action]:
        """End: open entries are called off, stops go on resting."""
        with self._pages.turn() as actions:
            for case in list(self._pages.cases.values()):
                entry = case.slip("enter")
                if entry is not None:
                    call_off(entry, "the executor was stopped", now)
                    self._steer(case, now)
        return actions

    def unread(self, reject: Reject, now: Time) -> list[Action]:
        """Keep a message of the queue that nobody can read."""
        with self._pages.turn(reject.at) as actions:
            self._pages.outbox.put_unread(reject)
        return actions

    def learn(self, instrument: Instrument, now: Time) -> list[Action]:
        """Take what the exchange says of a market."""
        with self._pages.turn() as actions:
            self._pages.learn(instrument)
            self._steer_all(self._pages.of_market(instrument.market), now)
        return actions

    def acknowledged(self, known: Known, now: Time) -> list[Action]:
        """Take the exchange's answer to an order."""
        return self._known([known], now)

    def updated(self, known: Known, now: Time) -> list[Action]:
        """Take what the exchange says of an order by itself."""
        return self._known([known], now)

    def found(self, known: Known, now: Time) -> list[Action]:
        """Take what became of an order that was looked up."""
        return self._known([known], now)

    def missing(self, id_: str, now: Time) -> list[Action]:
        """Take it that the exchange, asked for an order, has none such."""
        with self._pages.turn() as actions:
            for case, slip in self._pages.mine(id_):
                if slip.status in {"unknown", "acknowledged"}:
                    self._slips.missing(slip, now)
                self._steer(case, now)
        return actions

    def refused(self, id_: str, why: str, now: Time) -> list[Action]:
        """Take it that an order was not taken, and will not be."""
        with self._pages.turn() as actions:
            for case, slip in self._pages.mine(id_):
                if slip.status == "sent" and slip.tries == 1:
                    slip.end("rejected", why)
                elif slip.status == "sent":
                    slip.refusal = why
                    self._slips.doubt(slip, now)
                else:
                    self._slips.doubt(slip, now)
                self._steer(case, now)
        return actions

    def busy(self, id_: str, seconds: float, now: Time) -> list[Action]:
        """Take it that what was asked of the exchange was not done for now."""
        with self._pages.turn() as actions:
            for case, slip in self._pages.mine(id_):
                if slip.status == "sent":
                    slip.status = "new"
                    slip.tries -= 1
                slip.due = now + min(int(seconds * SECOND), LONGEST)
                self._steer(case, now)
        return actions

    def doubtful(self, id_: str, now: Time) -> list[Action]:
        """Take it that nobody knows what became of what was asked of the exchange."""
        with self._pages.turn() as actions:
            for case, slip in self._pages.mine(id_):
                self._slips.doubt(slip, now)
                self._steer(case, now)
        return actions

    def called_off(self, id_: str, now: Time) -> list[Action]:
        """Take it that the exchange has called an order off; what it did before is asked."""
        return self.doubtful(id_, now)

    def dealt(self, deal: Deal, now: Time) -> list[Action]:
        """Take a fill, once."""
        with self._pages.turn() as actions:
            case = self._deal(deal, now)
            if case is not None:
                self._steer(case, now)
        return actions

    def funded(
        self, market: str, payment: str, amount: Decimal, currency: str, now: Time
    ) -> list[Action]:
        """Take a payment of funding, once: below 0 if it was paid."""
        with self._pages.turn() as actions:
            trade_id = f"funding {payment}"
            cases = [case for case in self._pages.of_market(market) if case.holding.held > 0]
            if cases and not self._pages.outbox.knows(market, trade_id, ""):
                self._pages.outbox.put_deal(market, trade_id, "", "")
                self._money.fund(cases, amount, currency, now)
        return actions

    def reconciled(self, look: Look, now: Time) -> list[Action]:
        """Take all that the exchange tells of a market."""
        market = look.market
        with self._pages.turn() as actions:
            for deal in look.deals:
                self._deal(deal, now)
            self._take(compare_orders(self._pages, look), now, asked=True)
            self._slips.ready.add(market)
            for case in self._differences.gone(market, look.held):
                self._steer.close(case, now, gone=True)
            self._steer_all(self._pages.of_market(market), now)
            self._differences.look(market, look.held, now)
        return actions

    def tick(self, now: Time) -> list[Action]:
        """Let time pass."""
        with self._pages.turn() as actions:
            self._silence.silent(now)
            self._steer_all(list(self._pages.cases.values()), now)
        return actions

    def quiet(self, now: Time) -> set[str]:
        """Return the flows that fell silent while something of theirs was open, and still are."""
        return self._silence.quiet(now)

    def _known(self, told: Iterable[Known], now: Time) -> list[Action]:
        with self._pages.turn() as actions:
            self._take(told, now)
        return actions

    def _take(self, told: Iterable[Known], now: Time, asked: bool = False) -> None:
        """Take what the exchange says of orders; `asked` if that they are open was no old news."""
        for known in told:
            found = self._pages.find(known.id, known.market, known.exchange_id)
            if found is None:
                continue
            case, slip = found
            self._pages.touch(case)
            if slip.ended and known.status == "open":
                if asked:
                    call_off_ended(self._pages, slip, known)
                continue
            self._slips.learn(case, slip, known, now)
            self._steer(case, now)

    def _deal(self, deal: Deal, now: Time) -> Case | None:
        """Note a fill, and return the position it belongs to, if it is new and ours."""
        pages = self._pages
        found = pages.find(deal.id, deal.market, deal.exchange_id)
        if found is None or pages.outbox.knows(deal.market, deal.trade_id, deal.side):
            return None
        case, slip = found
        holding = case.holding
        pages.touch(case)
        pages.outbox.put_deal(deal.market, deal.trade_id, deal.side, slip.id)
        slip.exchange_id = slip.exchange_id or deal.exchange_id
        slip.fill(deal.amount, now)
        made = NOTHING
        if slip.purpose == "enter":
            holding.enter(deal)
        else:
            made = holding.exit(deal)
        pages.tell(blotter_reports.of_deal(self.account, slip, deal, now))
        self._money.earn(deal, made, now)
        if slip.purpose == "stop":
            holding.leave("stop", holding.cause)
        if holding.stage == "over":  # a fill that nobody expected any more
            holding.stage, holding.why = "leaving", holding.why or "filled late"
        if slip.id not in case.slips:
            pages.drop(case, slip)
        return case

    def _resume(self, scope: Scope) -> None:
        """Let a person, who has looked at what was wrong, take it for right."""
        self._pages.switch(scope, None)
        self._differences.accept(scope)
        if scope == Scope("", ""):
            self._money.forgive()

    def _obey(self, case: Case, command: Command, why: str, now: Time) -> None:
        entry = case.slip("enter")
        if command.action == "halt" and entry is not None:
            call_off(entry, why, now)
        elif command.action in {"flatten", "close"}:
            case.holding.leave(why, command.ts)
        self._steer(case, now)

    def _watch(self, alive: Alive) -> list[Action]:
        """Compare the markets that a flow may trade before it does."""
        known = self.markets()
        self._silence.markets[alive.flow, alive.run] = alive.markets
        return [Reconcile(market) for market in alive.markets if market not in known]

    def _steer_all(self, cases: Iterable[Case], now: Time) -> None:
        for case in cases:
            self._steer(case, now)
