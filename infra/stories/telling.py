"""Tell a story in lines: when, what, and the words."""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from typing import NamedTuple

from infra.stories.books import mid_of
from infra.stories.story import Act, Decision, Lesson, Story
from infra.stories.words import bps, clock, lasted, money, named, percent, short
from operators.currencies import currencies
from schemas import Candle, Closed, Fill, Numbers, Opened, Order, Time

_LEAST = 1e-15
"""Odds that are taken for none."""
_LEVELS = 3
"""So many levels of a book are shown."""
_BARRIERS = {
    "stop": "its stop-loss was hit", "take": "its take-profit was hit",
    "trailing": "its trailing stop was hit", "timeout": "its time was up",
}  # fmt: skip
_BESIDES = "; by no order of the flow: by the resting stop, or the executor"


class Line(NamedTuple):
    """Something that happened."""

    ts: Time | None
    what: str
    says: str


def heading(story: Story) -> str:
    """Return in a sentence what it is about."""
    over, market = story.closed, story.name.market
    run = f"{story.run.flow}, {story.run.mode}"
    if story.side is None:
        return f"{run}: a signal that became no position"
    if over:
        ended = f"{money(over.pnl, market)} ({bps(over.net_return)})"
        return f"{run}: {story.side}, {_ended(over.why)}, {ended}"
    return f"{run}: {story.side}, {'open' if story.opened else 'never opened'}"


def lines(story: Story) -> Iterator[Line]:
    """Yield the story, in the order of the tape."""
    if story.decision:
        yield from _decided(story.decision)
    acts = iter(story.acts)
    for act in acts:
        if act.order.action == "exit":
            yield from _moved(story)
            yield _left(story, act.order.ts, act.order.why)
        yield from _acted(act, story.name.market)
        if act.order.action == "enter" and story.opened:
            yield from _barriers(story)
    if story.besides:
        yield from _besides(story)
    if story.closed:
        yield from _made(story, story.closed)
    elif story.opened and story.last:
        yield _stands(story.opened[-1], story.last, story.name.market)
    if story.lesson:
        yield from _learned(story.lesson, story.closed)


def _decided(decision: Decision) -> Iterator[Line]:
    signal = decision.signal.event
    if candle := decision.candle:
        yield Line(candle.ts, "candle", _candle(candle))
    if averages := decision.averages:
        yield Line(None, "averages", named(averages.values))
        if decision.earlier:
            yield Line(None, "before", named(decision.earlier.values))
    if (asked := decision.prediction) is not None:
        said = _odds(asked.odds, asked.expected)
        then = "" if asked.ts == signal.ts else f", at {clock(asked.ts)}"
        yield Line(None, "model", f"{said} (decision {asked.decision:,}{then})")
        yield Line(None, "features", named(asked.features))
    kind = "" if signal.kind == "market" else f", {signal.kind} at {short(signal.limit or 0.0)}"
    size = "" if signal.action == "exit" else f" {short(signal.amount)} {signal.unit}"
    reason = f": {signal.reason}" if signal.reason else ""
    yield Line(signal.ts, "rule", f"{signal.action}{size}{kind}{reason}")
    if decision.refused:
        yield Line(signal.ts, "refused", decision.refused)


def _candle(candle: Candle) -> str:
    way = bps(candle.close / candle.open - 1)
    whole = "" if candle.complete else "; incomplete"
    return (
        f"{candle.kind} from {clock(candle.start)[:-4]}: {short(candle.open)} to "
        f"{short(candle.close)} ({way}), high {short(candle.high)}, low {short(candle.low)}, "
        f"{candle.count:,} trades, volume {short(candle.volume)}{whole}"
    )


def _odds(odds: float | None, expected: float | None) -> str:
    if odds is not None:
        return f"odds {percent(odds)} of a return above costs"
    return f"expects {bps(expected or 0.0)} after costs"


def _acted(act: Act, market: str) -> Iterator[Line]:
    order = act.order
    base = currencies(market).base
    price = "" if order.price is None else f" at {short(order.price)}"
    yield Line(
        order.ts, f"order {order.order}",
        f"{order.side} {short(order.amount)} {base}, {order.kind}{price}",
    )  # fmt: skip
    yield Line(None, "expected", _expected(order))
    if book := act.book:
        bids, asks = (
            ", ".join(f"{short(size)} at {short(price)}" for price, size in side[:_LEVELS])
            for side in (book.bids, book.asks)
        )
        yield Line(None, "book", f"bids {bids}; asks {asks}")
    for fill in act.fills:
        yield Line(fill.ts, "filled", _filled(fill, order, market))
    if not act.fills:
        yield Line(None, "filled", "nothing, so far as history knows")


def _expected(order: Order) -> str:
    mid = mid_of(order)
    if order.expected is None or mid is None:
        return "no price: no fresh book stood on the tape"
    worst = "" if order.worst in (None, order.expected) else f", worst {short(order.worst or 0)}"
    left = "" if order.depth_left is None else f"; the book holds {short(order.depth_left)} beyond"
    slippage = bps((order.slippage_bps or 0.0) / 1e4)
    return f"{short(order.expected)}, {slippage} from the mid {short(mid)}{worst}{left}"


def _filled(fill: Fill, order: Order | None, market: str) -> str:
    mid = mid_of(order) if order else None
    sign = 1 if fill.side == "buy" else -1
    slippage = "" if mid is None else f", {bps(sign * (float(fill.price) / mid - 1))} from that mid"
    fee = (
        f"{short(fill.fee)} {fill.fee_currency}" if fill.fee_currency
        else money(fill.fee, market, signed=False)
    )  # fmt: skip
    late = f", {lasted(fill.ts - order.ts)} later" if order else ""
    by = "" if fill.order else _BESIDES
    return f"{short(fill.amount)} at {short(fill.price)}{slippage}, fee {fee}{late}{by}"


def _barriers(story: Story) -> Iterator[Line]:
    opened = story.opened[-1]
    entry = float(opened.entry)
    told = [
        f"{name} {short(price)} ({bps(price / entry - 1)})"
        for name, price in (("stop", opened.stop), ("take", opened.take))
        if price is not None
    ]
    if opened.trailing is not None:
        told.append(f"trailing {opened.trailing * 1e4:,.1f} bps behind the best price")
    if opened.deadline is not None:
        told.append(f"timeout {clock(opened.deadline)}")
    grown = f"; it grew in {len(story.opened)} steps" if len(story.opened) > 1 else ""
    at = f"{short(opened.amount)} at {short(opened.entry)}"
    yield Line(opened.ts, "opened", f"{at}: {', '.join(told) or 'no barriers'}{grown}")


def _moved(story: Story) -> Iterator[Line]:
    if story.moved:
        last, times = story.moved[-1], len(story.moved)
        often = "once, to" if times == 1 else f"{times:,} times, last to"
        says = f"the resting stop moved {often} {short(last.price or 0)}"
        yield Line(last.ts, "trailed", says)


def _besides(story: Story) -> Iterator[Line]:
    """Tell the end of a position that the flow did not order."""
    first, market = story.besides[0], story.name.market
    yield from _moved(story)
    if story.closed:
        yield _left(story, first.ts, story.closed.why)
    for fill in story.besides:
        yield Line(fill.ts, "filled", _filled(fill, None, market))


def _left(story: Story, ts: Time, why: str) -> Line:
    held = f", after {lasted(ts - story.opened[0].ts)}" if story.opened else ""
    reach = story.reach
    way = f"; on the way {bps(reach.best)} at best, {bps(reach.worst)} at worst" if reach else ""
    return Line(ts, "left", f"{_ended(why)}{held}{way}")


def _ended(why: str) -> str:
    return _BARRIERS.get(why, f"left for {why!r}")


def _made(story: Story, over: Closed) -> Iterator[Line]:
    market = story.name.market
    funding = f", funding {money(over.funding, market)}" if over.funding else ""
    other = f", and fees of {over.other_fees} besides" if over.other_fees else ""
    yield Line(
        over.ts, "made",
        f"{money(over.pnl, market)} after fees of {money(over.fees, market, signed=False)}"
        f"{funding}{other}: {bps(over.gross_return)} before, {bps(over.net_return)} after",
    )  # fmt: skip


def _stands(opened: Opened, last: Candle, market: str) -> Line:
    sign = 1 if opened.side == "long" else -1
    change = last.close - float(opened.entry)
    made = sign * change * float(opened.amount)
    part = sign * change / float(opened.entry)
    return Line(
        last.ts, "stands",
        f"at {short(last.close)}, the last close: {money(made, market)} ({bps(part)}) before fees",
    )  # fmt: skip


def _learned(lesson: Lesson, over: Closed | None) -> Iterator[Line]:
    end = lesson.outcome
    came = bps(end.net_return)
    if end.odds is not None:
        loss = -log(max(end.odds if end.label else 1 - end.odds, _LEAST))
        said = f"odds {percent(end.odds)}, came {'true' if end.label else 'false'}: loss {loss:.3f}"
    else:
        said = f"expected {bps(end.expected or 0.0)}"
    shadow = f"the {end.side} shadow of decision {end.decision:,}"
    yield Line(end.ts, "learned", f"{shadow} made {came} ({_ended(end.why)}); {said}")
    yield Line(None, "model then", _metrics(end.metrics, lesson.before))
    if over and over.side == end.side:
        gap = over.net_return - end.net_return
        than = f"{bps(abs(gap))[1:]} {'more' if gap > 0 else 'less'} than" if gap else "as much as"
        yield Line(None, "gap", f"the position made {than} its shadow")


def _metrics(now: Numbers, before: object) -> str:
    was: Numbers = getattr(before, "metrics", {})
    told = (
        f"{name} {was[name]:.4f} to {now[name]:.4f}" if name in was else f"{name} {now[name]:.4f}"
        for name in ("log_loss", "auc", "calibration", "mae", "accuracy")
        if name in now
    )
    return f"{', '.join(told)}, over {now.get('count', 0):,.0f} outcomes"
