"""Orders at a stand-in exchange: what a client wants, and what has become of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, NamedTuple, Protocol, TypeAlias

Kind: TypeAlias = Literal["market", "limit", "stop"]
Status: TypeAlias = Literal["new", "partly", "filled", "cancelled", "expired"]
Why: TypeAlias = Literal[
    "lot", "tick", "notional", "balance", "margin", "reduce only",
    "duplicate", "triggers", "matches", "unknown", "mode", "forbidden", "told to",
]  # fmt: skip
"""The reasons for which an order or a cancel is refused; each exchange has its own words."""
Happened: TypeAlias = Literal["new", "trade", "cancelled", "expired", "triggered"]
_ZERO = Decimal(0)


class RefusedError(Exception):
    """What the exchange does not do."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


class Wanted(NamedTuple):
    """An order as a client writes it, whatever the protocol."""

    market: str
    """Such as `usdm:BTCUSDT`."""
    sign: int
    """+1 buys, -1 sells."""
    kind: Kind
    """A `stop` is a market order once a trade has come to its `stop_price`."""
    amount: Decimal
    client_id: str = ""
    price: Decimal | None = None
    stop_price: Decimal | None = None
    rests: bool = True
    """Whether what does not fill at once waits in the book: a limit order that is no IOC."""
    post_only: bool = False
    reduce_only: bool = False


class Deal(NamedTuple):
    """A fill."""

    id: int
    price: Decimal
    amount: Decimal
    maker: bool
    fee: Decimal
    fee_currency: str
    time: int
    """Milliseconds."""


class Owner(Protocol):
    """Whose order it is: who pays, and who is told."""

    def room(self, order: Order, price: Decimal) -> Decimal:
        """Return how much of an order may fill at a price."""
        ...

    def settle(self, order: Order, price: Decimal, amount: Decimal, maker: bool) -> Fee:
        """Let money and position follow a fill, and return its fee."""
        ...

    def happened(self, order: Order, what: Happened, deal: Deal | None = None) -> None:
        """Take note of what became of an order."""
        ...


Fee: TypeAlias = tuple[Decimal, str]
"""How much, of what."""


@dataclass(eq=False)
class Order:
    """An order that the exchange has taken."""

    id: int
    owner: Owner
    wanted: Wanted
    created: int
    """Milliseconds."""
    updated: int
    trigger_id: int
    """What a conditional order is called by until it triggers, where that is another id."""
    status: Status = "new"
    filled: Decimal = _ZERO
    worth: Decimal = _ZERO
    """The sum of price times amount of what is filled."""
    deals: list[Deal] = field(default_factory=list)
    ahead: Decimal = _ZERO
    """What waited at its price before it did, and has not been traded yet."""
    triggered: bool = False
    estimate: Decimal = _ZERO
    """The price that money is set aside by, for an order without a price of its own."""
    halted: bool = False
    """Whether it gets nothing more, though it stays open."""

    @property
    def left(self) -> Decimal:
        return self.wanted.amount - self.filled

    @property
    def open(self) -> bool:
        return self.status in {"new", "partly"}

    @property
    def waits(self) -> bool:
        """Whether it is a stop that has not triggered."""
        return self.open and self.wanted.kind == "stop" and not self.triggered

    @property
    def stuck(self) -> bool:
        """Whether it has triggered, and nothing came of it."""
        return self.open and self.triggered and self.halted and not self.filled

    @property
    def average(self) -> Decimal:
        return self.worth / self.filled if self.filled else _ZERO
