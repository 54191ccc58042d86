"""One position on the blotter: what is held by its fills, and where its stop should rest."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from connectors.account.orders import Deal
from connectors.exact import NOTHING, add, less, part, stepped, times
from schemas import Aggressor, Instrument, Side, Time


class Key(NamedTuple):
    """Which position of all."""

    flow: str
    run: str
    market: str
    position: int


@dataclass(slots=True)
class Holding:
    """A position: `open` from its entry order on, then `leaving`, then `over`.

    Examples
    --------
    >>> holding = Holding("demo", "1f", "okx:A/B", 1, "long", stop=0.1)
    >>> deal = Deal("1", "okx:A/B", "a", "", "buy", Decimal(20), Decimal(3), Decimal(1), "A", 0)
    >>> holding.enter(deal)
    >>> holding.held, holding.level_of(tick=Decimal("0.1"))
    (Decimal('2'), Decimal('18.0'))

    """

    flow: str
    run: str
    market: str
    position: int
    side: Side
    stage: str = "open"
    why: str = ""
    """Why it leaves."""
    cause: Time = 0
    """The tape's time when it was asked to leave."""
    exit_order: int = 0
    """The count of the order that asked it to; 0 if none did."""
    entered: Decimal = NOTHING
    spent: Decimal = NOTHING
    """Price times amount of all that was entered."""
    exited: Decimal = NOTHING
    got: Decimal = NOTHING
    """Price times amount of all that was exited."""
    eaten: Decimal = NOTHING
    """What fees took of what is held."""
    fees: Decimal = NOTHING
    """In the quote currency."""
    price: Decimal = NOTHING
    """Of the last fill."""
    stop: float | None = None
    """How far from the average price its stop rests."""
    level: Decimal | None = None
    """Where the flow wants its stop to rest later."""
    level_ts: Time = -1
    stops: int = 0
    """How many stops were placed."""
    stop_at: Time = 0
    """When the last one was."""
    exits: int = 0
    exit_at: Time = 0
    """When to try to exit next."""
    failures: int = 0
    """How many exits in a row got nothing."""

    @property
    def key(self) -> Key:
        """Which position it is."""
        return Key(self.flow, self.run, self.market, self.position)

    @property
    def held(self) -> Decimal:
        """What is held by its fills; below 0 if more was sold than that."""
        return less(self.entered, self.exited, self.eaten)

    @property
    def signed(self) -> Decimal:
        """What is held, below 0 if it is short."""
        return self.held if self.side == "long" else -self.held

    @property
    def out(self) -> Aggressor:
        """The side of its exits."""
        return "sell" if self.side == "long" else "buy"

    @property
    def average(self) -> Decimal:
        """The average price of its entry."""
        return part(self.spent, self.entered)

    def enter(self, deal: Deal) -> None:
        """Note a fill of its entry."""
        self.entered = add(self.entered, deal.amount)
        self.spent = add(self.spent, times(deal.price, deal.amount))
        self._pay(deal)

    def exit(self, deal: Deal) -> Decimal:
        """Note a fill of a stop or an exit, and return what it made per unit of contract size."""
        self.exited = add(self.exited, deal.amount)
        self.got = add(self.got, times(deal.price, deal.amount))
        self._pay(deal)
        if not self.entered:
            return NOTHING
        made = times(less(deal.price, self.average), deal.amount)
        return made if self.side == "long" else -made

    def leave(self, why: str, cause: Time, order: int = 0) -> None:
        """Want it to be flat; the first reason counts."""
        if self.stage != "leaving":
            self.stage, self.why, self.cause, self.exit_order = "leaving", why, cause, order

    def level_of(self, tick: Decimal | None) -> Decimal | None:
        """Return where its stop should rest, if anywhere: rounded away from the market."""
        level = self.level
        if level is None and self.stop is not None and self.entered:
            width = Decimal(repr(self.stop))
            factor = less(Decimal(1), width) if self.side == "long" else add(Decimal(1), width)
            level = times(self.average, factor)
        if level is None or level <= 0:
            return None
        return stepped(level, tick, up=self.side == "short") or None

    def too_little(self, instrument: Instrument) -> bool:
        """Tell whether what is held is too little for the exchange to sell."""
        amount = stepped(max(self.held, NOTHING), instrument.lot)
        if not amount:
            return True
        # Who has sold a position in parts may always sell the rest where there is `reduce_only`.
        worth = times(amount, self.price, instrument.contract_size)
        return spot(self.market) and worth < instrument.min_notional

    def _pay(self, deal: Deal) -> None:
        base, quote = currencies(self.market)
        self.price = deal.price
        if deal.fee_currency == quote:
            self.fees = add(self.fees, deal.fee)
        elif deal.fee_currency == base and spot(self.market):
            self.eaten = add(self.eaten, deal.fee)


def spot(market: str) -> bool:
    """Tell whether what is held in a market is the currency itself.

    Examples
    --------
    >>> spot("binance:BTC/USDT"), spot("binance:BTC/USDT:USDT")
    (True, False)

    """
    return ":" not in market.partition(":")[2]


def currencies(market: str) -> tuple[str, str]:
    """Return a market's base and quote currency.

    Examples
    --------
    >>> currencies("binance:BTC/USDT:USDT")
    ('BTC', 'USDT')

    """
    base, _, rest = market.partition(":")[2].partition("/")
    return base, rest.partition(":")[0]
