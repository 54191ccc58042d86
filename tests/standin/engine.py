"""Matching in one market of a stand-in exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, Decimal
from typing import Literal

from tests.standin.capture import RawTrade
from tests.standin.market import Market
from tests.standin.orders import Deal, Order, RefusedError, Wanted
from tests.standin.rules import Rules
from tests.standin.shelf import Shelf

_ZERO = Decimal(0)


class Engine:
    """Fills orders of ours from the recorded book, and by the recorded trades.

    An order takes what the book offers, best price first, as far as its own price. What rests has
    the size shown at its price in front of it; less is in front when less is shown. A trade at its
    price by an aggressor of the other side takes those in front first, and what is left of it
    fills the order; a trade beyond its price fills it whole, for it can only have come there past
    it. Resting orders of ours at one price wait for one another as they came. A stop becomes a
    market order at a trade at its price or beyond; a market order gets what there is, and the rest
    of it expires. Other people never take notice of us.

    Parameters
    ----------
    market
        As far as it was played.
    rules
        Of the market.
    clock
        The time of fills, ms.
    number
        Gives a trade its id.

    """

    def __init__(
        self, market: Market, rules: Rules, clock: Callable[[], int], number: Callable[[], int]
    ) -> None:
        self.market, self.rules, self.shelf = market, rules, Shelf(market)
        self.orders: list[Order] = []
        """Those that wait, in the order they came."""
        self.queue = True
        """Whether a trade at the price of an order fills it; else only one beyond it does."""
        self.share: float | None = None
        """How much of the next order fills; after that it gets nothing more, and stays open."""
        self.sticks = False
        """Whether nothing comes of the next stop that triggers, though it stays open."""
        self.refuses_makers = True
        """Whether a post-only order that would match is refused; else it is taken and cancelled."""
        self._clock, self._number = clock, number

    @property
    def last(self) -> Decimal:
        """Return the last trade's price."""
        trades = self.market.trades or self.market.capture.trades
        return Decimal(trades[-1 if self.market.trades else 0].price)

    def check(self, wanted: Wanted) -> None:
        """Refuse an order that would do at once what it must not."""
        if wanted.post_only and self.refuses_makers and self._matches(wanted):
            raise RefusedError("matches")
        if wanted.stop_price is not None and (self.last - wanted.stop_price) * wanted.sign >= 0:
            raise RefusedError("triggers")

    def estimate(self, wanted: Wanted) -> Decimal:
        """Return the worst price that an order would get now."""
        left, price = wanted.amount, self.last
        for level, offered in self._within(wanted):
            left, price = left - offered, level
            if left <= 0:
                break
        return price

    def enter(self, order: Order) -> None:
        """Let an order take effect."""
        if order.wanted.kind == "stop":
            self.orders.append(order)
            return
        if order.wanted.post_only and self._matches(order.wanted):
            self._end(order, "cancelled")
            return
        capped, self.share = self.share, None
        if capped is not None:
            lots = (order.wanted.amount * Decimal(str(capped)) / self.rules.lot).to_integral_value(
                ROUND_DOWN
            )
            order.halted = True
            self._take(order, lots * self.rules.lot)
        else:
            self._take(order, order.left)
        self._rest(order)

    def leave(self, order: Order) -> None:
        """Cancel an order."""
        for other in self.orders:
            if other is not order and other.wanted.price == order.wanted.price:
                later = other.id > order.id and other.wanted.sign == order.wanted.sign
                other.ahead = max(other.ahead - order.left, _ZERO) if later else other.ahead
        self._end(order, "cancelled")

    def release(self) -> None:
        """Let orders that got nothing more go on."""
        for order in self.orders:
            if order.halted:
                order.halted = False
                self._take(order, order.left)
                self._rest(order)

    def enter_at(self, order: Order, price: Decimal) -> None:
        """Let an order take effect at a price, for there is no book."""
        if order.wanted.kind == "market":
            self._deal(order, price, order.left)
        elif order.wanted.kind == "stop":
            self.orders.append(order)
        self._rest(order)

    def traded(self, trade: RawTrade) -> None:
        """Let a recorded trade fill and trigger what it may."""
        for order in [*self.orders]:
            self.meet(order, trade)

    def meet(self, order: Order, trade: RawTrade) -> None:
        """Let a recorded trade do to an order what it does."""
        price, sign = Decimal(trade.price), 1 if trade.maker else -1
        if order.waits:
            if (price - (order.wanted.stop_price or price)) * order.wanted.sign >= 0:
                self.trigger(order)
        elif order.wanted.price is not None and not order.halted:
            size = Decimal(trade.size) if sign == order.wanted.sign else _ZERO
            self._pass(order, price, size)

    def changed(self) -> None:
        """Let a recorded change of the book put back what was taken, and shorten the queues."""
        self.shelf.changed()
        for order in self.orders:
            if order.ahead and order.wanted.price is not None:
                shown = self.shelf.waiting(order.wanted.sign, order.wanted.price)
                order.ahead = min(order.ahead, shown + self._ours(order))

    def trigger(self, order: Order) -> None:
        """Make a stop a market order."""
        order.triggered = True
        order.estimate = self.estimate(order.wanted)
        order.halted, self.sticks = self.sticks, False
        order.owner.happened(order, "triggered")
        if order.halted:
            return
        self._take(order, order.left)
        self._rest(order)

    def fill(self, order: Order, price: Decimal, amount: Decimal, maker: bool) -> None:
        """Fill some of an order."""
        fee, currency = order.owner.settle(order, price, amount, maker)
        deal = Deal(self._number(), price, amount, maker, fee, currency, self._clock())
        order.filled += amount
        order.worth += price * amount
        order.deals.append(deal)
        order.status, order.updated = ("partly" if order.left else "filled"), deal.time
        if not order.left:
            self._forget(order)
        order.owner.happened(order, "trade", deal)

    def _pass(self, order: Order, price: Decimal, size: Decimal) -> None:
        beyond = (price - (order.wanted.price or price)) * order.wanted.sign
        if beyond < 0:
            amount = order.left
        elif beyond == 0 and self.queue:
            amount = min(order.left, max(size - order.ahead, _ZERO))
            order.ahead = max(order.ahead - size, _ZERO)
        else:
            return
        amount = min(amount, order.owner.room(order, order.wanted.price or price))
        if amount > 0:
            self.fill(order, order.wanted.price or price, amount, maker=True)
        elif not order.owner.room(order, price):
            self._end(order, "expired")

    def _take(self, order: Order, most: Decimal) -> None:
        for price, offered in self._within(order.wanted):
            amount = self._deal(order, price, min(offered, most))
            if not amount:
                break
            self.shelf.take(order.wanted.sign, price, amount)
            most -= amount

    def _matches(self, wanted: Wanted) -> bool:
        return next(self._within(wanted), None) is not None

    def _deal(self, order: Order, price: Decimal, most: Decimal) -> Decimal:
        """Fill as much of an order as is whole lots and may fill, and return how much."""
        room = min(most, order.owner.room(order, price))
        amount = (room / self.rules.lot).to_integral_value(ROUND_DOWN) * self.rules.lot
        if amount > 0:
            self.fill(order, price, amount, maker=False)
        return max(amount, _ZERO)

    def _within(self, wanted: Wanted) -> Iterator[tuple[Decimal, Decimal]]:
        """Yield what is offered to an order as far as its price."""
        for price, offered in self.shelf.offers(wanted.sign):
            if wanted.price is not None and (price - wanted.price) * wanted.sign > 0:
                return
            if offered > 0:
                yield price, offered

    def _rest(self, order: Order) -> None:
        """Let what is left of an order wait, or expire."""
        if not order.open:
            return
        if not order.halted and (order.wanted.kind != "limit" or not order.wanted.rests):
            self._end(order, "expired")
            return
        if order.wanted.price is not None:
            shown = self.shelf.waiting(order.wanted.sign, order.wanted.price)
            order.ahead = shown + self._ours(order)
        if order not in self.orders:  # as one that triggered, or that got no more for a while, is
            self.orders.append(order)

    def _ours(self, order: Order) -> Decimal:
        """Return what waits in front of an order at its price that is ours."""
        alike = (o for o in self.orders if o.wanted.price == order.wanted.price and o is not order)
        before = (o.left for o in alike if o.id < order.id and o.wanted.sign == order.wanted.sign)
        return sum(before, _ZERO)

    def _end(self, order: Order, how: Literal["cancelled", "expired"]) -> None:
        order.status, order.updated = how, self._clock()
        self._forget(order)
        order.owner.happened(order, how)

    def _forget(self, order: Order) -> None:
        self.orders = [other for other in self.orders if other is not order]
