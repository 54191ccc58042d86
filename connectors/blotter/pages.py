"""The pages of a blotter: what is open, in memory as in the outbox, changed by whole inputs."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal

from connectors.account.limits import Result
from connectors.blotter.actions import Action
from connectors.blotter.modes import Mode, Modes, Scope
from connectors.blotter.order import Slip
from connectors.blotter.position import Holding, Key
from connectors.outbox.outbox import Outbox
from connectors.outbox.rows import pack
from schemas import MINUTE, Command, Instrument, Position, Purpose, Report, Time


@dataclass(slots=True)
class Case:
    """A position, and its orders that are not settled, by their ids."""

    holding: Holding
    slips: dict[str, Slip] = field(default_factory=dict)

    def slip(self, purpose: Purpose) -> Slip | None:
        """Return the one of a purpose: there is never more than one."""
        return next((slip for slip in self.slips.values() if slip.purpose == purpose), None)


class Pages:
    """All that an account's blotter knows; what an input changes is kept whole, or not at all.

    Parameters
    ----------
    account
        Whose it is.
    outbox
        Keeps it.

    """

    def __init__(self, account: str, outbox: Outbox) -> None:
        self.account, self.outbox = account, outbox
        self.cases = {holding.key: Case(holding) for holding in outbox.holdings()}
        self.modes = Modes(outbox.modes())
        self.baselines = outbox.baselines()
        self.instruments = {event.market: event for event in outbox.instruments()}
        self.results = {result.quote: result for result in outbox.results()}
        self.actions: list[Action] = []
        """What the input that is being taken wants to be done."""
        self._homes: dict[str, Key] = {}
        self._touched: dict[Key, Case] = {}
        self._kept: dict[str | Key, bytes] = {}
        for slip in outbox.slips():
            self._settle_in(self._case_of(slip), slip)
        self._sent: deque[Time] = deque()

    @contextmanager
    def turn(self, at: Position | None = None) -> Iterator[list[Action]]:
        """Take an input: what it changes is kept before its actions are handed out.

        Parameters
        ----------
        at
            Where in the queue it stood.

        """
        actions: list[Action] = []
        self.actions = actions
        with self.outbox.whole():
            yield actions
            for key, case in self._touched.items():
                self._keep(key, case)
            if at is not None:
                self.outbox.put_offset(at)
        self._touched.clear()

    def touch(self, case: Case) -> None:
        """Note that a case may be changed by this input."""
        self._touched[case.holding.key] = case

    def open(self, holding: Holding) -> Case:
        """Begin a case."""
        case = self.cases[holding.key] = Case(holding)
        self.touch(case)
        return case

    def add(self, case: Case, slip: Slip) -> None:
        """Put an order into a case."""
        self._settle_in(case, slip)
        self.touch(case)

    def drop(self, case: Case, slip: Slip) -> None:
        """Take an order that is settled out of its case."""
        self.outbox.put_slip(slip)
        case.slips.pop(slip.id, None)
        self._homes.pop(slip.id, None)
        self._kept.pop(slip.id, None)
        self.touch(case)

    def case(self, key: Key) -> Case | None:
        """Return a case, however long ago it was."""
        case = self.cases.get(key) or self._touched.get(key)
        if case is None and (holding := self.outbox.holding(key)) is not None:
            case = Case(holding)
        return case

    def mine(self, id_: str) -> list[tuple[Case, Slip]]:
        """Return an order that is not settled, with its case; nothing if it is."""
        home = self._homes.get(id_)
        if home is None:
            return []
        case = self.cases[home]
        self.touch(case)
        return [(case, case.slips[id_])]

    def find(self, id_: str, market: str, exchange_id: str) -> tuple[Case, Slip] | None:
        """Return an order of ours with its case, however long ago it was."""
        home = self._homes.get(id_)
        if home is not None:
            case = self.cases[home]
            return case, case.slips[id_]
        slip = self.outbox.slip(id_) if id_ else None
        if slip is None and exchange_id:
            slip = self._by_exchange_id(market, exchange_id)
        if slip is None or slip.market != market:
            return None
        case = self._case_of(slip)
        return case, case.slips.get(slip.id, slip)

    def within(self, scope: Scope) -> list[Case]:
        """Return the open cases of a scope."""
        return [
            case
            for (flow, _, market, _), case in self.cases.items()
            if scope.holds(Scope(flow, market))
        ]

    def of_market(self, market: str) -> list[Case]:
        """Return the open cases of a market."""
        return self.within(Scope("", market))

    def switch(self, scope: Scope, mode: Mode | None) -> None:
        """Let a scope have a mode; `None` makes it active, with all in it."""
        if mode is None:
            for cleared in self.modes.clear(scope):
                self.outbox.put_mode(cleared, None)
        else:
            self.modes.set(scope, mode)
            self.outbox.put_mode(scope, mode)

    def result(self, quote: str) -> Result:
        """Return what was made in a currency."""
        return self.results.setdefault(quote, Result(quote))

    def baseline(self, market: str) -> Decimal:
        """Return what is at the exchange that is none of ours."""
        return self.baselines.get(market, Decimal(0))

    def rebase(self, market: str, amount: Decimal) -> None:
        """Take an amount for what is none of ours."""
        self.baselines[market] = amount
        self.outbox.put_baseline(market, amount)

    def learn(self, instrument: Instrument) -> None:
        """Keep what is known of a market."""
        known = self.instruments.get(instrument.market)
        if known is None or replace(known, ts=0) != replace(instrument, ts=0):
            self.instruments[instrument.market] = instrument
            self.outbox.put_instrument(instrument)

    def tell(self, event: Report | Command) -> None:
        """Let something be told, with this input."""
        self.outbox.put_word(event)

    def recall(self, now: Time) -> None:
        """Count the orders that were sent shortly before, by whoever had the outbox then."""
        self._sent = deque(self.outbox.sent_since(now - MINUTE))

    def count(self, now: Time) -> int:
        """Return how many orders were sent within a minute."""
        while self._sent and self._sent[0] <= now - MINUTE:
            self._sent.popleft()
        return len(self._sent)

    def sent(self, now: Time) -> None:
        """Note that an order is sent."""
        self._sent.append(now)

    def _by_exchange_id(self, market: str, exchange_id: str) -> Slip | None:
        for case in self.of_market(market):
            for slip in case.slips.values():
                if slip.exchange_id == exchange_id:
                    return slip
        return self.outbox.slip_at(market, exchange_id)

    def _case_of(self, slip: Slip) -> Case:
        case = self.case(Key(slip.flow, slip.run, slip.market, slip.position))
        assert case is not None  # noqa: S101 - an order is kept with its position
        return case

    def _settle_in(self, case: Case, slip: Slip) -> None:
        key = case.holding.key
        self.cases[key] = case
        case.slips[slip.id] = slip
        self._homes[slip.id] = key

    def _keep(self, key: Key, case: Case) -> None:
        """Keep what is not kept as it is now."""
        holding = case.holding
        if self._changed(key, holding):
            self.outbox.put_holding(holding)
        for slip in case.slips.values():
            if self._changed(slip.id, slip):
                self.outbox.put_slip(slip)
        if holding.stage == "over" and not case.slips:
            self.cases.pop(key, None)
            self._kept.pop(key, None)
        else:
            self.cases[key] = case

    def _changed(self, name: str | Key, record: Holding | Slip) -> bool:
        body = pack(record)
        changed = self._kept.get(name) != body
        self._kept[name] = body
        return changed
