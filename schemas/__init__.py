"""The events: what stands on a market's tape, its JSON and its table form. Knows no other room."""

from typing import TypeAlias

from schemas.basics import (
    DAY,
    MINUTE,
    SECOND,
    Aggressor,
    Levels,
    Numbers,
    OrderKind,
    Position,
    Purpose,
    Side,
    Time,
    Unit,
)
from schemas.derived import (
    Averages,
    Candle,
    Closed,
    Fault,
    Fill,
    Halt,
    Late,
    Opened,
    Order,
    Outcome,
    Prediction,
    Refused,
    Repeated,
    Signal,
)
from schemas.outside import (
    Book,
    Command,
    Gap,
    Heartbeat,
    Instrument,
    Reject,
    Report,
    Value,
)
from schemas.trades import Columns, Trades, as_ids

Outside: TypeAlias = (
    Trades | Book | Heartbeat | Gap | Value | Instrument | Report | Command | Reject
)
Derived: TypeAlias = (
    Late
    | Repeated
    | Candle
    | Averages
    | Prediction
    | Outcome
    | Signal
    | Refused
    | Order
    | Fill
    | Opened
    | Closed
    | Halt
    | Fault
)
Event: TypeAlias = Outside | Derived

OUTSIDE: tuple[type[Outside], ...] = (
    Trades, Book, Heartbeat, Gap, Value, Instrument, Report, Command, Reject,
)  # fmt: skip
DERIVED: tuple[type[Derived], ...] = (
    Late, Repeated, Candle, Averages, Prediction, Outcome, Signal,
    Refused, Order, Fill, Opened, Closed, Halt, Fault,
)  # fmt: skip

__all__ = [
    "DAY",
    "DERIVED",
    "MINUTE",
    "OUTSIDE",
    "SECOND",
    "Aggressor",
    "Averages",
    "Book",
    "Candle",
    "Closed",
    "Columns",
    "Command",
    "Derived",
    "Event",
    "Fault",
    "Fill",
    "Gap",
    "Halt",
    "Heartbeat",
    "Instrument",
    "Late",
    "Levels",
    "Numbers",
    "Opened",
    "Order",
    "OrderKind",
    "Outcome",
    "Outside",
    "Position",
    "Prediction",
    "Purpose",
    "Refused",
    "Reject",
    "Repeated",
    "Report",
    "Side",
    "Signal",
    "Time",
    "Trades",
    "Unit",
    "Value",
    "as_ids",
]
