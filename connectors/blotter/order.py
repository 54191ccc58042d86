"""One order on the blotter: what was asked of the exchange, and what is known to have become."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from connectors.account.orders import Known, Place
from connectors.exact import NOTHING, add
from schemas import Aggressor, OrderKind, Purpose, Time

_STUCK = 5
ENDED = frozenset({"filled", "cancelled", "rejected", "expired"})


@dataclass(slots=True)
class Slip:
    """An order, from its intent to its last fill.

    Its status is `new`, `sent`, `acknowledged` or `unknown`; or it has ended and is `filled`,
    `cancelled`, `rejected` or `expired`. It is settled when it has ended, and each fill came.

    Examples
    --------
    >>> slip = Slip("a", "okx:A/B", "buy", "market", Decimal(3))
    >>> slip.send(now=5).amount, slip.status
    (Decimal('3'), 'sent')
    >>> slip.learn(Known("a", "17", "okx:A/B", "cancelled", Decimal(2), 6), now=6)
    >>> slip.status, slip.settled
    ('cancelled', False)
    >>> slip.fill(Decimal(2), now=7)
    >>> slip.settled
    True

    """

    id: str
    market: str
    side: Aggressor
    kind: OrderKind
    amount: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    reduce_only: bool = False
    flow: str = ""
    run: str = ""
    position: int = 0
    purpose: Purpose = ""
    order: int = 0
    """The count of the flow's order that asked for it; 0 if none did."""
    cause: Time = 0
    """The tape's time when it was asked for."""
    guess: Decimal | None = None
    """The price that an entry is expected to get."""
    status: str = "new"
    reason: str = ""
    exchange_id: str = ""
    filled: Decimal = NOTHING
    """By its fills."""
    final: Decimal = NOTHING
    """By the exchange's last word, once it has ended."""
    tries: int = 0
    sent_at: Time = 0
    due: Time = 0
    """When to look after it next: to send it, to look it up, to fetch its fills."""
    misses: int = 0
    """How often in a row the exchange had none such."""
    unwanted: bool = False
    """It is to be called off."""
    stays: int = 0
    """How often it was still there though it had been called off."""
    refusal: str = ""
    """Why a later try was refused, which proves nothing about the earlier ones."""

    @property
    def ended(self) -> bool:
        """Whether no more of it will be done, as far as is known."""
        return self.status in ENDED

    @property
    def settled(self) -> bool:
        """Whether it has ended, and each of its fills came."""
        return self.ended and self.filled >= self.final

    @property
    def place(self) -> Place:
        """What the exchange is asked for."""
        return Place(
            self.id, self.market, self.side, self.kind, self.amount, self.price, self.stop_price,
            self.reduce_only, self.flow, self.run, self.position, self.purpose, self.order,
        )  # fmt: skip

    @property
    def stuck(self) -> bool:
        """Whether the exchange does not let go of it, as of some stops that were triggered."""
        return self.stays >= _STUCK and not self.ended

    def send(self, now: Time) -> Place:
        """Note that it is sent, and return what to send."""
        self.status, self.sent_at, self.misses = "sent", now, 0
        self.tries += 1
        return self.place

    def end(self, status: str, reason: str = "") -> None:
        """Note that no more of it will be done."""
        self.status, self.reason = status, reason or self.reason
        self.final = self.filled

    def learn(self, known: Known, now: Time) -> None:
        """Note what the exchange says of it; nothing that it says later makes it live again."""
        if known.exchange_id and not self.ended:  # a stop that is triggered may get another one
            self.exchange_id = known.exchange_id
        self.misses = 0
        if self.ended:
            self.final = max(self.final, known.filled)
        elif known.status == "open":
            self.stays += self.unwanted and self.status == "acknowledged"
            self.status = "acknowledged"
        else:
            self.status, self.due = known.status, now
            self.final = max(self.filled, known.filled)

    def fill(self, amount: Decimal, now: Time) -> None:
        """Note a fill."""
        self.filled = add(self.filled, amount)
        self.misses = 0
        if self.filled >= self.amount and not self.ended:
            self.status, self.final, self.due = "filled", self.filled, now
        elif not self.ended:
            self.status = "acknowledged"
