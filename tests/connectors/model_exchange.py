"""A plain model of an exchange with one market: what it takes, fills and tells, and its money."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from connectors.account.orders import Deal, Known, KnownStatus, Place, RefusedError
from connectors.blotter.position import currencies, spot
from connectors.exact import NOTHING, add, less, stepped, times
from schemas import Instrument, Time

RATE = Decimal("0.001")


@dataclass
class Standing:
    """An order that was taken."""

    place: Place
    exchange_id: str
    ts: Time
    status: KnownStatus = "open"
    filled: Decimal = NOTHING

    @property
    def left(self) -> Decimal:
        return less(self.place.amount, self.filled)

    def known(self) -> Known:
        place = self.place
        return Known(place.id, self.exchange_id, place.market, self.status, self.filled, self.ts)


class ModelExchange:
    """One market, one account.

    Parameters
    ----------
    instrument
        The market.
    fees
        In which currency they are taken: `got`, `quote` or `third`.

    """

    def __init__(self, instrument: Instrument, fees: str = "quote") -> None:
        self.instrument, self.fees = instrument, fees
        self.price, self.now = Decimal(100), 0
        self.orders: list[Standing] = []
        self.deals: list[Deal] = []
        self.news: list[Known | Deal] = []
        """What the private stream has to say."""
        self.held = NOTHING
        self.cash = NOTHING
        self.third = NOTHING
        self.wrong: list[str] = []
        """What must never happen, and did."""
        self.share = NOTHING
        """How much of a market order is done at once."""
        self.stuck = False
        """Whether a stop could not be called off: then an exit may stand beside it."""
        self._count = count(1)

    @property
    def market(self) -> str:
        return self.instrument.market

    def standing(self) -> list[Standing]:
        return [order for order in self.orders if order.status == "open"]

    def send(self, place: Place) -> Known:
        """Take an order, or refuse it."""
        self._check(place)
        order = Standing(place, f"x{next(self._count)}", self.now)
        if any(other.place.id == place.id for other in self.orders):
            self.wrong.append(f"{place.id} was taken twice")
        out = [other for other in self.standing() if other.place.reduce_only]
        if place.reduce_only and out and not self.stuck:
            self.wrong.append(f"a {place.purpose} beside a {out[0].place.purpose}")
        self.orders.append(order)
        self._say(order)
        at_once = stepped(times(place.amount, self.share), self.instrument.lot)
        if place.kind == "market" and place.stop_price is None and at_once:
            self.fill(order, at_once)
        return order.known()

    def cancel(self, id_: str) -> Known:
        """Call an order off."""
        for order in self.standing():
            if order.place.id == id_:
                self.end(order, "cancelled")
                return order.known()
        raise RefusedError("no such order is open")

    def find(self, id_: str, hidden: Time = 0) -> Known | None:
        """Return what is known of an order; not of those younger than `hidden`."""
        for order in self.orders:
            if order.place.id == id_ and self.now - order.ts >= hidden:
                return order.known()
        return None

    def fill(self, order: Standing, amount: Decimal) -> None:
        """Do a part of an order, at the present price."""
        place, sign = order.place, 1 if order.place.side == "buy" else -1
        amount = min(amount, order.left)
        if place.reduce_only and not spot(self.market):
            amount = min(amount, abs(self.held))
        if not amount:
            self.end(order, "expired")
            return
        before = self.held
        self.held = add(self.held, sign * amount)
        worth = times(self.price, amount)
        self.cash = less(self.cash, sign * worth)
        fee, currency = self._fee(sign, amount, worth)
        trade = f"t{next(self._count)}"
        deal = Deal(
            trade, self.market, "", order.exchange_id, place.side, self.price, amount, fee,
            currency, self.now,
        )  # fmt: skip
        self.deals.append(deal)
        self.news.append(deal)
        order.filled = add(order.filled, amount)
        if place.reduce_only and (self.held * before < 0 or (self.held < 0 and spot(self.market))):
            self.wrong.append(f"the {place.purpose} sold more than was held")
        if not order.left:
            order.status = "filled"
        self._say(order)

    def end(self, order: Standing, status: KnownStatus) -> None:
        """End an order."""
        order.status = status
        self._say(order)

    def deals_of(self, id_: str) -> list[Deal]:
        ids = {order.exchange_id for order in self.orders if order.place.id == id_}
        return [deal for deal in self.deals if deal.exchange_id in ids]

    def triggers(self, order: Standing) -> bool:
        """Tell whether a stop is reached by the price."""
        level = order.place.stop_price
        if level is None:
            return True
        return self.price <= level if order.place.side == "sell" else self.price >= level

    def _check(self, place: Place) -> None:
        instrument = self.instrument
        if place.amount <= 0 or place.amount % instrument.lot:
            raise RefusedError(f"LOT_SIZE {place.amount}")
        if any(other.place.id == place.id for other in self.standing()):
            raise RefusedError("duplicate order")
        if place.reduce_only and not spot(self.market) and not self.held:
            raise RefusedError("there is nothing to reduce")
        locked = add(*(o.left for o in self.standing() if o.place.side == "sell"))
        if spot(self.market) and place.side == "sell" and place.amount > less(self.held, locked):
            raise RefusedError("insufficient balance")
        if place.stop_price is not None and self._reached(place):
            raise RefusedError("would trigger immediately")

    def _reached(self, place: Place) -> bool:
        return self.triggers(Standing(place, "", 0))

    def _fee(self, sign: int, amount: Decimal, worth: Decimal) -> tuple[Decimal, str]:
        base, quote = currencies(self.market)
        if self.fees == "third":
            self.third = less(self.third, times(worth, RATE))
            return times(worth, RATE), "BNB"
        if self.fees == "got" and sign > 0 and spot(self.market):
            fee = times(amount, RATE)
            self.held = less(self.held, fee)
            return fee, base
        fee = times(worth, RATE)
        self.cash = less(self.cash, fee)
        return fee, quote

    def _say(self, order: Standing) -> None:
        self.news.append(order.known())
