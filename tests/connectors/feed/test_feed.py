"""The feed of one market: nothing is lost unmarked, comes twice, or waits long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.exchange.rest_trades import Traded
from connectors.feed.books import PACE
from connectors.feed.feed import PATIENCE, MarketFeed
from connectors.feed.hole import Ask, Hole
from connectors.feed.ids import TRUSTED
from connectors.feed.tape import Written
from schemas import SECOND, Book, Event, Gap, Heartbeat, Reject, Time, Trades, Value

MS = SECOND // 1000
AHEAD = 1270 * MS
"""How far the exchange's clock is ahead of ours."""
STEP = 50 * MS
JITTER = 2 * MS
"""How far stamps of one moment are apart, in any order."""

Namer: TypeAlias = Callable[[int], str]
NAMERS: dict[str, Namer] = {
    "consecutive": lambda index: str(1_000 + index),
    "rising": lambda index: str(1_000 + 7 * index),
    "texts": lambda index: f"t{index * 7919 % 100_003}",
}


class Row(NamedTuple):
    id: str
    ts: Time


def rows(event: Event) -> list[Row]:
    if not isinstance(event, Trades):
        return []
    ids = [""] * len(event) if event.id is None else event.id.tolist()
    return [Row(str(id_), ts) for id_, ts in zip(ids, event.ts.tolist(), strict=True)]


def flat(tape: Sequence[Event]) -> list[object]:
    """Return a tape as nobody cut it."""
    out: list[object] = []
    for event in tape:
        out += rows(event) if isinstance(event, Trades) else [event]
    return out


class World:
    """An exchange, its stream and its REST, as a test wants them; what came out is on `tape`."""

    def __init__(self, namer: Namer, one_by_one: bool = False) -> None:
        self.feed = MarketFeed("m")
        self.namer, self.one_by_one = namer, one_by_one
        self.now: Time = 1_000 * SECOND
        self.trades: list[Traded] = []
        self.under_way: list[Traded] = []
        self.connected = True
        self.holes: list[Hole] = []
        self.asked: Ask | None = None
        self.told = 0
        self.tape: list[Event] = []
        self.late: list[Traded] = []
        self.arrived: dict[str, Time] = {}
        self.longest: Time = 0

    def happen(self, count: int) -> list[Traded]:
        for _ in range(count):
            index = len(self.trades)
            ts = self.now + AHEAD + index % 3 * JITTER // 2
            self.trades.append(Traded(self.namer(index), ts, 100.0 + index, 1.0, 1))
        return self.trades[-count:]

    def deliver(self, trades: Sequence[Traded]) -> None:
        if not trades:
            return
        for trade in trades:
            self.arrived.setdefault(trade.id, self.now)
        for piece in [[trade] for trade in trades] if self.one_by_one else [trades]:
            self.feed.trades(piece, self.now)
        self.collect()

    def collect(self) -> None:
        self.holes += self.feed.wishes()
        for event in self.feed.take():
            names = [row.id for row in rows(event)]
            if isinstance(event, Book):
                names = [str(event.sequence)]
            for name in names:
                self.longest = max(self.longest, self.now - self.arrived.get(name, self.now))
            self.tape.append(event)
        self.late += self.feed.late()

    def trade(self, count: int) -> None:
        self.linger(count)
        self.deliver(self._arriving())

    def linger(self, count: int) -> None:
        """Let trades happen that REST knows before the stream brings them."""
        trades = self.happen(count)
        if self.connected:
            self.under_way += trades

    def skip(self, count: int) -> None:
        self.happen(count)

    def swap(self, count: int) -> None:
        self.linger(count + 1)
        self.deliver(self._arriving()[::-1])

    def repeat(self, count: int) -> None:
        if self.connected:
            self.deliver([t for t in self.trades[-count:] if t.id in self.arrived])

    def lose(self, _: int) -> None:
        self.connected, self.under_way = False, []
        self.feed.lost("disconnect")
        self.collect()

    def back(self, _: int) -> None:
        if not self.connected:
            self.connected = True
            self.feed.back(self.now)

    def book(self, count: int) -> None:
        sequence = len(self.arrived) + 10_000_000
        self.arrived[str(sequence)] = self.now
        price = 100.0 + sequence % 97
        book = Book("m", self.now + AHEAD, [(price, 1.0 * count)], [(price + 1, 1.0)], sequence)
        self.feed.book(book, self.now)
        self.collect()

    def wait(self, steps: int) -> None:
        for _ in range(steps * steps):
            self.now += STEP
            self.feed.look(self.now, self.now if self.connected else None)
            self.collect()

    def answer(self, how: int) -> None:
        """Answer the oldest question: wholly, a page of it, from its end, or not at all."""
        if not self.holes:
            return
        hole = self.holes[0]
        ask = self.asked or hole.ask()
        between = self._between(ask)
        if how == 1:
            begin, self.told = self.told, (self.told + len(between) + 1) // 2
            self.feed.filled(ask, between[begin : self.told], whole=False, now=self.now)
        elif how == 2:
            self.feed.filled(ask, between[len(between) // 2 :], whole=False, now=self.now)
        elif how == 0:
            self.feed.filled(ask, between, whole=True, now=self.now)
        else:
            self.feed.failed(hole, self.now)
        self.asked = ask if how in (1, 2) else None
        if self.asked is None:
            self.told = 0
            if not hole.open:
                self.holes.pop(0)
        self.collect()

    def _arriving(self) -> list[Traded]:
        trades, self.under_way = self.under_way, []
        return trades

    def _between(self, ask: Ask) -> list[Traded]:
        start = self.trades.index(ask.last) + 1
        stop = len(self.trades) if ask.until is None else self.trades.index(ask.until)
        return self.trades[start:stop]

    def end(self) -> None:
        self.back(0)
        self.wait(2)
        self.trade(1)
        self.wait(7)  # 2.45 s
        while self.holes:
            self.answer(0)


ACTIONS = (
    "trade", "linger", "skip", "swap", "repeat", "lose", "back", "book", "wait", "answer",
)  # fmt: skip
SCRIPTS = st.lists(st.tuples(st.sampled_from(ACTIONS), st.integers(0, 4)), max_size=25)
OVERTAKEN = [
    ("lose", 0), ("trade", 2), ("back", 0), ("wait", 4),
    ("answer", 1), ("linger", 1), ("answer", 1), ("answer", 1), ("trade", 1),
]  # fmt: skip
"""REST tells of what was lost in pages, and of a trade that the stream brings before the last."""
PUT_ASIDE = [
    ("lose", 0), ("trade", 2), ("back", 0), ("wait", 4),
    ("answer", 1), ("answer", 3), ("swap", 1), ("answer", 0), ("wait", 2), ("skip", 1),
]  # fmt: skip
"""A trade that REST told of and that was put aside stands in front of the next ones."""


def play(kind: str, script: Sequence[tuple[str, int]], one_by_one: bool = False) -> World:
    world = World(NAMERS[kind], one_by_one)
    world.trade(TRUSTED + 5)
    for action, count in script:
        if action in ("skip", "swap") and kind != "consecutive":
            continue  # nobody can see it
        getattr(world, action)(count if action in ("answer", "wait") else max(count, 1))
    world.end()
    return world


def check(world: World) -> None:
    place = {trade.id: index for index, trade in enumerate(world.trades)}
    on_tape = [row.id for event in world.tape for row in rows(event)]
    aside = [trade.id for trade in world.late]
    assert len({*on_tape, *aside}) == len(on_tape) + len(aside), "no id twice"
    newest, gaps = place[on_tape[0]] - 1, list[Gap]()
    for event in world.tape:
        if isinstance(event, Gap):
            gaps.append(event)
        for row in rows(event):
            assert place[row.id] > newest, "in the order of the exchange"
            for missing in world.trades[newest + 1 : place[row.id]]:
                assert any(gap.start - JITTER <= missing.ts <= gap.end + JITTER for gap in gaps), (
                    "marked"
                )
            if place[row.id] > newest + 1:
                gaps = [gap for gap in gaps if gap.end + JITTER > row.ts]
            newest = place[row.id]
    assert newest == len(world.trades) - 1
    assert world.longest <= PATIENCE + PACE + STEP


@pytest.mark.parametrize("kind", NAMERS)
@given(script=SCRIPTS)
@example(script=OVERTAKEN)
@example(script=PUT_ASIDE)
def test_whatever_happens_all_is_on_the_tape_once_and_in_order_or_marked_as_missing(
    kind: str, script: list[tuple[str, int]]
) -> None:
    check(play(kind, script))


@pytest.mark.parametrize("kind", NAMERS)
@given(script=SCRIPTS)
def test_arrivals_in_other_pieces_give_the_same_tape(
    kind: str, script: list[tuple[str, int]]
) -> None:
    whole, pieces = play(kind, script), play(kind, script, one_by_one=True)
    assert flat(whole.tape) == flat(pieces.tape)
    assert whole.late == pieces.late
    assert whole.feed.counts == pieces.feed.counts


def busy(kind: str = "consecutive", fills: bool = True) -> World:
    """Return a market whose ids are known to count, if they do."""
    world = World(NAMERS[kind])
    world.feed = MarketFeed("m", fills)
    world.trade(TRUSTED + 5)
    world.tape.clear()
    return world


def kinds(world: World) -> list[str]:
    return [type(event).__name__ for event in world.tape]


def test_all_that_comes_behind_a_hole_waits_for_it_in_its_order() -> None:
    world = busy()
    world.skip(2)
    world.trade(1)
    world.feed.event(Value("m", 1, "x", 2.0), world.now)
    world.book(1)
    world.trade(1)
    assert not world.tape
    world.answer(0)
    assert kinds(world) == ["Trades", "Value", "Book", "Trades"]
    assert world.feed.counts.filled == 2
    assert len(rows(world.tape[0])) == 3
    world.deliver(world.trades[-4:])
    assert world.feed.counts.repeated == 4, "the stream brings what was filled, too"


@pytest.mark.parametrize("one_by_one", [True, False])
def test_a_book_stands_behind_the_trade_that_proves_it(one_by_one: bool) -> None:
    world = busy()
    world.one_by_one = one_by_one
    world.now += 5 * SECOND
    world.book(1)
    assert not world.tape
    world.trade(2)
    assert [len(rows(event)) for event in world.tape] == [1, 0, 1]


def test_what_came_in_the_wrong_order_is_put_right_without_asking() -> None:
    world = busy()
    one, two, three = world.happen(3)
    world.deliver([three, one, two])
    assert [row.id for row in rows(world.tape[0])] == [one.id, two.id, three.id]
    assert not world.holes[0].open


def test_too_many_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.feed.line.ROOM", 10)
    world = busy()
    world.skip(1)
    world.trade(9)
    assert not world.tape
    world.trade(9)
    assert kinds(world) == ["Gap", "Trades"]


@pytest.mark.parametrize("kind", ["consecutive", "texts"])
def test_what_can_never_be_filled_is_marked_at_once(kind: str) -> None:
    world = busy(kind, fills=False)
    world.lose(0)
    world.skip(1)
    world.back(0)
    world.trade(1)
    [gap, trades] = world.tape
    assert isinstance(gap, Gap)
    assert gap.why == "disconnect"
    assert len(rows(trades)) == 1
    assert not world.holes


def test_trades_without_ids_are_never_repeated_and_their_holes_are_marked() -> None:
    world = World(lambda _: "")
    world.trade(2)
    world.trade(1)
    world.lose(0)
    world.back(0)
    world.trade(1)
    assert kinds(world) == ["Trades", "Trades", "Gap", "Trades"]
    assert world.feed.counts.repeated == 0


def test_the_id_that_follows_directly_needs_no_rest() -> None:
    world = busy()
    world.lose(0)
    world.back(0)
    world.trade(1)
    assert kinds(world) == ["Trades"]
    assert not world.holes


def test_a_market_that_stays_quiet_behind_a_reconnect_is_asked_about() -> None:
    world = busy("texts")
    world.lose(0)
    world.skip(2)
    world.wait(2)
    assert not world.tape, "no heartbeat while trades may be missing"
    world.back(0)
    world.wait(4)
    assert world.holes[0].until is None
    world.answer(0)
    assert [len(rows(event)) for event in world.tape] == [2]
    world.wait(5)
    assert kinds(world)[1:] == ["Heartbeat"]


def test_books_of_a_time_without_trades_are_refused() -> None:
    world = busy()
    world.lose(0)
    world.book(1)
    world.back(0)
    world.trade(1)
    assert kinds(world) == ["Trades"]
    assert world.feed.counts.refused == 1


def test_a_trade_found_behind_a_closed_candle_is_put_aside() -> None:
    world = busy()
    world.skip(1)
    world.wait(7)
    assert kinds(world) == ["Heartbeat"] * len(world.tape)
    assert len(world.tape) == 2
    world.trade(1)
    world.answer(0)
    assert kinds(world)[2:] == ["Gap", "Trades"]
    assert len(world.late) == 1


@pytest.mark.parametrize("kind", ["consecutive", "texts"])
def test_what_is_found_when_nobody_waits_any_more_is_put_aside(kind: str) -> None:
    world = busy(kind)
    world.lose(0)
    world.skip(2)
    world.back(0)
    world.trade(1)
    world.wait(7)
    assert kinds(world)[:2] == ["Gap", "Trades"]
    world.answer(0)
    assert world.late == world.trades[-3:-1]
    assert world.feed.counts.late == 2


def test_a_restart_begins_behind_the_last_trade_of_the_log() -> None:
    world = busy("texts")
    feed = world.feed = MarketFeed("m")
    feed.resume(Written(world.trades[-1]))
    feed.back(world.now)
    world.skip(3)
    world.trade(1)
    assert not world.tape
    world.answer(0)
    assert [len(rows(event)) for event in world.tape] == [4]


def test_a_restart_writes_nothing_twice_of_the_moment_at_which_the_log_ends() -> None:
    feed = MarketFeed("m")
    one, two, three = (Traded(id_, 7, 1.0, 1.0, 1) for id_ in "abc")
    feed.resume(Written(one, frozenset("ab")))
    feed.trades([three], 9)
    [hole] = feed.wishes()
    feed.filled(hole.ask(), [two], whole=True, now=9)
    assert [row.id for event in feed.take() for row in rows(event)] == ["c"]


def test_a_restart_puts_aside_what_is_older_than_the_time_in_the_log() -> None:
    feed = MarketFeed("m")
    one, two, three = (Traded(str(id_), id_ * SECOND, 1.0, 1.0, 1) for id_ in (1, 2, 3))
    feed.resume(Written(one, moved=2 * SECOND + 1))
    feed.trades([three], 9 * SECOND)
    [hole] = feed.wishes()
    feed.filled(hole.ask(), [two], whole=True, now=9 * SECOND)
    assert feed.late() == [two]
    assert [type(event) for event in feed.take()] == [Gap, Trades]


def test_a_stream_that_begins_with_what_the_log_has_repeats_it() -> None:
    feed = MarketFeed("m")
    told = [Traded(str(id_), id_, 1.0, 1.0, 1) for id_ in range(1, 5)]
    feed.resume(Written(told[2]))
    feed.trades(told, 9)
    assert [row.id for event in feed.take() for row in rows(event)] == ["4"]
    assert feed.counts.repeated == 3


def test_a_heartbeat_says_no_more_than_what_was_heard() -> None:
    feed = MarketFeed("m")
    feed.clock.begin(AHEAD)
    feed.look(now=SECOND, heard=None)
    assert not feed.take()
    feed.look(now=2 * SECOND, heard=SECOND)
    [beat] = feed.take()
    assert isinstance(beat, Heartbeat)
    assert (beat.ts, beat.received) == (SECOND + AHEAD, 2 * SECOND)
    feed.look(now=4 * SECOND, heard=SECOND)
    assert not feed.take(), "nothing was heard since"
    feed.look(now=4 * SECOND, heard=3 * SECOND)
    assert len(feed.take()) == 1


def test_an_event_that_cannot_be_read_is_counted() -> None:
    world = busy()
    world.feed.event(Reject("m", 1, "why", "payload"), world.now)
    assert isinstance(world.feed.take()[0], Reject)
    assert world.feed.counts.rejects == 1


def test_our_clock_may_step_back_and_nothing_waits_for_it() -> None:
    world = busy()
    world.skip(1)
    world.trade(1)
    world.now -= 3_600 * SECOND
    world.wait(1)
    assert kinds(world)[:2] == ["Gap", "Trades"]


def test_ids_that_rest_has_no_trades_for_do_not_count() -> None:
    world = busy()
    for ahead in (500, 1_000):
        world.namer = lambda index, ahead=ahead: str(1_000 + index + ahead)  # type: ignore[misc]
        world.trade(1)
        for hole in world.holes:
            world.feed.filled(hole.ask(), [], whole=True, now=world.now)
        world.collect()
    assert len(world.holes) == 1
    assert kinds(world) == ["Trades", "Trades"]


def test_what_comes_by_itself_too_late_for_the_tape_is_late_and_not_lost() -> None:
    feed = MarketFeed("m")
    told = [Traded(str(n), n * SECOND, 1.0, 1.0, 1) for n in range(1, 34)]
    feed.trades(told[:30], 40 * SECOND)
    feed.event(Heartbeat("m", 60 * SECOND), 40 * SECOND)
    feed.trades([told[32], told[30], told[31]], 40 * SECOND)
    assert [trade.id for trade in feed.late()] == ["31", "32"]
    [gap] = [event for event in feed.take() if isinstance(event, Gap)]
    assert (gap.first_id, gap.last_id) == ("31", "32")
