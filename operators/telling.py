"""The events that tell of a position: its orders, that it is open, and what it made."""

from __future__ import annotations

from decimal import Decimal

from operators.gate import Plan
from operators.life import Life, Result
from operators.live_life import LiveLife
from operators.paper import lot_of
from operators.slippage import Promise, promise
from operators.standing import Standing
from schemas import Aggressor, Closed, Opened, Order, Refused, Side, Signal, Time

_NOTHING = Decimal(0)


def aggressor(sign: int) -> Aggressor:
    """Return which way an order goes: +1 buys."""
    return "buy" if sign > 0 else "sell"


def entry_order(standing: Standing, signal: Signal, ts: Time, plan: Plan) -> Order:
    """Count a new position and its order, and return that."""
    standing.orders += 1
    standing.positions += 1
    widths, side = plan.widths, aggressor(1 if plan.side == "long" else -1)
    order = Order(
        signal.market, ts, standing.orders, standing.positions, "enter", side, plan.amount,
        signal.reason, "market" if plan.price is None else signal.kind, plan.price,
        expires=ts + signal.good_for if plan.price is not None and signal.good_for else None,
        stop=widths.trailing if widths.stop is None else widths.stop,
    )  # fmt: skip
    return _with(plan.promise, order)


def exit_order(
    standing: Standing, market: str, ts: Time, amount: Decimal, why: str, max_book_age: Time
) -> Order:
    """Count an order to leave the position, and return that."""
    life, view = standing.life, standing.view
    assert life is not None  # noqa: S101 - there is something to leave
    standing.orders += 1
    order = Order(
        market, ts, standing.orders, standing.positions, "exit", aggressor(-life.sign), amount, why
    )
    if view.book is None or ts > view.fresh_until(max_book_age):
        return order
    taken = standing.taken.sides.get(-life.sign, _NOTHING)
    lot = lot_of(view.instrument)
    return _with(promise(view.book, taken, amount, -life.sign, lot), order)


def not_done(
    market: str, ts: Time, side: Side, filled: Decimal, left: Decimal, why: str
) -> Refused:
    """Return what tells that the rest of an entry will not be done."""
    what = f"{filled:f}" if filled else "nothing"
    return Refused(market, ts, side, f"{what} filled, {left:f} cancelled: {why}")


def opened(
    standing: Standing,
    life: Life | LiveLife,
    market: str,
    ts: Time,
    held: Decimal,
    entry: Decimal,
) -> Opened:
    """Return what tells that a position is open, or has grown, and where it will end."""
    long, widths, armed = life.side == "long", life.widths, life.armed
    assert armed is not None  # noqa: S101 - an open position is armed
    return Opened(
        market, ts, standing.positions, life.side, held, entry,
        stop=None if widths.stop is None else armed.low if long else armed.high,
        take=None if widths.take is None else armed.high if long else armed.low,
        trailing=armed.trailing, deadline=armed.deadline,
    )  # fmt: skip


def closed(
    standing: Standing,
    life: Life | LiveLife,
    market: str,
    ts: Time,
    amount: Decimal,
    made: Result,
) -> Closed:
    """Return what tells what a position made."""
    return Closed(
        market, ts, standing.positions, life.side, amount, made.entry, made.exit,
        life.opened, life.why, made.fees, made.pnl, made.gross_return, made.net_return,
    )  # fmt: skip


def _with(promised: Promise | None, order: Order) -> Order:
    """Write down what the book promises a new order."""
    if promised is not None:
        order.expected, order.worst = promised.average, promised.worst
        order.slippage_bps, order.depth_left = promised.slippage_bps, promised.depth_left
    return order
