"""What comes of one market, in line: written at once, or waiting behind a hole."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from connectors.exchange.rest_trades import Traded
from connectors.feed.clock import VenueClock
from connectors.feed.hole import Ask, Hole, jumps
from connectors.feed.ids import SeenIds, whole
from connectors.feed.tape import FeedTape, Written
from schemas import Book, Event, Heartbeat, Time

ROOM = 50_000
"""How many trades and events of a market may wait for a hole to be filled."""


@dataclass(slots=True)
class Counts:
    """What happened to one market so far."""

    trades: int = 0
    repeated: int = 0
    """Trades that came again."""
    holes: int = 0
    """Places where trades may have been missing."""
    filled: int = 0
    """Trades that were found in time."""
    late: int = 0
    """Trades that were found too late for the tape."""
    gaps: int = 0
    rejects: int = 0
    books: int = 0
    refused: int = 0
    """Books that were crossed, had an empty side, or came while trades were lost."""
    reconnects: int = 0
    stalls: int = 0
    latency: Time = 0
    """From the last trade's stamp to its arrival: with the clocks' difference in it."""


class _Loss(NamedTuple):
    """From here on trades may be missing."""

    why: str


@dataclass(slots=True)
class _Doubt:
    """Trades may be missing in front of the next one."""

    why: str
    looked: bool = False
    """Whether REST was asked, or a `Gap` stands, up to now."""


_Item: TypeAlias = Traded | Event | _Loss


class Line:
    """Write a market's events in order; where trades may be missing, let all wait behind a hole.

    Parameters
    ----------
    market
        Its full name.
    fills
        Whether holes can be filled at all.
    clock
        The exchange's.

    Examples
    --------
    >>> line = Line("m", fills=True, clock=VenueClock())
    >>> one, two, three = (Traded(id_, 1, 2.0, 3.0, 1) for id_ in ("1", "2", "3"))
    >>> line.trade(one, at=10)
    >>> line.lost("disconnect")
    >>> line.trade(three, at=20)
    >>> [hole] = line.wishes()
    >>> line.filled(hole.ask(), [two], all_there=True, now=30)
    >>> [trades.id for trades in line.tape.take()]
    [array([1, 2, 3])]

    """

    def __init__(self, market: str, fills: bool, clock: VenueClock) -> None:
        self.fills, self.clock = fills, clock
        self.counts = Counts()
        self.tape = FeedTape(market)
        self.hole: Hole | None = None
        """What all waits for now."""
        self._seen = SeenIds()
        self._resumed: Traded | None = None
        self._waiting: deque[tuple[_Item, Time]] = deque()
        self._doubt: _Doubt | None = None
        self._wishes: list[Hole] = []
        self._late: list[Traded] = []

    def wishes(self) -> list[Hole]:
        """Return the holes to be filled since the last call."""
        wishes, self._wishes = self._wishes, []
        return wishes

    def late(self) -> list[Traded]:
        """Return the trades since the last call that were found too late for the tape."""
        late, self._late = self._late, []
        return late

    def seen(self, trade: Traded) -> bool:
        """Tell whether a trade came already."""
        return trade.id in self._seen or self._written(trade)

    def resume(self, written: Written) -> None:
        """Go on behind what was written elsewhere."""
        self.tape.last = self._resumed = written.last
        self.tape.moved = written.moved
        self._mark(written.last)
        for id_ in written.beside:
            self._seen.add(id_)

    def trade(self, trade: Traded, at: Time) -> None:
        """Take a trade that did not come before."""
        self._mark(trade)
        self._put(trade, at)

    def event(self, event: Event, at: Time) -> None:
        """Take anything else."""
        self._put(event, at)

    def lost(self, why: str) -> None:
        """Say that trades may be missing from here on."""
        if self.hole is None or self.hole.until is not None:
            self._put(_Loss(why), 0)

    @property
    def doubt(self) -> str | None:
        """Why REST should be asked whether trades are missing up to now."""
        doubt = self._doubt
        return None if doubt is None or doubt.looked else doubt.why

    def ask(self, why: str, now: Time) -> None:
        """Let REST be asked what came behind the newest trade."""
        self._open(why, None, now)

    def filled(self, ask: Ask, trades: list[Traded], all_there: bool, now: Time) -> None:
        """Take what REST answered."""
        hole = ask.hole
        if hole is not self.hole:
            if ask.until is hole.until:  # else it goes on behind the hole, without telling where
                self._put_aside(hole.too_late(trades))
        elif hole.add(ask, trades, all_there):
            self._close(hole, now, whole=True)

    def give_up(self, hole: Hole, now: Time) -> None:
        """Wait for a hole no more."""
        if hole is self.hole:
            self._close(hole, now, whole=False)

    def _put(self, item: _Item, at: Time) -> None:
        """Write what comes next, or let it wait."""
        hole = self.hole
        if hole is None:
            self._pass(item, at)
        elif isinstance(item, Traded) and hole.take(item):
            if hole.full():
                self._close(hole, at, whole=True)
        else:
            self._wait(hole, item, at)

    def _wait(self, hole: Hole, item: _Item, at: Time) -> None:
        self._waiting.append((item, at))
        if isinstance(item, Traded) and hole.until is None and not self._straggles(item):
            hole.until = item
            hole.numbered = self._numbered(item)
            if not jumps(hole.last, item) or hole.full():
                self._close(hole, at, whole=True)
                return
        if len(self._waiting) > ROOM:
            self._close(hole, at, whole=False)

    def _pass(self, item: _Item, at: Time) -> None:
        """Write what comes next, unless a hole opens in front of it."""
        if isinstance(item, _Loss):
            self._doubt = _Doubt(item.why)
        elif isinstance(item, Traded):
            why = self._missing(item)
            if why is None:
                self._write(item, at)
            else:
                self._open(why, item, at)
        elif isinstance(item, (Book, Heartbeat)) and self._doubt and not self._doubt.looked:
            self._open(self._doubt.why, None, at)
            self._put(item, at)
        else:
            self.tape.event(item, at)

    def _missing(self, trade: Traded) -> str | None:
        """Return why trades may be missing in front of this one, if they may."""
        last = self.tape.last
        if last is not None and (not jumps(last, trade) or self._straggles(trade)):
            return None
        if self._doubt is not None:
            return self._doubt.why
        return "ids" if last is not None and self._numbered(trade) else None

    def _written(self, trade: Traded) -> bool:
        """Tell whether a trade was in front of what this went on behind: some streams begin so."""
        last = self._resumed
        if last is None or trade.ts > last.ts:
            return False
        number, end = whole(trade.id), whole(last.id)
        return number is not None and end is not None and number <= end

    def _straggles(self, trade: Traded) -> bool:
        """Tell whether a trade is older than the newest, by its id."""
        number, top = whole(trade.id), self.tape.steps.top
        return number is not None and top is not None and number <= top

    def _numbered(self, trade: Traded) -> bool:
        """Tell whether ids tell what is missing between the newest trade and this one."""
        return self.tape.steps.trusted and whole(trade.id) is not None

    def _open(self, why: str, until: Traded | None, at: Time) -> None:
        """Let all wait from here on, until what may be missing is found."""
        last, self._doubt = self.tape.last, _Doubt(why, looked=True)
        if last is None:
            self._begin(why, until, at)
            return
        numbered = until is not None and self._numbered(until)
        hole = self.hole = Hole(why, last, at, numbered, until)
        self.counts.holes += 1
        if until is not None:
            self._waiting.append((until, at))
        if self.fills and last.id and (until is None or until.id):
            self._wishes.append(hole)
        else:
            self._close(hole, at, whole=False)

    def _begin(self, why: str, until: Traded | None, at: Time) -> None:
        """Mark a hole that has no trade in front of it."""
        if self.tape.at is not None:
            self.tape.gap(why, None, until, self.clock.at(at))
            self.counts.gaps += 1
        if until is not None:
            self._write(until, at)

    def _close(self, hole: Hole, now: Time, whole: bool) -> None:
        """Write what was found of a hole, and a `Gap` for the rest; let the others go on."""
        time = self.clock.at(now)
        missed = hole.missed(self._seen)
        usable, aside = whole or hole.numbered, hole.skips(self._seen)
        old = [trade for trade in missed if not usable or trade.ts < self.tape.moved]
        fresh = [trade for trade in missed if usable and trade.ts >= self.tape.moved]
        for trade in fresh:
            self._mark(trade)
        gaps = self.tape.fill(hole, fresh, not whole or bool(old) or aside, now, time)
        self.counts.filled += len(fresh)
        self.counts.trades += len(fresh)
        self.counts.gaps += gaps
        hole.open, self.hole = False, None
        if gaps:
            hole.lacking = time if hole.until is None else hole.until.ts
            self._put_aside(hole.too_late(old), hole.came)
        self._go_on(hole)

    def _go_on(self, hole: Hole) -> None:
        waiting, self._waiting = self._waiting, deque()
        for item, at in waiting:
            if item is hole.until:
                self._write(hole.until, at)
            else:
                self._put(item, at)

    def _write(self, trade: Traded, at: Time) -> None:
        self.counts.trades += 1
        if not self._straggles(trade):
            self._doubt = None
        self.tape.trade(trade, at)

    def _mark(self, trade: Traded) -> None:
        """Remember a trade, and all that it is the sum of."""
        number = whole(trade.id)
        if number is None or trade.parts == 1:
            self._seen.add(trade.id)
            return
        for id_ in range(number - trade.parts + 1, number + 1):
            if str(id_) not in self._seen:
                self._seen.add(str(id_))

    def _put_aside(self, trades: list[Traded], came: Collection[str] = ()) -> None:
        """Hand out trades that come too late for the tape; not twice, but for those that `came`."""
        for trade in trades:
            if trade.id in came or trade.id not in self._seen:
                self._mark(trade)
                self._late.append(trade)
                self.counts.late += 1
