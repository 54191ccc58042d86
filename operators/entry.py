"""The tape entry, first operator of every flow: it gives the tape its time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TypeAlias

import numpy as np

from operators.ids import SeenIds
from operators.operator import operator
from operators.stamps import AGREE, Stamps, agree
from operators.tape import Tape
from operators.tape import run as let
from schemas import (
    DAY,
    OUTSIDE,
    SECOND,
    Book,
    Command,
    Event,
    Gap,
    Heartbeat,
    Instrument,
    Late,
    Reject,
    Repeated,
    Report,
    Time,
    Trades,
)
from schemas.trades import Ids, Int64
from schemas.wire import encode

TOLERANCE = SECOND
"""How far behind the trade clock a trade still counts, and how far books run ahead of trades."""


_Timed: TypeAlias = Trades | Book | Heartbeat
"""What has a stamp that moves time; of `Trades`, one."""


@dataclass(slots=True)
class _State:
    clock: Time = -1
    """The greatest stamp of a trade."""
    time: Time = -1
    """Tape time."""
    ids: SeenIds = field(default_factory=SeenIds)
    stamps: Stamps = field(default_factory=Stamps)
    held: list[_Timed] = field(default_factory=list)
    """Implausible events, until the next ones tell whether they are bad or the clock stepped."""


class Entry:
    """Give each event its tape time, and keep out what does not belong on the tape.

    Behind it, `ts` never falls: a trade's is the trade clock (the greatest stamp so far), that of
    a book or heartbeat the tape time behind it; `stamp` is what the exchange said. Trades older
    than the tolerance become `Late`, known ids `Repeated`, implausible stamps `Reject`; skipped
    ids, days of silence and steps of a clock put a `Gap` in front of what follows.

    Parameters
    ----------
    flow
        The flow's name: reports and commands of other flows do not enter.
    run
        The run's name, if its orders go out: then reports of other runs do not enter, either.

    Examples
    --------
    >>> entry = Entry("demo")
    >>> trades = Trades.of("m", [10 * SECOND, 9 * SECOND, 8 * SECOND], [1, 2, 3], [1, 1, 1])
    >>> [out.ts for out in entry(trades)]
    [array([10000000000, 10000000000]), 10000000000]

    Notes
    -----
    State: at most 1 kB a market; where ids are texts or jump, the last 100,000 of them: 1.2 MB.

    """

    reads = frozenset(OUTSIDE)
    shape = ("entry", 2)

    def __init__(self, flow: str, run: str = "") -> None:
        self.flow = flow
        self.run = run
        self.state = _State()

    def __call__(self, event: Event) -> Iterable[Event]:
        """Return what enters the tape in place of `event`."""
        if isinstance(event, Trades):
            return self._trades(event) if len(event) else ()
        if isinstance(event, (Book, Heartbeat)):
            return self._judge(event)
        if isinstance(event, (Report, Command)) and not self._ours(event):
            return ()
        if isinstance(event, Gap):
            self.state.ids.announce()
        elif isinstance(event, Instrument):
            self.state.ids.jump = event.summed
        return (event if self.state.time < 0 else replace(event, ts=self.state.time),)

    def _ours(self, event: Report | Command) -> bool:
        if isinstance(event, Report) and self.run and event.run not in ("", self.run):
            return False
        return event.flow in ("", self.flow)

    def _trades(self, trades: Trades) -> Iterable[Event]:
        state, ids = self.state, trades.id
        if len(trades) == 1:
            return self._single(trades)
        stamps, received = trades.stamp, trades.received
        calm = not state.held and state.stamps.calm(stamps, received)
        if calm and (ids is None or state.ids.follow_all(ids) or self._new(ids)):
            state.stamps.believe_all(stamps, received)
            return self._clocked(trades)
        half = len(trades) // 2
        return chain(
            self._trades(trades.cut(0, half)),
            _later(lambda: self._trades(trades.cut(half, len(trades)))),
        )

    def _new(self, ids: Ids) -> bool:
        """Remember ids if they are new and in order, and tell whether they were."""
        calm = self.state.ids.calm(ids)
        if calm:
            self.state.ids.add_all(ids)
        return calm

    def _single(self, trade: Trades) -> Iterable[Event]:
        """Take one trade, that may be anything."""
        state = self.state
        if state.held or not state.stamps.plausible(_stamp(trade), _received(trade)):
            return self._judge(trade)
        return self._believed(trade)

    def _believed(self, trade: Trades) -> Iterable[Event]:
        """Take one trade of a stamp that is believed."""
        state = self.state
        stamp, received, id_ = _stamp(trade), _received(trade), _id(trade)
        if id_ is not None and not state.ids.follow(id_):
            return self._jump(trade, stamp, received, id_)
        state.stamps.believe(stamp, received)
        return self._clocked(trade)

    def _jump(
        self, trade: Trades, stamp: Time, received: Time | None, id_: int | str
    ) -> Iterator[Event]:
        """Take one trade whose id is not the one behind the last."""
        state = self.state
        if state.ids.repeated(id_):
            yield Repeated(*_row(trade, state.time))
            return
        hole = state.ids.hole(id_)
        if hole is not None:
            yield self._gap(trade.market, "ids", stamp, str(hole[0]), str(hole[1]))
        assert trade.id is not None  # noqa: S101 - it has one, else we were not here
        state.ids.add_all(trade.id)
        state.stamps.believe(stamp, received)
        yield from self._clocked(trade)

    def _clocked(self, trades: Trades) -> Iterable[Event]:
        """Give trades their tape time, and set the late ones apart."""
        state, stamps = self.state, trades.stamp
        first, last = stamps.item(0), stamps.item(-1)
        if (
            first >= state.time
            and first >= state.clock
            and last - (first if state.time < 0 else state.time) <= DAY
            and _sorted(stamps)
        ):
            state.clock = state.time = last
            return (trades,)
        return self._reclocked(trades, stamps)

    def _reclocked(self, trades: Trades, stamps: Int64) -> Iterator[Event]:
        state = self.state
        clock = np.maximum.accumulate(np.concatenate(([state.clock], stamps)))[1:]
        ts = np.maximum(clock, state.time)
        late = stamps < clock - TOLERANCE
        silent = np.diff(ts, prepend=ts[0] if state.time < 0 else state.time) > DAY
        rows = trades.columns.take(slice(trades.start, trades.stop))
        rows.ts = ts
        entered = Trades(trades.market, rows, 0, len(trades))
        done = 0
        for row in np.flatnonzero(late | silent).tolist():
            if row > done:
                yield entered.cut(done, row)
                state.time = ts.item(row - 1)
            done = row
            if silent[row]:
                yield self._gap(trades.market, "silence", ts.item(row))
            if late[row]:
                done = row + 1
                yield Late(*_row(entered.cut(row, row + 1), ts.item(row)))
        state.clock, state.time = clock.item(-1), ts.item(-1)
        if done < len(entered):
            yield entered.cut(done, len(entered))

    def _sign(self, event: Book | Heartbeat) -> Iterator[Event]:
        """Take a sign of life that is no trade, and is believed."""
        state = self.state
        state.stamps.believe(event.ts, event.received)
        time = max(state.time, event.ts - TOLERANCE)
        if state.time >= 0 and time - state.time > DAY:
            yield self._gap(event.market, "silence", time)
        state.time = time
        if isinstance(event, Book):
            yield Book(
                event.market, time, event.bids, event.asks,
                event.sequence, event.ts, event.received, event.at,
            )  # fmt: skip
        else:
            yield Heartbeat(event.market, time, event.ts, event.received, event.at)

    def _judge(self, event: _Timed) -> Iterator[Event]:
        """Let a plausible event in; hold others back until enough agree, or one does not."""
        state, stamp, received = self.state, _stamp(event), _received(event)
        plausible = state.stamps.plausible(stamp, received)
        agrees = state.held and agree(
            stamp, received, _stamp(state.held[-1]), _received(state.held[-1])
        )
        if plausible or not agrees:
            held, state.held = state.held, []
            yield from map(self._reject, held)
        if plausible:
            yield from self._admit(event)
            return
        state.held.append(event)
        by_distance = state.stamps.by_distance(received)
        if len(state.held) == AGREE[by_distance]:
            held, state.held = state.held, []
            state.stamps.step()
            if by_distance:
                yield self._gap(event.market, "clock", _stamp(held[0]))
            for earlier in held:
                yield from self._admit(earlier)

    def _admit(self, event: _Timed) -> Iterable[Event]:
        return self._believed(event) if isinstance(event, Trades) else self._sign(event)

    def _gap(self, market: str, why: str, end: Time, first_id: str = "", last_id: str = "") -> Gap:
        return Gap(market, self.state.time, why, self.state.time, end, first_id, last_id)

    def _reject(self, event: _Timed) -> Reject:
        why = f"stamp {_stamp(event)} is implausible: the tape stands at {self.state.time}"
        return Reject(event.market, self.state.time, why, encode(event).decode())


def _later(trades: Callable[[], Iterable[Event]]) -> Iterator[Event]:
    """Begin with the second half only when the first one is through: it needs its state."""
    yield from trades()


def _sorted(stamps: Int64) -> bool:
    return len(stamps) == 1 or bool((stamps[1:] >= stamps[:-1]).all())


def _stamp(event: _Timed) -> Time:
    return event.columns.stamp.item(event.start) if isinstance(event, Trades) else event.ts


def _received(event: _Timed) -> Time | None:
    if not isinstance(event, Trades):
        return event.received
    received = event.columns.received
    return None if received is None else received.item(event.start)


def _id(trade: Trades) -> int | str | None:
    ids = trade.columns.id
    return None if ids is None else ids.item(trade.start)


def _row(trade: Trades, ts: Time) -> tuple[str, Time, Time, float, float, int, str]:
    c, i, id_ = trade.columns, trade.start, _id(trade)
    return (
        trade.market, ts, c.stamp.item(i), c.price.item(i), c.size.item(i), c.side.item(i),
        "" if id_ is None else str(id_),
    )  # fmt: skip


@operator
def enter(step_id: str, tape: Tape, flow: str, run: str = "") -> Tape:
    """Let events enter the tape of a `run` of `flow`, each with its tape time."""
    return let("entry", tape, lambda: Entry(flow, run))
