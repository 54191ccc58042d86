"""The private side of a stand-in exchange, whatever its protocol: accounts, and their orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import count

from schemas import SECOND, Time
from tests.standin.account import Account
from tests.standin.capture import Line
from tests.standin.engine import Engine
from tests.standin.lockstep import Lockstep
from tests.standin.market import Market
from tests.standin.orders import Order, RefusedError, Wanted
from tests.standin.rules import Rules

_FIRST_ORDER, _FIRST_TRIGGER, _FIRST_DEAL = 88_000_001, 1_000_000_001, 770_000_001


class Trading:
    """Takes orders, cancels them, finds them; and lets the played markets fill them.

    Parameters
    ----------
    markets
        By name, such as `usdm:BTCUSDT`.
    accounts
        Who may trade.
    clock
        The time of the private side, ms.

    """

    def __init__(
        self,
        markets: Mapping[str, Market],
        accounts: Iterable[Account],
        clock: Callable[[], int],
    ) -> None:
        self.accounts = {account.name: account for account in accounts}
        self._clock = clock
        self._orders, self._triggers = count(_FIRST_ORDER), count(_FIRST_TRIGGER)
        self._deals = count(_FIRST_DEAL)
        self.engines = {
            name: Engine(market, Rules.of(market.capture), clock, lambda: next(self._deals))
            for name, market in (markets.items() if self.accounts else ())
        }
        self._lockstep: dict[str, Lockstep] = {}
        self._due: dict[str, Time] = {}
        rules = {name: engine.rules for name, engine in self.engines.items()}
        for account in self.accounts.values():
            account.spot.rules.update(rules)
            account.futures.rules.update(rules)

    def account(self, key: str | None) -> Account | None:
        """Return whose key it is."""
        return next((a for a in self.accounts.values() if a.key == key), None)

    def place(self, account: Account, wanted: Wanted) -> Order:
        """Take an order, and let it take effect.

        Raises
        ------
        RefusedError
            When the exchange does not take it.

        """
        due = self._due.pop(wanted.client_id, None) or self._due.pop("", None)
        try:
            order = self._accept(account, wanted, due)
        except RefusedError as refusal:
            account.refused.append((wanted, refusal.why))
            raise
        account.orders.append(order)
        account.purse(wanted.market).open.append(order)
        account.happened(order, "new")
        if due is None:
            self.engines[wanted.market].enter(order)
        else:
            self._lockstep[wanted.market].take(order, due)
        return order

    def lockstep(self, levels: int = 20, max_book_age: Time = SECOND) -> None:
        """Match as on paper from now on, before anything was played: see `at`.

        Parameters
        ----------
        levels
            How deep the books of the tape are.
        max_book_age
            How long a book of the tape is believed, ns.

        """
        self._lockstep = {
            name: Lockstep(engine, levels, max_book_age) for name, engine in self.engines.items()
        }

    def at(self, due: Time, client_id: str = "") -> None:
        """Let an order take effect at a time of the tape, ns: the next one, or that of an id."""
        if not self._lockstep:
            raise ValueError("times of orders are kept in lock-step only: call lockstep() first")
        self._due[client_id] = due

    def cancel(self, order: Order) -> None:
        """Call an order off."""
        if not order.open:
            raise RefusedError("unknown")
        self.engines[order.wanted.market].leave(order)

    def find(self, account: Account, fits: Callable[[Order], bool]) -> Order:
        """Return the newest of an account's orders that fits."""
        for order in reversed(account.orders):
            if fits(order):
                return order
        raise RefusedError("unknown")

    def fund(self, market: str, rate: Decimal) -> None:
        """Let all who hold a perpetual pay its funding (or get it), at the last price."""
        for account in self.accounts.values():
            worth = account.position(market) * self.engines[market].last
            if worth:
                payment = -worth * rate
                account.futures.fund(market, payment, next(self._deals), self._clock())

    def before(self, market: Market, line: Line, shift: int) -> None:
        """Let orders take effect that are due at a line about to be played."""
        if self._lockstep:
            self._lockstep[market.name].before(line, shift)

    def played(self, market: Market, line: Line) -> None:
        """Let a line that was played do what it does to open orders."""
        engine = self.engines.get(market.name)
        if engine is None:
            return
        if line.stream == "trade":
            if engine.orders:
                engine.traded(market.trades[-1])
        elif line.stream == "depth":
            engine.changed()
        if self._lockstep:
            self._lockstep[market.name].played()

    def _accept(self, account: Account, wanted: Wanted, due: Time | None) -> Order:
        if not account.trades:
            raise RefusedError("forbidden")
        engine = self.engines[wanted.market]
        engine.rules.check(wanted, engine.last)
        alike = (o.wanted.client_id for o in account.open_orders(wanted.market))
        if wanted.client_id and wanted.client_id in alike:
            raise RefusedError("duplicate")
        if due is None:
            engine.check(wanted)
        now = self._clock()
        trigger_id = next(self._triggers) if wanted.kind == "stop" else 0
        order = Order(next(self._orders), account, wanted, now, now, trigger_id)
        order.estimate = engine.estimate(wanted)
        account.purse(wanted.market).reserve(order)
        return order
