"""The money of an account in one kind of markets: what it has, what is set aside, what it may."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

from tests.standin.orders import Fee, Order, RefusedError
from tests.standin.rules import Fees, Rules

_ZERO = Decimal(0)


class Purse(ABC):
    """Totals by currency, exact but for fees, and for the share of a position that is closed.

    Parameters
    ----------
    money
        What there is in the beginning.
    fees
        What fills cost.

    """

    def __init__(self, money: Mapping[str, Decimal], fees: Fees) -> None:
        self.totals: defaultdict[str, Decimal] = defaultdict(Decimal, money)
        self.fees = fees
        self.rules: dict[str, Rules] = {}
        """Of the markets where it pays."""
        self.open: list[Order] = []
        """The orders that money is set aside for."""

    @abstractmethod
    def reserve(self, order: Order) -> None:
        """Refuse an order for which there is not enough."""

    @abstractmethod
    def room(self, order: Order, price: Decimal) -> Decimal:
        """Return how much of an order may fill at a price."""

    def settle(self, order: Order, price: Decimal, amount: Decimal, maker: bool) -> Fee:
        """Let the money follow a fill, and return its fee."""
        rules, sign = self.rules[order.wanted.market], order.wanted.sign
        fee = self.fees.third(price * amount, maker)
        if fee is None or self.totals[fee[1]] < fee[0]:
            fee = self.fees.own(rules, sign, price, amount, maker)
        self._move(rules, sign, price, amount)
        self.totals[fee[1]] -= fee[0]
        return fee

    @abstractmethod
    def _move(self, rules: Rules, sign: int, price: Decimal, amount: Decimal) -> None: ...


class SpotPurse(Purse):
    """Currencies against currencies; open orders set aside what they may take."""

    def reserve(self, order: Order) -> None:
        amount, currency = self._hold(order)
        if self.free(currency, order) < amount:
            raise RefusedError("balance")

    def room(self, order: Order, price: Decimal) -> Decimal:
        rules = self.rules[order.wanted.market]
        if order.wanted.sign < 0:
            return min(order.left, self.totals[rules.base])
        affordable = self.free(rules.quote, order) / (price * self._surcharge())
        lots = (affordable / rules.lot).to_integral_value(ROUND_DOWN)
        return min(order.left, lots * rules.lot)

    def held(self, currency: str, but: Order | None = None) -> Decimal:
        """Return what is set aside of a currency, whatever one of the orders takes."""
        holds = (self._hold(order) for order in self.open if order is not but)
        return sum((amount for amount, of in holds if of == currency), _ZERO)

    def free(self, currency: str, but: Order | None = None) -> Decimal:
        """Return what is left of a currency beside what is set aside."""
        return self.totals[currency] - self.held(currency, but)

    def _hold(self, order: Order) -> Fee:
        rules = self.rules[order.wanted.market]
        if order.wanted.sign < 0:
            return order.left, rules.base
        price = order.wanted.price or order.wanted.stop_price or order.estimate
        return order.left * price * self._surcharge(), rules.quote

    def _surcharge(self) -> Decimal:
        return 1 + self.fees.taker if self.fees.currency == "quote" else Decimal(1)

    def _move(self, rules: Rules, sign: int, price: Decimal, amount: Decimal) -> None:
        self.totals[rules.base] += sign * amount
        self.totals[rules.quote] -= sign * price * amount
