"""Do the orders at an exchange: ask for them, and believe what the reports tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import cast

from operators.costs import Costs
from operators.ledger import fee_of
from operators.live_life import LiveLife, Turn
from operators.monitor import Widths
from operators.paper import EXACT, average_price
from operators.standing import Standing
from operators.telling import aggressor, closed, exit_order, not_done, opened
from operators.trader import Done
from schemas import Book, Closed, Event, Fill, Order, Refused, Report, Time, Trades

_ENDS = frozenset({"cancelled", "rejected", "expired"})
_NOTHING = Decimal(0)
_OVER = "its time is over"


class LiveTrader:
    """Ask the executor for orders, and let a position be what the reports of it tell.

    A report of another position than the present one changes nothing, nor does one that came
    before. A position is over with the word `closed`, and not before.

    Parameters
    ----------
    costs
        Of the run; only the greatest age of a book counts here.

    """

    reads: frozenset[type[Event]] = frozenset({Report})

    def __init__(self, costs: Costs) -> None:
        self.max_book_age = costs.max_book_age

    def begin(self, standing: Standing, order: Order, widths: Widths) -> None:
        """Begin a position with its entry order."""
        standing.life = LiveLife("long" if order.side == "buy" else "short", widths, order)

    def trades(self, standing: Standing, trades: Trades, row: int) -> Done | None:
        """Watch a slice from `row` on, up to the next thing that is to be done, if any."""
        turn = _life(standing).trades(trades, row, standing.view, self.max_book_age)
        if turn is None:
            return None
        standing.view.price = trades.price.item(turn.row)
        return self._done(standing, trades.market, turn)

    def sign(self, standing: Standing, market: str, ts: Time, book: Book | None) -> Done | None:
        """Watch an event that is no trade; `book` is the new one, if it is one."""
        turn = _life(standing).sign_of_life(ts, book, standing.view, self.max_book_age)
        if book is not None:
            standing.see(book)
        return None if turn is None else self._done(standing, market, turn)

    def leave(self, standing: Standing, market: str, ts: Time, why: str) -> Iterator[Event]:
        """Ask to be flat; the executor calls off what is left of the entry first."""
        life = _life(standing)
        if life.stage == "leaving":
            return
        life.leave(why)
        yield exit_order(standing, market, ts, life.ledger.held, why, self.max_book_age)
        life.exit_order = standing.orders

    def call_off(self, standing: Standing, market: str, ts: Time, why: str) -> Iterator[Event]:
        """Ask to call off an entry that rests, and hold what is held."""
        life = _life(standing)
        rests = life.working and life.entry.price is not None
        if rests and not life.calling_off and life.stage != "leaving":
            life.calling_off = True
            yield replace(life.entry, ts=ts, action="cancel", amount=life.unfilled, why=why)

    def hear(self, standing: Standing, report: Report) -> Iterator[Event]:
        """Take what is told of an order into account, once."""
        if report.number >= 0:
            if report.number <= standing.heard.get(report.account, -1):
                return
            standing.heard[report.account] = report.number
        life = cast("LiveLife | None", standing.life)
        if life is None or report.position != standing.positions:
            return
        if report.status == "funding":
            life.ledger.funding = EXACT.add(life.ledger.funding, report.amount or _NOTHING)
        elif report.status == "closed":
            yield from self._closed(standing, life, report)
        elif report.price and report.amount:
            yield from self._filled(standing, life, report)
        elif report.purpose == "enter" and report.status in _ENDS:
            yield from self._ended(standing, life, report)

    def _done(self, standing: Standing, market: str, turn: Turn) -> Done:
        return Done(turn.row, turn.ts, list(self._after(standing, market, turn)))

    def _after(self, standing: Standing, market: str, turn: Turn) -> Iterator[Event]:
        if turn.hit is not None:
            yield from self.leave(standing, market, turn.ts, turn.hit)
        if turn.late:
            yield from self.call_off(standing, market, turn.ts, _OVER)
        if turn.guard is not None:
            yield self._protect(standing, market, turn.ts, turn.guard)

    def _protect(self, standing: Standing, market: str, ts: Time, price: Decimal) -> Order:
        life = _life(standing)
        standing.orders += 1
        return Order(
            market, ts, standing.orders, standing.positions, "protect", aggressor(-life.sign),
            life.ledger.held, "trailing", price=price,
        )  # fmt: skip

    def _filled(self, standing: Standing, life: LiveLife, report: Report) -> Iterator[Event]:
        """Count a fill, and tell it."""
        entering, was = report.purpose == "enter", life.stage
        if not (life.fill(report) if entering else life.ledger.take(report, entering=False)):
            return
        fee, order = fee_of(report), 0
        if entering:
            order = life.entry.order
        elif report.purpose == "exit":
            order = life.exit_order
        yield Fill(
            report.market, report.ts, order, standing.positions,
            aggressor(life.sign if entering else -life.sign),
            report.price or _NOTHING, report.amount or _NOTHING,
            fee.amount, fee.currency, report.trade_id,
        )  # fmt: skip
        if entering and was != "leaving":
            entry = average_price(life.ledger.entries)
            held = life.ledger.held
            yield opened(standing, life, report.market, report.ts, held, entry)
        elif not entering and was != "leaving":
            life.leave("stop" if report.purpose == "stop" else report.reason)

    def _ended(self, standing: Standing, life: LiveLife, report: Report) -> Iterator[Event]:
        """Take the end of the entry into account: nothing more of it will fill."""
        life.working = False
        told = f"{report.status}: {report.reason}" if report.reason else report.status
        filled = life.ledger.entered
        if not filled:
            standing.life = None
        if life.unfilled > 0:
            left = life.unfilled
            yield not_done(report.market, report.ts, life.side, filled, left, told)

    def _closed(self, standing: Standing, life: LiveLife, report: Report) -> Iterator[Event]:
        """End the position: all of it is sold, or what is left is too little."""
        standing.life = None
        if not life.ledger.entries:
            yield Refused(report.market, report.ts, life.side, report.reason or report.status)
            return
        life.why = life.why or report.reason or report.status
        left = life.ledger.held
        if left:
            why = report.reason or f"{left:f} is left"
            yield Refused(report.market, report.ts, "exit", why)
        yield self._result(standing, life, report)

    def _result(self, standing: Standing, life: LiveLife, report: Report) -> Closed:
        ledger = life.ledger
        made = ledger.result(life.sign, standing.view)
        told = closed(standing, life, report.market, report.ts, ledger.entered, made)
        told.funding, told.other_fees = ledger.funding, ledger.other_fees
        return told


def _life(standing: Standing) -> LiveLife:
    """Return the position; a live trader began it, and is asked only while there is one."""
    return cast("LiveLife", standing.life)
