"""What is known and counted of a market that a flow trades in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from infra.metrics.edge import Edge
from schemas import Closed, Event, Instrument, Opened, Order, Outcome, Trades
from schemas.tables import Record

_TELLING = frozenset({Order, Opened, Closed, Outcome})
SHOWN = ("late", "repeated", "gap", "reject", "fault", "halt", "refused", "fill")
"""Kinds of events that are counted from 0 on, so that the first one is seen to come."""


@dataclass(slots=True)
class Measured:
    """What a market's position and model are like. It pickles, and is kept with the run."""

    price: float = 0.0
    held: float = 0.0
    """Below 0 if short."""
    entry: float = 0.0
    size: float = 1.0
    """Units of the base currency in one unit of what is held."""
    edge: Edge = field(default_factory=Edge)

    @property
    def unrealised(self) -> float:
        """What the position would make at the last price."""
        return self.held * self.size * (self.price - self.entry) if self.price else 0.0

    def see(self, event: Event) -> None:
        """Take note of what has come."""
        if isinstance(event, Trades):
            self.price = event.columns.price.item(event.stop - 1)  # a slice costs more than that
        elif isinstance(event, Instrument):
            self.size = float(event.contract_size)

    def conclude(self, event: Event) -> None:
        """Take note of what was concluded.

        Examples
        --------
        >>> from decimal import Decimal as D
        >>> measured = Measured(price=102.0)
        >>> opened = Opened("okx:A/B", 7, 1, "short", D(3), D(101), None, None, None, None)
        >>> measured.conclude(opened)
        >>> measured.held, measured.unrealised
        (-3.0, -3.0)

        """
        match event:
            case Opened():
                sign = 1 if event.side == "long" else -1
                self.held, self.entry = sign * float(event.amount), float(event.entry)
            case Closed():
                self.held = self.entry = 0.0
            case Outcome():
                self.edge.take(event.metrics)


@dataclass(slots=True)
class Counted:
    """What happened in a market since this process began.

    It is not kept with the run: a count that goes back, as a run does behind a crash, looks to
    Prometheus as if all of it had happened again.
    """

    trades: int = 0
    kinds: dict[type[Event], int] = field(default_factory=dict)
    orders: Counter[str] = field(default_factory=Counter)
    reports: Counter[str] = field(default_factory=Counter)
    wins: int = 0

    def take(self, records: list[Record]) -> list[Event]:
        """Count conclusions, and return those that say more than that they are there."""
        telling, kinds = [], self.kinds
        for _, event in records:
            kind = type(event)
            kinds[kind] = kinds.get(kind, 0) + 1
            if kind in _TELLING:
                telling.append(event)
                if isinstance(event, Order):
                    self.orders[event.action] += 1
                elif isinstance(event, Closed):
                    self.wins += event.pnl > 0
        return telling

    @property
    def events(self) -> dict[str, int]:
        """How many of each kind; from any thread."""
        counted = {kind.__name__.lower(): count for kind, count in [*self.kinds.items()]}
        return {**dict.fromkeys(SHOWN, 0), **counted}
