"""What the executor and an exchange tell each other of orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from schemas import Aggressor, OrderKind, Purpose, Time

KnownStatus: TypeAlias = Literal["open", "filled", "cancelled", "rejected", "expired"]


@dataclass(frozen=True, slots=True)
class Place:
    """An order that is to be at the exchange, and whose it is."""

    id: str
    """The client order id; it goes with each try."""
    market: str
    side: Aggressor
    kind: OrderKind
    amount: Decimal
    price: Decimal | None = None
    """Of a limit order."""
    stop_price: Decimal | None = None
    """It rests, and becomes an order of its kind when the market trades there."""
    reduce_only: bool = False
    """It must only lessen what is held; where the exchange cannot see to that, the amount does."""
    flow: str = ""
    run: str = ""
    position: int = 0
    purpose: Purpose = ""
    order: int = 0
    """The count of the order it was asked by; 0 if nobody asked."""


class Known(NamedTuple):
    """What the exchange says of an order."""

    id: str
    """The client order id; empty if the order is none of ours."""
    exchange_id: str
    market: str
    status: KnownStatus
    filled: Decimal
    """How much of it was done; with a final status, how much in the end."""
    ts: Time


class Deal(NamedTuple):
    """A fill, as the exchange tells it."""

    trade_id: str
    market: str
    id: str
    """The client order id; empty if it is not told, or the order is none of ours."""
    exchange_id: str
    """The exchange's own id of the order."""
    side: Aggressor
    price: Decimal
    amount: Decimal
    fee: Decimal
    """Below 0 if the exchange pays."""
    fee_currency: str
    ts: Time


class OrderError(Exception):
    """What an exchange was asked to do was not seen to be done; the text says why."""


class RefusedError(OrderError):
    """The exchange surely did not take it, and will not."""


class BusyError(OrderError):
    """The exchange surely did not take it, and may later.

    Parameters
    ----------
    why
        What it said.
    seconds
        When to try again.

    Examples
    --------
    >>> BusyError("too many requests", 2.5).seconds
    2.5

    """

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds


class DoubtfulError(OrderError):
    """The exchange may have taken it: ask before anything else."""
