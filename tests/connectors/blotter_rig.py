"""A blotter at a model exchange: between them, all that can go wrong."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.account.limits import AccountLimits
from connectors.account.orders import Deal, Place, RefusedError
from connectors.blotter.actions import Action, Cancel, FetchDeals, LookUp, Send
from connectors.blotter.blotter import Blotter
from connectors.blotter.pages import Case
from connectors.blotter.reconcile import Look
from connectors.blotter.rules import Rules
from connectors.exact import stepped
from connectors.executor.order_queue import Alive, Asked, Told
from connectors.outbox.outbox import Outbox
from schemas import SECOND, Aggressor, Command, Instrument, Order, Position, Report, Time
from tests.connectors.model_exchange import ModelExchange

SPOT, PERPETUAL = "okx:BTC/USDT", "okx:BTC/USDT:USDT"
ACCOUNT, FLOW, RUN = "main", "demo", "1f"
ONE = Decimal(1)
START: Time = 1_000 * SECOND


class Rig:
    """Does what the blotter wants, with the faults that are asked for."""

    def __init__(
        self,
        market: str = SPOT,
        rules: Rules | None = None,
        limits: AccountLimits | None = None,
        fees: str = "quote",
    ) -> None:
        least = Decimal(5) if market == SPOT else Decimal(0)
        self.instrument = Instrument(market, 0, Decimal("0.1"), Decimal("0.01"), least, Decimal(1))
        self.market, self.rules = market, rules or Rules()
        self.limits = limits or AccountLimits()
        self.exchange = ModelExchange(self.instrument, fees)
        self.now: Time = START
        self.exchange.now = START
        self.todo: list[Action] = []
        self.reports: list[Report] = []
        self.commands: list[Command] = []
        self.asks: list[Asked] = []
        self.offset = self.orders = self.positions = 0
        self._place = TemporaryDirectory()
        self.outbox = self._open()
        self.blotter = self._begin()

    def close(self) -> None:
        self.outbox.close()
        self._place.cleanup()

    def crash(self) -> None:
        """Die, with all that was to be done and to be said, and begin anew."""
        self.outbox.close()
        self.todo.clear()
        self.exchange.news.clear()
        self.outbox = self._open()
        self.blotter = self._begin()

    def take(self, actions: list[Action]) -> list[Action]:
        """Note what is to be done, and what is told."""
        self.todo += actions
        for number, word in self.outbox.unpublished():
            if isinstance(word, Report):
                assert word.number == number
                self.reports.append(word)
            else:
                self.commands.append(word)
            self.outbox.published(number)
        return actions

    def ask(
        self,
        action: str,
        side: Aggressor = "sell",
        amount: Decimal = ONE,
        ts: Time | None = None,
        **more: object,
    ) -> list[Action]:
        """Let the flow ask for something for its last position."""
        if action in {"enter", "exit", "protect"}:
            self.orders += 1
        if action == "enter":
            self.positions += 1
        order = Order(
            self.market, self.now if ts is None else ts, self.orders, self.positions, action, side,
            amount, "as asked", **more,  # type: ignore[arg-type]
        )  # fmt: skip
        return self.hand_over(Asked(ACCOUNT, FLOW, RUN, order))

    def hand_over(self, ask: Asked) -> list[Action]:
        self.asks.append(ask)
        return self.take(self.blotter.asked(ask, self._at(), self.now))

    def tell(self, action: str, flow: str = "", market: str = "") -> list[Action]:
        """Let a person tell something."""
        told = Told(ACCOUNT, Command(market, self.now, action, flow, "me"))
        return self.take(self.blotter.told(told, self._at(), self.now))

    def live(self) -> list[Action]:
        alive = Alive(ACCOUNT, FLOW, RUN, [self.market], self.now)
        return self.take(self.blotter.alive(alive, self._at(), self.now))

    def tick(self, seconds: float = 1.0) -> list[Action]:
        """Let time pass."""
        self.now += int(seconds * SECOND)
        self.exchange.now = self.now
        return self.take(self.blotter.tick(self.now))

    def hear(self, place: int = 0, keep: bool = False) -> None:
        """Let the private stream say something."""
        news = self.exchange.news
        told = news[place] if keep else news.pop(place)
        if isinstance(told, Deal):
            self.take(self.blotter.dealt(told, self.now))
        else:
            self.take(self.blotter.updated(told, self.now))

    def act(self, fault: str = "") -> None:
        """Do what is next to be done."""
        action = self.todo.pop(0)
        if fault == "busy" and isinstance(action, (Send, Cancel)):
            id_ = action.place.id if isinstance(action, Send) else action.id
            self.take(self.blotter.busy(id_, 1.0, self.now))
        elif isinstance(action, Send):
            self._send(action.place, fault)
        elif isinstance(action, Cancel):
            self._cancel(action, fault)
        elif isinstance(action, LookUp):
            self._look_up(action, fault)
        elif fault == "lost before":
            pass  # a query that fails proves nothing
        elif isinstance(action, FetchDeals):
            for deal in self.exchange.deals_of(action.id):
                self.take(self.blotter.dealt(deal, self.now))
        else:
            self.reconcile()

    def reconcile(self) -> list[Action]:
        """Tell all that is at the exchange."""
        exchange = self.exchange
        self.take(self.blotter.learn(self.instrument, self.now))
        orders = [order.known() for order in exchange.standing()]
        look = Look(self.market, orders, exchange.deals[-50:], exchange.held)
        return self.take(self.blotter.reconciled(look, self.now))

    def ready(self) -> Rig:
        """Return it with the flow alive and the market reconciled."""
        self.live()
        self.work()
        return self

    def work(self) -> None:
        """Do all that is to be done, without faults, and hear all."""
        while self.todo or self.exchange.news:
            if self.todo:
                self.act()
            else:
                self.hear()

    def rest(self) -> None:
        """Let time pass, without faults, until nothing changes any more."""
        calm = 0
        for _ in range(80):
            self.work()
            self.live()
            for order in self.exchange.standing():
                if order.place.kind == "market" and order.place.stop_price is None:
                    self.exchange.fill(order, order.left)
            self.tick(3)
            self.reconcile()
            calm = calm + 1 if self.calm() else 0
            if calm == 3:
                return
        raise AssertionError(f"there is no end to it: {self.todo} {self.cases()}")

    def calm(self) -> bool:
        """Tell whether all that is left rests."""
        resting = all(
            case.holding.stage == "open" and slip.status == "acknowledged"
            for case in self.cases()
            for slip in case.slips.values()
        )
        leaving = any(case.holding.stage == "leaving" for case in self.cases())
        return resting and not leaving and not self.exchange.news

    def cases(self) -> list[Case]:
        return list(self.blotter._pages.cases.values())

    def told(self) -> list[tuple[str, str]]:
        """Return the statuses that were told, with what the orders were for."""
        return [(report.status, report.purpose) for report in self.reports]

    def unprotected(self) -> list[str]:
        """Return the positions that should have a stop and have none, with nothing under way."""
        found = []
        for case in self.cases():
            holding = case.holding
            level = holding.level_of(self.instrument.tick)
            if holding.stage != "open" or level is None or holding.too_little(self.instrument):
                continue
            amount = stepped(holding.held, self.instrument.lot)
            stop = case.slip("stop")
            if stop is None or (stop.amount, stop.stop_price) != (amount, level):
                found.append(f"{holding} {stop}")
        return found

    def _send(self, place: Place, fault: str) -> None:
        blotter, id_ = self.blotter, place.id
        if fault == "lost before":
            self.take(blotter.doubtful(id_, self.now))
            return
        case = next((case for case in self.cases() if place.id in case.slips), None)
        stop = case.slip("stop") if case else None
        self.exchange.stuck = stop is not None and stop.stuck and self.market == PERPETUAL
        try:
            known = self.exchange.send(place)
        except RefusedError as error:
            if fault == "lost after":
                self.take(blotter.doubtful(id_, self.now))
            else:
                self.take(blotter.refused(id_, str(error), self.now))
            return
        if fault == "crash":
            self.crash()
        elif fault == "lost after":
            self.take(blotter.doubtful(id_, self.now))
        else:
            self.take(blotter.acknowledged(known, self.now))

    def _cancel(self, action: Cancel, fault: str) -> None:
        if fault != "lost before":
            try:
                known = self.exchange.cancel(action.id)
            except RefusedError:
                pass
            else:
                if fault == "crash":
                    self.crash()
                    return
                if fault == "":
                    self.take(self.blotter.updated(known, self.now))
                    return
                if fault == "late":
                    self.take(self.blotter.called_off(action.id, self.now))
                    return
        self.take(self.blotter.doubtful(action.id, self.now))

    def _look_up(self, action: LookUp, fault: str) -> None:
        if fault == "lost before":
            return
        hidden = self.rules.exchange_delay if fault in {"hidden", "late", "busy"} else 0
        known = self.exchange.find(action.id, hidden)
        if known is None:
            self.take(self.blotter.missing(action.id, self.now))
        else:
            self.take(self.blotter.found(known, self.now))

    def _open(self) -> Outbox:
        place = Path(self._place.name, "outbox")
        return Outbox(place, ACCOUNT, clock=lambda: START, synchronous="OFF")

    def _begin(self) -> Blotter:
        blotter = self.blotter = Blotter(ACCOUNT, self.outbox, self.rules, self.limits)
        self.take(blotter.resume(self.now))
        return blotter

    def _at(self) -> Position:
        self.offset += 1
        return Position("queue/0", self.offset)
