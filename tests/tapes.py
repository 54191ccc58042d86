"""Ugly tapes of one market, and how to cut, play and compare them: shared by all machines' tests.

`feeds()` builds what a log holds: late trades, repeated ids, holes, stamps nobody can believe.
`tapes()` builds what stands behind the tape entry: time never falls. Both come as a list of
events; `chop` cuts the same rows differently, `play` lets a machine read them, restarted wherever
you like, `canonical` writes what came out row by row, so that two answers can be compared, and
`witnessed` does both, and reckons what the machine knows at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from decimal import Decimal
from itertools import groupby, pairwise
from random import Random
from typing import Literal, NamedTuple, TypeAlias

from hypothesis import strategies as st

from infra.verify.sameness import Sameness
from operators.tape import Machine, _Logic
from schemas import (
    DAY,
    MINUTE,
    SECOND,
    Book,
    Command,
    Event,
    Gap,
    Heartbeat,
    Instrument,
    Reject,
    Report,
    Time,
    Trades,
    Value,
)

MARKET = "test:BTC/USDT"
FLOW = "demo"
START: Time = 1_700_000_040 * SECOND
"""A whole minute."""
EVERYWHERE = range(1_000_000)
"""The cuts that make slices of one trade each, and the restarts in front of every event."""


# Rows, and what can be done with them -------------------------------------------------------------


class Trade(NamedTuple):
    """One row of `Trades`."""

    market: str
    ts: Time
    price: float
    size: float
    side: int
    id: int | str | None
    stamp: Time
    received: Time | None


def rows(events: Iterable[Event]) -> Iterator[Trade | Event]:
    """Yield the events one by one, and of `Trades` each row."""
    for event in events:
        if not isinstance(event, Trades):
            yield event
            continue
        nothing = [None] * len(event)
        yield from (
            Trade(event.market, *row)
            for row in zip(
                event.ts.tolist(), event.price.tolist(), event.size.tolist(), event.side.tolist(),
                nothing if event.id is None else event.id.tolist(),
                event.stamp.tolist(),
                nothing if event.received is None else event.received.tolist(),
                strict=True,
            )
        )  # fmt: skip


def trades_of(events: Iterable[Event]) -> list[Trade]:
    """Return the rows of `Trades` only."""
    return [row for row in rows(events) if isinstance(row, Trade)]


def canonical(events: Iterable[Event]) -> list[str]:
    """Return a text for each row: equal only if all is, to the last bit, and of the same type."""
    return [repr(row) for row in rows(events)]


def sliced(trades: Iterable[Trade]) -> Trades:
    """Return one slice of these rows."""
    market, ts, price, size, side, ids, stamp, received = zip(*trades, strict=True)
    return _slice(market[0], ts, price, size, side, ids, stamp, received)


def _slice(
    market: str,
    ts: tuple[Time, ...],
    price: tuple[float, ...],
    size: tuple[float, ...],
    side: tuple[int, ...],
    ids: tuple[int, ...] | tuple[str, ...] | tuple[None, ...],
    stamp: tuple[Time, ...],
    received: tuple[Time, ...] | tuple[None, ...],
) -> Trades:
    trades = Trades.of(
        market, stamp, price, size, side,
        None if ids[0] is None else ids,
        None if received[0] is None else received,
    )  # fmt: skip
    if ts != stamp:
        trades.columns.ts = Trades.of(market, ts, price, size).ts
    return trades


def chop(events: Iterable[Event], cuts: Container[int] = ()) -> list[Event]:
    """Return the same rows in other slices: cut in front of the rows `cuts`, and nowhere else.

    All events count as rows. Slices of one stretch are views of one block, as from a source.
    """
    chopped: list[Event] = []
    for key, run in groupby(enumerate(rows(events)), _joinable):
        if key is None:
            chopped.extend(event for _, event in run if not isinstance(event, Trade))
            continue
        numbers, trades = zip(*run, strict=True)
        block = sliced(trades)
        edges = [row for row, number in enumerate(numbers) if row == 0 or number in cuts]
        chopped.extend(block.cut(a, b) for a, b in pairwise([*edges, len(block)]))
    return chopped


def _joinable(numbered: tuple[int, Trade | Event]) -> object:
    row = numbered[1]
    if not isinstance(row, Trade):
        return None
    return row.market, type(row.id), type(row.received)


def play(
    make: Callable[[], Machine], tape: Iterable[Event], restarts: Container[int] = ()
) -> list[Event]:
    """Let a machine read the tape as the engine does, from a snapshot before events `restarts`.

    No event may change once it is out.
    """
    return _played(make, tape, restarts)[0]


def witnessed(
    make: Callable[[], Machine], tape: Iterable[Event], restarts: Container[int] = ()
) -> tuple[list[str], bytes]:
    """Return all that can be told of a machine that read a tape: what came out, what it knows."""
    out, logic = _played(make, tape, restarts)
    return canonical(out), Sameness().digest(logic.machine.state)


def _played(
    make: Callable[[], Machine], tape: Iterable[Event], restarts: Container[int]
) -> tuple[list[Event], _Logic]:
    logic, out, born = _Logic("step", make(), None), list[Event](), list[str]()
    for number, event in enumerate(tape):
        if number in restarts:
            logic = _Logic("step", make(), logic.snapshot())
        strips, _ = logic.on_batch([[event]])
        fresh = [event for strip in strips for event in strip]
        out += fresh
        born += canonical(fresh)
    assert canonical(out) == born
    return out, logic


# Ugly tapes ---------------------------------------------------------------------------------------

Ids: TypeAlias = Literal["whole", "text", "none"]
Move: TypeAlias = "int | Literal['boundary', 'just before']"

MOVES: list[Move] = [
    0, 0, 0, 1, 1_000, 300_000_000, SECOND, SECOND + 1, 7 * SECOND, 20 * SECOND, MINUTE,
    "boundary", "boundary", "just before", "just before", 5 * MINUTE, 61 * MINUTE, 8 * 60 * MINUTE,
    DAY, DAY + 1, 3 * DAY,
]  # fmt: skip
"""How far time goes: often not at all, or exactly to a whole minute, sometimes over a day."""

SIZES = [0.1, 0.2, 0.3, 0.7, 1.0, 3.0, 1e-8, 1e-3, 12_345.678, 1e7 / 3]
"""Whose sums depend on the order they are added in."""

QUIET = ("heartbeat", "book", "gap", "value")
TRADED = ("trade", "trade", "burst", "behind")
CLERICAL = ("instrument", "report", "command", "reject")
WRONG = ("late", "again", "hole", "wild", "wild", "others", "shuffled")

Step: TypeAlias = tuple[str, Move, int]
"""What happens, after how long, and a seed for all the rest."""


def steps(kinds: Iterable[str], most: int) -> st.SearchStrategy[list[Step]]:
    """Return what may happen on a tape, in order."""
    step = st.tuples(st.sampled_from(list(kinds)), st.sampled_from(MOVES), st.integers(0, 9_999))
    return st.lists(step, max_size=most)


@st.composite
def tapes(draw: st.DrawFn, kinds: Iterable[str] = (*TRADED, *QUIET), most: int = 20) -> list[Event]:
    """Build a tape as it stands behind the entry: `ts` never falls, and silences are gaps."""
    ids: Ids = draw(st.sampled_from(["whole", "text", "none"]))
    events = _Maker(ids, None).make(draw(steps(kinds, most)))
    return chop(_timed(rows(events)), draw(cuts()))


@st.composite
def feeds(
    draw: st.DrawFn,
    kinds: Iterable[str] = (*TRADED, *QUIET, *CLERICAL, *WRONG),
    most: int = 20,
) -> list[Event]:
    """Build what a log may hold of a market: all that can go wrong, with our clock and without."""
    ids: Ids = draw(st.sampled_from(["whole", "text", "none"]))
    delay = draw(st.sampled_from([None, None, 5_000_000, -1_270_000_000, 3 * DAY]))
    return chop(_Maker(ids, delay).make(draw(steps(kinds, most))), draw(cuts()))


def cuts(most: int = 400) -> st.SearchStrategy[Container[int]]:
    """Return where to cut a tape: nowhere, everywhere, or in front of some rows."""
    return st.just(()) | st.just(EVERYWHERE) | st.sets(st.integers(0, most), max_size=30)


def _timed(raw: Iterable[Trade | Event]) -> Iterator[Event]:
    """Give rows their tape time, as plainly as can be."""
    clock = time = -1
    for row in raw:
        before = time
        if isinstance(row, Trade):
            clock = max(clock, row.stamp)
            time = max(clock, time)
        elif isinstance(row, (Book, Heartbeat)):
            time = max(time, row.ts - SECOND)
        if before >= 0 and time - before > DAY:
            yield Gap(MARKET, before, "silence", before, time)
        if isinstance(row, Trade):
            yield sliced([row._replace(ts=time)])
        elif isinstance(row, Book):
            yield Book(MARKET, time, row.bids, row.asks, row.sequence, row.ts)
        elif isinstance(row, Heartbeat):
            yield Heartbeat(MARKET, time, row.ts)
        elif not isinstance(row, Trades):
            row.ts = row.ts if time < 0 else time
            yield row


class _Maker:
    """Turn steps into events of a log."""

    def __init__(self, ids: Ids, delay: Time | None) -> None:
        self.ids, self.delay = ids, delay
        self.now, self.price, self.number = START, 10_000, 1
        self.random = Random(0)

    def make(self, steps: Iterable[Step]) -> list[Event]:
        return [event for step in steps for event in self._step(*step)]

    def _step(self, kind: str, move: Move, seed: int) -> Iterator[Event]:
        self.random = Random(seed)
        if move == "boundary":
            self.now += MINUTE - self.now % MINUTE
        elif move == "just before":
            self.now += MINUTE - 1 - self.now % MINUTE
        else:
            self.now += move
        yield from getattr(self, f"_{kind}")()

    def _received(self) -> Time | None:
        return None if self.delay is None else self.now + self.delay + self.random.randrange(10**8)

    def _row(self, ahead: Time = 0, number: int | None = None) -> Event:
        if number is None:
            number, self.number = self.number, self.number + 1
        self.price = max(self.price + self.random.choice([-25, -1, 0, 0, 0, 1, 25]), 1)
        ids: dict[Ids, int | str | None] = {"whole": number, "text": f"t{number}", "none": None}
        size, side = self.random.choice(SIZES), self.random.choice([1, -1, 0])
        stamp = self.now + ahead
        return sliced(
            [
                Trade(
                    MARKET,
                    stamp,
                    self.price / 100,
                    size,
                    side,
                    ids[self.ids],
                    stamp,
                    self._received(),
                )
            ]
        )

    def _trade(self) -> Iterator[Event]:
        yield self._row()

    def _burst(self) -> Iterator[Event]:
        """Trade many times, mostly at the stamp of the one before."""
        step = self.random.choice([0, 1, 10**7, 10**9])
        for _ in range(self.random.choice([2, 25, 60, 150])):
            self.now += self.random.choice([0, 0, 0, step])
            yield self._row()

    def _behind(self) -> Iterator[Event]:
        """Trade behind the trade clock, but not too far to count."""
        yield self._row(-self.random.choice([1, SECOND // 2, SECOND]))

    def _late(self) -> Iterator[Event]:
        yield self._row(-self.random.choice([SECOND + 1, 5 * SECOND, 3600 * SECOND, 2 * DAY]))

    def _again(self) -> Iterator[Event]:
        """Use an id again, or one of a hole: then it fills it."""
        yield self._row(0, max(self.number - self.random.choice([1, 2, 9, 40]), 1))

    def _hole(self) -> Iterator[Event]:
        self.number += self.random.choice([1, 2, 30])
        yield self._row()

    def _shuffled(self) -> Iterator[Event]:
        """Trade with ids that do not come in order."""
        numbers = [self.number + i for i in range(self.random.randrange(2, 9))]
        self.number += len(numbers)
        self.random.shuffle(numbers)
        yield from (self._row(0, number) for number in numbers)

    def _wild(self) -> Iterator[Event]:
        """Stamp as nobody can believe: too few times, just enough, or too often; then go on."""
        ahead = self.random.choice([MINUTE // 2, MINUTE * 2, DAY, DAY * 2, 3650 * DAY])
        apart = self.random.choice([0, 0, 1, SECOND, 2 * DAY])
        for _ in range(self.random.choice([1, 1, 2, 2, 3, 4, 19, 20, 21])):
            yield self.random.choice([self._row, self._row, self._beat])(ahead)
            self.now += apart
        yield from self._burst()

    def _beat(self, ahead: Time = 0) -> Event:
        return Heartbeat(MARKET, self.now + ahead, received=self._received())

    def _heartbeat(self) -> Iterator[Event]:
        yield self._beat()

    def _book(self) -> Iterator[Event]:
        """Stamp a book behind, at, or in front of the trades around it."""
        ahead = self.random.choice([-2 * SECOND, 0, SECOND // 2, SECOND, SECOND + 1, 9 * SECOND])
        levels = range(1, self.random.choice([1, 2, 4]))
        size = self.random.choice(SIZES)
        yield Book(
            MARKET,
            self.now + ahead,
            [((self.price - i) / 100, size) for i in levels if self.price > i],
            [((self.price + i) / 100, size * i) for i in levels],
            received=self._received(),
        )

    def _gap(self) -> Iterator[Event]:
        yield Gap(MARKET, self.now, "disconnect", self.now - SECOND, self.now)

    def _value(self) -> Iterator[Event]:
        yield Value(MARKET, self.now, "funding", self.random.choice([0.0, -0.01, 1e300]))

    def _instrument(self) -> Iterator[Event]:
        cent = Decimal("0.01")
        summed = self.random.random() < 0.3
        yield Instrument(MARKET, self.now, cent, cent, Decimal(5), Decimal(1), summed=summed)

    def _report(self) -> Iterator[Event]:
        yield Report(MARKET, self.now, "main", FLOW, "x1", "filled", Decimal("1.5"))

    def _command(self) -> Iterator[Event]:
        yield Command(MARKET, self.now, "halt", self.random.choice(["", FLOW]), "me")

    def _others(self) -> Iterator[Event]:
        """Tell what is meant for another flow."""
        yield Report(MARKET, self.now, "main", "other", "x2", "filled")
        yield Command(MARKET, self.now, "resume", "other", "me")

    def _reject(self) -> Iterator[Event]:
        yield Reject(MARKET, self.now, "not JSON", "{")
