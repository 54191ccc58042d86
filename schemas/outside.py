"""Events that come from outside, besides trades: what a market log holds."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from schemas.basics import Levels, Position, Purpose, Time


@dataclass(slots=True)
class Book:
    """The best levels of an order book, best first."""

    market: str
    ts: Time
    """From outside: the exchange's stamp. Behind the tape entry: tape time."""
    bids: Levels
    asks: Levels
    sequence: int = -1
    stamp: Time = -1
    """The exchange's own stamp, set by the tape entry."""
    received: Time | None = None
    at: Position | None = None


@dataclass(slots=True)
class Heartbeat:
    """The feed is alive, and the exchange's clock stands at about `ts`."""

    market: str
    ts: Time
    stamp: Time = -1
    received: Time | None = None
    at: Position | None = None


@dataclass(slots=True)
class Gap:
    """A hole in the tape: something between `start` and `end` was not seen."""

    market: str
    ts: Time
    why: str
    """`ids`, `silence`, `clock`, or the feed's own word, such as `disconnect`."""
    start: Time
    end: Time
    first_id: str = ""
    last_id: str = ""
    at: Position | None = None


@dataclass(slots=True)
class Value:
    """A number of any other data source: a funding rate, open interest, a user's own."""

    market: str
    ts: Time
    series: str
    value: float
    received: Time | None = None
    at: Position | None = None


@dataclass(slots=True)
class Instrument:
    """What the exchange says of a market: at the head of the tape, and on change."""

    market: str
    ts: Time
    tick: Decimal | None
    """Smallest step of a price."""
    lot: Decimal
    """Smallest step of an amount."""
    min_notional: Decimal
    """Smallest price times amount of an order, in the quote currency."""
    contract_size: Decimal
    """Units of the base currency in one unit of amount; 1 on spot markets."""
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    summed: bool = False
    """Whether one trade may stand for several, so that ids jump and nothing is missing."""
    at: Position | None = None


@dataclass(slots=True)
class Report:
    """What became of an order, told by the executor through the log."""

    market: str
    ts: Time
    account: str
    flow: str
    order: str
    """The client order id."""
    status: str
    """`sent`, `acknowledged`, `partially filled`, `filled`, `cancelled`, `rejected`, `expired` or
    `unknown`; of a position: `closed`, or `funding` was paid."""
    price: Decimal | None = None
    """With `amount`, `fee` and `trade_id`: of a fill; each fill is a report of its own."""
    amount: Decimal | None = None
    """Of a fill, or of funding: what was got, below 0 if it was paid."""
    fee: Decimal | None = None
    fee_currency: str = ""
    trade_id: str = ""
    reason: str = ""
    received: Time | None = None
    run: str = ""
    position: int = 0
    """The count of the run's positions in this market; 0: of none."""
    purpose: Purpose = ""
    number: int = -1
    """The count of the account's reports: one that is not above the last came twice."""
    at: Position | None = None


@dataclass(slots=True)
class Command:
    """An order of a person, or of the executor, to a flow.

    It is `halt`, `reduce`, `resume`, `flatten` or `close`.
    """

    market: str
    ts: Time
    action: str
    flow: str = ""
    """The flow it is for; empty for all."""
    who: str = ""
    at: Position | None = None


@dataclass(slots=True)
class Reject:
    """What could not be read, whole, with why."""

    market: str
    ts: Time
    why: str
    payload: str
    at: Position | None = None
