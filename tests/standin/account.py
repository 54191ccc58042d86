"""An account at a stand-in exchange: its keys, its money, and all it ever did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from tests.standin.margin import MarginPurse, Position
from tests.standin.orders import Deal, Fee, Happened, Order, Wanted, Why
from tests.standin.purse import Purse, SpotPurse
from tests.standin.rules import Fees

KEY, SECRET, PASSWORD = "stand-in-key", "stand-in-secret", "stand-in-password"
_MONEY = {"USDT": Decimal(1_000_000)}


class Account:
    """Who trades; a test gives it to an exchange, and reads from it what came of it.

    Parameters
    ----------
    name
        What a test calls it.
    key, secret, password
        What its requests are signed with.
    spot, futures
        The money of its two purses in the beginning, by currency.
    fees
        What its fills cost.
    leverage
        Of all its perpetuals.
    withdraws, trades
        What the key may do.
    hedged, isolated
        Whether it trades perpetuals in another mode than one-way, cross.

    """

    def __init__(
        self,
        name: str = "main",
        key: str = KEY,
        secret: str = SECRET,
        password: str = PASSWORD,
        spot: Mapping[str, Decimal] = _MONEY,
        futures: Mapping[str, Decimal] = _MONEY,
        fees: Fees | None = None,
        leverage: int = 20,
        withdraws: bool = False,
        trades: bool = True,
        hedged: bool = False,
        isolated: bool = False,
    ) -> None:
        self.name, self.key, self.secret, self.password = name, key, secret, password
        self.withdraws, self.trades = withdraws, trades
        self.hedged, self.isolated = hedged, isolated
        self.spot = SpotPurse(spot, fees or Fees())
        self.futures = MarginPurse(futures, fees or Fees(), leverage)
        self.orders: list[Order] = []
        """All that were ever accepted, in that order; ids that came twice are here twice."""
        self.refused: list[tuple[Wanted, Why]] = []
        self.listeners: list[Callable[[Order, Happened, Deal | None], None]] = []

    def __repr__(self) -> str:
        return f"Account({self.name!r})"

    @property
    def fills(self) -> list[tuple[Order, Deal]]:
        """All fills, order by order."""
        return [(order, deal) for order in self.orders for deal in order.deals]

    @property
    def ids(self) -> list[str]:
        """The client ids of all orders ever accepted."""
        return [order.wanted.client_id for order in self.orders]

    def open_orders(self, market: str | None = None) -> list[Order]:
        """Return the open orders, of one market or of all."""
        return [o for o in self.orders if o.open and market in {None, o.wanted.market}]

    def position(self, market: str) -> Decimal:
        """Return what is held of a perpetual, such as `usdm:BTCUSDT`."""
        return self.futures.positions.get(market, Position()).amount

    def balance(self, currency: str) -> Decimal:
        """Return what there is of a currency on the spot side."""
        return self.spot.totals[currency]

    def purse(self, market: str) -> Purse:
        """Return what pays for a market's orders."""
        return self.futures if market.startswith("usdm:") else self.spot

    def room(self, order: Order, price: Decimal) -> Decimal:
        return self.purse(order.wanted.market).room(order, price)

    def settle(self, order: Order, price: Decimal, amount: Decimal, maker: bool) -> Fee:
        return self.purse(order.wanted.market).settle(order, price, amount, maker)

    def happened(self, order: Order, what: Happened, deal: Deal | None = None) -> None:
        if not order.open:
            purse = self.purse(order.wanted.market)
            purse.open = [other for other in purse.open if other is not order]
        for listener in self.listeners:
            listener(order, what, deal)
