"""The money behind perpetuals: a wallet, and one position a market."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from tests.standin.orders import Order, RefusedError
from tests.standin.purse import Purse
from tests.standin.rules import FINEST, Fees, Rules

_ZERO = Decimal(0)


class Income(NamedTuple):
    """A payment that is no trade's."""

    id: int
    market: str
    currency: str
    amount: Decimal
    time: int


@dataclass
class Position:
    """What is held of a perpetual: above 0 bought, below 0 sold.

    Examples
    --------
    >>> position = Position()
    >>> position.trade(1, Decimal(100), Decimal(3)), position.trade(-1, Decimal(110), Decimal(1))
    (Decimal('0'), Decimal('10.00000000'))
    >>> position.amount, position.entry == 100
    (Decimal('2'), True)

    """

    amount: Decimal = _ZERO
    cost: Decimal = _ZERO
    """What was paid for it, without fees."""

    @property
    def entry(self) -> Decimal:
        """Return the average price."""
        return self.cost / self.amount if self.amount else _ZERO

    def trade(self, sign: int, price: Decimal, amount: Decimal) -> Decimal:
        """Change it by a fill, and return the profit of what was closed."""
        held = abs(self.amount)
        closed = min(amount, held) if self.amount * sign < 0 else _ZERO
        share = self._share(closed)
        self.amount += sign * amount
        self.cost += sign * (amount - closed) * price - share
        return -sign * closed * price - share if closed else _ZERO

    def _share(self, closed: Decimal) -> Decimal:
        """Return the part of the cost that is of what is closed; the last part is what is left."""
        held = abs(self.amount)
        if closed == held:
            return self.cost
        return (self.cost * closed / held).quantize(FINEST) if closed else _ZERO


class MarginPurse(Purse):
    """A wallet, and positions that it vouches for; one-way mode.

    Parameters
    ----------
    money, fees
        As of any purse.
    leverage
        How many times the wallet the positions and what may become one may be worth.

    """

    def __init__(self, money: Mapping[str, Decimal], fees: Fees, leverage: int = 20) -> None:
        super().__init__(money, fees)
        self.leverage = leverage
        self.positions: defaultdict[str, Position] = defaultdict(Position)
        self.incomes: list[Income] = []

    def reserve(self, order: Order) -> None:
        if order.wanted.reduce_only:
            if self.positions[order.wanted.market].amount * order.wanted.sign >= 0:
                raise RefusedError("reduce only")
        elif self.needed(order) > self.totals[self.rules[order.wanted.market].quote]:
            raise RefusedError("margin")

    def room(self, order: Order, price: Decimal) -> Decimal:
        if not order.wanted.reduce_only:
            return order.left
        held = self.positions[order.wanted.market].amount
        return min(order.left, max(-held * order.wanted.sign, _ZERO))

    def needed(self, order: Order | None = None) -> Decimal:
        """Return the margin of all positions and open orders, and perhaps one more order."""
        orders = [o for o in self.open if not o.wanted.reduce_only and o is not order]
        orders += [] if order is None else [order]
        markets = {o.wanted.market for o in orders} | set(self.positions)
        return sum((self._exposure(name, orders) for name in markets), _ZERO) / self.leverage

    def fund(self, market: str, payment: Decimal, id_: int, time: int) -> None:
        """Get, or below 0 pay, the funding of a position."""
        currency = self.rules[market].quote
        self.totals[currency] += payment
        self.incomes.append(Income(id_, market, currency, payment, time))

    def _exposure(self, market: str, orders: list[Order]) -> Decimal:
        held, sides = self.positions[market].cost, {1: _ZERO, -1: _ZERO}
        for order in orders:
            if order.wanted.market == market:
                price = order.wanted.price or order.wanted.stop_price or order.estimate
                sides[order.wanted.sign] += order.left * price
        return max(abs(held + sides[1]), abs(held - sides[-1]))

    def _move(self, rules: Rules, sign: int, price: Decimal, amount: Decimal) -> None:
        profit = self.positions[rules.market].trade(sign, price, amount)
        self.totals[rules.quote] += profit
