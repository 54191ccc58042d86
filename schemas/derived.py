"""Events that operators conclude. Each stands right behind the event that caused it.

Its `ts` is the tape's time at its cause. `Trades` in a slice are never changed by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from schemas.basics import Aggressor, Numbers, OrderKind, Side, Time, Unit

_NOTHING = Decimal(0)


@dataclass(slots=True)
class Late:
    """A trade stamped too far behind the trade clock: recorded, and in no candle."""

    market: str
    ts: Time
    stamp: Time
    price: float
    size: float
    side: int
    id: str


@dataclass(slots=True)
class Repeated:
    """A trade whose id was seen before: recorded, and dropped."""

    market: str
    ts: Time
    stamp: Time
    price: float
    size: float
    side: int
    id: str


@dataclass(slots=True)
class Candle:
    """The trades of one interval `[start, end)`."""

    market: str
    ts: Time
    kind: str
    """Such as `1m`, `100 trades`, `5 base`, `1000000 quote`."""
    start: Time
    end: Time
    open: float
    high: float
    low: float
    close: float
    volume: float
    vwap: float
    count: int
    buy_volume: float
    sell_volume: float
    buy_count: int
    sell_count: int
    quote_volume: float
    first_id: str
    last_id: str
    first_ts: Time
    last_ts: Time
    complete: bool
    """False for the first candle of a tape, and for one with a `Gap` in it or in front of it."""


class _Named:
    """Lets numbers be attributes."""

    __slots__ = ("__dict__",)


@dataclass(slots=True)
class Averages(_Named):
    """Moving averages behind a candle, by name.

    Examples
    --------
    >>> Averages("binance:BTC/USDT", 0, {"sma5": 7.0}).sma5
    7.0

    """

    market: str
    ts: Time
    values: Numbers

    def __post_init__(self) -> None:
        self.__dict__ = self.values  # so that a name is looked up as fast as any attribute

    def __getattr__(self, name: str) -> float:
        """Tell of a name that there is not."""
        if name != "values":  # which a bare instance, as pickle makes one, does not have yet
            name = f"no average {name!r}; this tape has {', '.join(self.values) or 'none'}"
        raise AttributeError(name)


@dataclass(slots=True)
class Prediction:
    """What the model thinks of a position opened here, before it learns how it ends."""

    market: str
    ts: Time
    decision: int
    """The count of this market's decision points."""
    odds: float | None
    """A classifier's probability of a return after costs above 0."""
    expected: float | None
    """A regressor's expected return after costs."""
    features: Numbers


@dataclass(slots=True)
class Outcome:
    """How the shadow position of a decision point ended; the model has learnt it."""

    market: str
    ts: Time
    decision: int
    side: Side
    entry: float
    exit: float
    entry_ts: Time
    why: str
    net_return: float
    """After fees and slippage, as a part of the entry's cost."""
    label: bool
    """`net_return > 0`."""
    odds: float | None
    expected: float | None
    metrics: Numbers
    """Running metrics of the model, this outcome included."""


@dataclass(slots=True)
class Signal:
    """What the rule wants: `long`, `short`, `exit` or `reverse`; how much; why."""

    market: str
    ts: Time
    action: str
    amount: float
    unit: Unit
    reason: str
    kind: OrderKind = "market"
    limit: float | None = None
    """The worst price of a `limit` or `post-only` entry."""
    good_for: int = 0
    """How long such an entry rests, in nanoseconds; 0 is until it is called off."""


@dataclass(slots=True)
class Refused:
    """What was wanted and not done, with why."""

    market: str
    ts: Time
    action: str
    why: str


@dataclass(slots=True)
class Order:
    """What is asked of a broker for a position."""

    market: str
    ts: Time
    order: int
    """The count of this market's orders."""
    position: int
    """The count of this market's positions."""
    action: str
    """`enter`; `exit`: call the entry off and leave what is held; `cancel`: call the entry off;
    `protect`: let the resting stop stand at `price`."""
    side: Aggressor
    amount: Decimal
    why: str
    kind: OrderKind = "market"
    price: Decimal | None = None
    """Of a limit order, or of the resting stop; a whole number of ticks."""
    expires: Time | None = None
    """The tape time at which a limit entry is called off."""
    stop: float | None = None
    """How far from the entry's average price a stop rests at the exchange; a part of it."""
    expected: Decimal | None = None
    """The average price that the book promised."""
    worst: Decimal | None = None
    """The worst price that the book promised."""
    slippage_bps: float | None = None
    """How much worse than the mid price `expected` is, in basis points."""
    depth_left: Decimal | None = None
    """What the levels of the book hold beyond this order."""


@dataclass(slots=True)
class Fill:
    """A part of an order was done."""

    market: str
    ts: Time
    order: int
    position: int
    side: Aggressor
    price: Decimal
    amount: Decimal
    fee: Decimal
    """In the quote currency, or in `fee_currency`; below 0 if the exchange pays."""
    fee_currency: str = ""
    trade_id: str = ""


@dataclass(slots=True)
class Opened:
    """A position is open, and its barriers are armed."""

    market: str
    ts: Time
    position: int
    side: Side
    amount: Decimal
    entry: Decimal
    """Average price of the entry's fills."""
    stop: float | None
    take: float | None
    trailing: float | None
    """Distance of the trailing stop, as a part of the best price since the entry."""
    deadline: Time | None


@dataclass(slots=True)
class Closed:
    """A position is closed, and this is what it made."""

    market: str
    ts: Time
    position: int
    side: Side
    amount: Decimal
    entry: Decimal
    exit: Decimal
    opened_ts: Time
    why: str
    """`stop`, `trailing`, `take`, `timeout`, `reverse`, or the reason of the exit signal."""
    fees: Decimal
    pnl: Decimal
    """Quote currency, after fees."""
    gross_return: float
    """`exit / entry - 1`, with the side's sign."""
    net_return: float
    """`pnl` as a part of the entry's cost."""
    funding: Decimal = _NOTHING
    """What a perpetual paid or got while it was held, in the quote currency; part of `pnl`."""
    other_fees: str = ""
    """Fees in currencies whose worth the tape does not tell, such as `0.0012 BNB`; not in `pnl`."""


@dataclass(slots=True)
class Halt:
    """The market went to `active`, `reducing` (exits only) or `halted`."""

    market: str
    ts: Time
    state: str
    why: str


@dataclass(slots=True)
class Fault:
    """What the user wrote raised, or answered with a number that is none."""

    market: str
    ts: Time
    where: str
    """`rule`, `features`, `model` or `size`."""
    error: str
    traceback: str
