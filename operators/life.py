"""The life of one position on paper: entering, open, leaving, over. Shadows live it, too."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from operators.monitor import Armed, Widths, arm, told_by
from operators.paper import (
    EXACT,
    PaperBroker,
    Part,
    Taken,
    Ticket,
    View,
    average_price,
    contract_size,
    total,
    worth,
)
from schemas import Book, Side, Time, Trades

_NOTHING = Decimal(0)


class Step(NamedTuple):
    """What happened to a position at an event."""

    row: int
    """Of a slice of trades; 0 for other events."""
    ts: Time
    filled: list[Part] | None
    """Parts of the entry or the exit; empty for an entry that got nothing; else `None`."""
    why: str | None
    """The barrier that was hit, if one was."""
    dropped: str = ""
    """Why what is left of the entry is called off, if it is."""


@dataclass(slots=True)
class Life:
    """One position, from its entry order to its last exit fill."""

    side: Side
    widths: Widths
    ticket: Ticket | None
    """The order that works, if any."""
    taken: Taken
    """What is gone from the book: of the market for positions, its own for a shadow."""
    stage: str = "entering"
    """`entering`, `open`, `leaving` or `over`."""
    entries: list[Part] = field(default_factory=list)
    exits: list[Part] = field(default_factory=list)
    opened: Time = 0
    armed: Armed | None = None
    why: str = ""

    @property
    def sign(self) -> int:
        """+1 long, -1 short."""
        return 1 if self.side == "long" else -1

    @property
    def held(self) -> Decimal:
        """The amount entered."""
        return total([part.amount for part in self.entries])

    def leave(self, ts: Time, why: str, latency: Time) -> None:
        """Order the exit, at tape time `ts`."""
        self.stage, self.why = "leaving", why
        self.ticket = Ticket(-self.sign, ts + latency, self.held, keeps=True)

    def result(self, view: View, funding: Decimal = _NOTHING) -> Result:
        """Return what a position that is over has made; `funding` is what it got besides."""
        size, sign = contract_size(view), Decimal(self.sign)
        cost = EXACT.multiply(worth(self.entries), size)
        back = EXACT.multiply(worth(self.exits), size)
        fees = total([part.fee for part in (*self.entries, *self.exits)])
        pnl = EXACT.subtract(EXACT.multiply(EXACT.subtract(back, cost), sign), fees)
        if funding:
            pnl = EXACT.add(pnl, funding)
        entry, exit_ = average_price(self.entries), average_price(self.exits)
        gross = self.sign * (float(exit_) / float(entry) - 1)
        return Result(entry, exit_, fees, pnl, gross, float(EXACT.divide(pnl, cost)))


class Result(NamedTuple):
    """What a position made: average prices, fees and PnL in the quote currency, returns."""

    entry: Decimal
    exit: Decimal
    fees: Decimal
    pnl: Decimal
    gross_return: float
    net_return: float


class Lives:
    """Lead lives along the tape: a due order fills, then the barriers are judged.

    Parameters
    ----------
    broker
        Fills the orders.

    """

    def __init__(self, broker: PaperBroker) -> None:
        self.broker = broker

    def begin(
        self,
        side: Side,
        amount: Decimal,
        widths: Widths,
        ts: Time,
        taken: Taken,
        max_slippage: float | None = None,
    ) -> Life:
        """Return a position that is ordered at tape time `ts`."""
        sign = 1 if side == "long" else -1
        ticket = Ticket(sign, ts + self.broker.latency, amount, max_slippage)
        return Life(side, widths, ticket, taken)

    def trades(self, life: Life, trades: Trades, row: int, view: View) -> Step | None:
        """Lead a life over a slice from `row` on, up to the next thing that happens, if any."""
        if life.stage == "open":
            assert life.armed is not None  # noqa: S101 - an open position is armed
            fresh = view.fresh_until(self.broker.max_book_age)
            hit = life.armed.search(trades, row, fresh) if row < len(trades) else None
            if hit is None:
                return None
            ts = trades.ts.item(hit[0])
            life.leave(ts, hit[1], self.broker.latency)
            return Step(hit[0], ts, None, hit[1])
        assert life.ticket is not None  # noqa: S101 - entering or leaving, an order works
        due = self.broker.row(life.ticket, trades, row)
        if due is None:
            return None
        step = self._fill(life, trades, due, view)
        if step is None and trades.ts.item(-1) > view.fresh_until(self.broker.max_book_age):
            step = self._fill(life, trades, self._stale(trades, view, due), view)
        return step

    def sign(self, life: Life, ts: Time, book: Book | None, view: View) -> Step | None:
        """Lead a life over an event that is no trade; `book` is the new one, if it is one."""
        if life.stage == "open":
            assert life.armed is not None  # noqa: S101 - an open position is armed
            told = told_by(book, life.sign, ts, self.broker.max_book_age)
            why = life.armed.judge(told, ts)
            if why is None:
                return None
            life.leave(ts, why, self.broker.latency)
            return Step(0, ts, None, why)
        assert life.ticket is not None  # noqa: S101 - entering or leaving, an order works
        return self._filled(life, 0, ts, self.broker.fill(life.ticket, ts, None, view, life.taken))

    def _stale(self, trades: Trades, view: View, due: int) -> int:
        """Return the first row from `due` on that is too late for the book."""
        fresh = view.fresh_until(self.broker.max_book_age)
        return max(due, int(trades.ts.searchsorted(fresh, side="right")))

    def _fill(self, life: Life, trades: Trades, row: int, view: View) -> Step | None:
        assert life.ticket is not None  # noqa: S101 - see trades()
        ts, price = trades.ts.item(row), trades.price.item(row)
        return self._filled(
            life, row, ts, self.broker.fill(life.ticket, ts, price, view, life.taken)
        )

    def _filled(self, life: Life, row: int, ts: Time, parts: list[Part] | None) -> Step | None:
        if parts is None:
            return None
        assert life.ticket is not None  # noqa: S101 - it has just been filled
        dropped = ""
        if life.stage == "entering":
            if life.ticket.left:
                dropped = "no more in the book as allowed"
            life.entries, life.stage = parts, "open" if parts else "over"
            if parts:
                life.opened = ts
                life.armed = arm(life.side, life.widths, float(average_price(parts)), ts)
        else:
            life.exits += parts
            life.stage = "leaving" if life.ticket.left else "over"
        return Step(row, ts, parts, None, dropped)
