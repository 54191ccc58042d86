"""Do the orders on paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import cast

from operators.costs import Costs
from operators.life import Life, Lives, Step
from operators.monitor import Widths
from operators.paper import EXACT, PaperBroker, average_price, contract_size, total
from operators.resting import LimitEntry, Resting
from operators.standing import Standing
from operators.telling import aggressor, closed, exit_order, not_done, opened
from operators.trader import Done
from schemas import Book, Closed, Event, Fill, Order, Refused, Report, Side, Time, Trades, Value

_NOTHING = Decimal(0)


class PaperTrader:
    """Fill orders at the paper broker; funding is paid as the exchange's numbers tell.

    Parameters
    ----------
    costs
        Of the run.
    max_slippage
        How far from the best level of the book an entry without a limit may go.

    """

    reads: frozenset[type[Event]] = frozenset({Value})

    def __init__(self, costs: Costs, max_slippage: float | None) -> None:
        self.broker = PaperBroker(costs)
        self.lives, self.resting = Lives(self.broker), Resting(self.broker)
        self.max_slippage = max_slippage

    def begin(self, standing: Standing, order: Order, widths: Widths) -> None:
        """Begin a position with its entry order."""
        side: Side = "long" if order.side == "buy" else "short"
        ts, taken = order.ts, standing.taken
        standing.funding.got = _NOTHING
        if order.price is None:
            standing.life = self.lives.begin(
                side, order.amount, widths, ts, taken, self.max_slippage
            )
            return
        life = standing.life = Life(side, widths, None, taken)
        standing.resting = LimitEntry(
            life.sign, order.price, ts + self.broker.latency, order.amount,
            order.expires, order.kind == "post-only",
        )  # fmt: skip

    def trades(self, standing: Standing, trades: Trades, row: int) -> Done | None:
        """Lead the position over a slice from `row` on, up to the next thing that happens."""
        life: Life = standing.life  # type: ignore[assignment]  # it is asked only then
        view = standing.view
        if standing.resting is None:
            step = self.lives.trades(life, trades, row, view)
        else:
            step = self.resting.trades(life, standing.resting, trades, row, view)
        if step is None:
            return None
        view.price = trades.price.item(step.row)
        return self._done(standing, trades.market, step)

    def sign(self, standing: Standing, market: str, ts: Time, book: Book | None) -> Done | None:
        """Lead it over an event that is no trade; `book` is the new one, if it is one."""
        life: Life = standing.life  # type: ignore[assignment]  # it is asked only then
        view = standing.view
        if standing.resting is None:
            step = self.lives.sign(life, ts, book, view)
        else:
            step = self.resting.sign(life, standing.resting, ts, book, view)
        if book is not None:
            standing.see(book)
        return None if step is None else self._done(standing, market, step)

    def leave(self, standing: Standing, market: str, ts: Time, why: str) -> Iterator[Event]:
        """Leave what is held, and call off what is left of the entry."""
        life = _life(standing)
        if life.stage == "entering":
            standing.life = standing.resting = None
            yield Refused(market, ts, life.side, f"called off before it filled: {why}")
        elif life.stage == "open":
            yield from self.call_off(standing, market, ts, why)
            life.leave(ts, why, self.broker.latency)
            yield self._exit(standing, life, market, ts, why)

    def call_off(self, standing: Standing, market: str, ts: Time, why: str) -> Iterator[Event]:
        """Call off an entry that rests, and hold what is held."""
        life, entry = _life(standing), standing.resting
        if entry is None:
            return
        standing.resting = None
        if life.stage == "entering":
            standing.life = None
        yield not_done(market, ts, life.side, life.held, entry.left, why)

    def hear(self, standing: Standing, report: Report) -> Iterable[Event]:
        """Take no word for it: on paper nobody reports."""
        return ()

    def _done(self, standing: Standing, market: str, step: Step) -> Done:
        """Return what follows from a step in the position's life."""
        return Done(step.row, step.ts, list(self._after(standing, market, step)))

    def _after(self, standing: Standing, market: str, step: Step) -> Iterator[Event]:
        life, ts = _life(standing), step.ts
        entering = not life.exits
        side = aggressor(life.sign if entering else -life.sign)
        for part in step.filled or ():
            yield Fill(
                market, ts, standing.orders, standing.positions, side,
                part.price, part.amount, part.fee,
            )  # fmt: skip
        if entering:
            yield from self._entered(standing, life, market, step)
        if step.why is not None:
            yield self._exit(standing, life, market, ts, step.why)
        elif life.stage == "over":
            standing.life = None
            if life.exits:
                yield self._closed(standing, life, market, ts)

    def _entered(self, standing: Standing, life: Life, market: str, step: Step) -> Iterator[Event]:
        entry = standing.resting
        left = _NOTHING
        if entry is not None:
            left = entry.left
            if step.dropped or not left:
                standing.resting = None
        elif life.ticket is not None and step.why is None:
            left, life.ticket = life.ticket.left, None
        if step.dropped:
            yield not_done(market, step.ts, life.side, life.held, left, step.dropped)
        if step.filled:
            entered = average_price(life.entries)
            yield opened(standing, life, market, step.ts, life.held, entered)

    def _exit(self, standing: Standing, life: Life, market: str, ts: Time, why: str) -> Order:
        return exit_order(standing, market, ts, life.held, why, self.broker.max_book_age)

    def _closed(self, standing: Standing, life: Life, market: str, ts: Time) -> Closed:
        funding = standing.funding.got
        made = life.result(standing.view, funding)
        told = closed(standing, life, market, ts, life.held, made)
        told.funding = funding
        return told


def pay_funding(standing: Standing) -> None:
    """Let a position on paper pay or get the funding that is due, at the last price."""
    life, view = standing.life, standing.view
    held = _NOTHING
    if isinstance(life, Life):
        held = EXACT.subtract(life.held, total([part.amount for part in life.exits]))
    sign = 0 if life is None else life.sign
    price = Decimal(0) if view.price is None else Decimal(repr(view.price))
    standing.funding.pay(EXACT.multiply(held, contract_size(view)), price, sign)


def _life(standing: Standing) -> Life:
    """Return the position; a trader on paper began it, and is asked only while there is one."""
    return cast("Life", standing.life)
