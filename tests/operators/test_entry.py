from __future__ import annotations

import pickle
from collections.abc import Container, Iterator
from dataclasses import replace
from decimal import Decimal
from functools import partial
from statistics import median_low
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.entry import Entry
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
    Late,
    Reject,
    Repeated,
    Report,
    Time,
    Trades,
)
from schemas.wire import encode
from tests.tapes import (
    EVERYWHERE,
    FLOW,
    MARKET,
    START,
    Trade,
    canonical,
    chop,
    cuts,
    feeds,
    play,
    rows,
    sliced,
    trades_of,
    witnessed,
)

FEE = Decimal("0.001")
REMEMBERED = 50
"""Of ids, in these tests: few, so that tapes are long beside it."""

entry = partial(Entry, FLOW)


@pytest.fixture(autouse=True, scope="module")
def forgetful() -> Iterator[None]:
    with patch("operators.ids.REMEMBERED", REMEMBERED):
        yield


# The reference: DESIGN 5, a row at a time ---------------------------------------------------------

Timed = Trade | Book | Heartbeat


class Reference:
    """The tape entry as plainly as can be."""

    def __init__(self) -> None:
        self.clock = self.time = -1
        self.seen: list[int | str] = []
        self.top: int | None = None
        self.trust, self.told, self.summed = 0, False, False
        self.latest: Time | None = None
        self.distances: list[Time] = []
        self.held: list[Timed] = []

    def read(self, feed: list[Event]) -> list[str]:
        return [repr(out) for row in rows(feed) for out in self.take(row)]

    def take(self, row: Trade | Event) -> Iterator[Trade | Event]:
        if isinstance(row, Timed):
            yield from self.judge(row)
        elif isinstance(row, (Report, Command)) and row.flow not in ("", FLOW):
            return
        elif not isinstance(row, Trades):
            self.told |= isinstance(row, Gap)
            if isinstance(row, Instrument):
                self.summed = row.summed
            yield row if self.time < 0 else replace(row, ts=self.time)

    def judge(self, row: Timed) -> Iterator[Trade | Event]:
        """Hold what has an implausible stamp, until enough agree or one does not."""
        good = self.plausible(row)
        if self.held and (good or not agree(row, self.held[-1])):
            yield from map(self.reject, self.held)
            self.held = []
        if good:
            yield from self.enter(row)
            return
        self.held.append(row)
        by_jump = row.received is None or len(self.distances) < 20
        if len(self.held) == (3 if by_jump else 20):
            held, self.held, self.latest, self.distances = self.held, [], None, []
            if not by_jump:
                yield Gap(MARKET, self.time, "clock", self.time, stamp(held[0]))
            for each in held:
                yield from self.enter(each)

    def plausible(self, row: Timed) -> bool:
        if row.received is None or len(self.distances) < 20:
            first = stamp(row) if row.received is None else row.received
            return stamp(row) - (first if self.latest is None else self.latest) <= DAY
        return stamp(row) - row.received - median_low(self.distances[-101:]) <= MINUTE

    def enter(self, row: Timed) -> Iterator[Trade | Event]:
        if isinstance(row, Trade) and row.id is not None:
            if row.id in self.seen[-REMEMBERED:]:
                yield Repeated(*as_row(row, self.time))
                return
            yield from self.hole(row, row.id)
            self.seen.append(row.id)
        self.latest = max(self.latest or 0, stamp(row))
        if row.received is not None:
            self.distances.append(stamp(row) - row.received)
        before = self.time
        if isinstance(row, Trade):
            late = stamp(row) < self.clock - SECOND
            self.clock = max(self.clock, stamp(row))
            self.time = max(self.time, self.clock)
        else:
            late = False
            self.time = max(self.time, stamp(row) - SECOND)
        if before >= 0 and self.time - before > DAY:
            yield Gap(MARKET, before, "silence", before, self.time)
        if late and isinstance(row, Trade):
            yield Late(*as_row(row, self.time))
        elif isinstance(row, Trade):
            yield row._replace(ts=self.time)
        elif isinstance(row, Book):
            yield replace(row, ts=self.time, stamp=row.ts)
        else:
            yield replace(row, ts=self.time, stamp=row.ts)

    def hole(self, row: Trade, id_: int | str) -> Iterator[Event]:
        """Tell of ids that were skipped, of a market whose ids go up by one."""
        if isinstance(id_, str):
            return
        if self.top is None:
            self.top = id_
        elif id_ > self.top:
            if id_ == self.top + 1:
                self.trust = min(self.trust + 1, 1000)
            else:
                if self.trust >= 20 and not self.told and not self.summed:
                    first, last = str(self.top + 1), str(id_ - 1)
                    yield Gap(MARKET, self.time, "ids", self.time, row.stamp, first, last)
                self.trust = max(self.trust - 20, 0)
            self.top, self.told = id_, False

    def reject(self, row: Timed) -> Reject:
        why = f"stamp {stamp(row)} is implausible: the tape stands at {self.time}"
        event = sliced([row]) if isinstance(row, Trade) else row
        return Reject(MARKET, self.time, why, encode(event).decode())


def stamp(row: Timed) -> Time:
    return row.stamp if isinstance(row, Trade) else row.ts


def agree(row: Timed, other: Timed) -> bool:
    if row.received is None or other.received is None:
        return abs(stamp(row) - stamp(other)) <= DAY
    return abs(stamp(row) - row.received - stamp(other) + other.received) <= MINUTE


def as_row(row: Trade, ts: Time) -> tuple[str, Time, Time, float, float, int, str]:
    id_ = "" if row.id is None else str(row.id)
    return row.market, ts, row.stamp, row.price, row.size, row.side, id_


# Laws ---------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(feeds())
def test_the_entry_does_what_the_reference_does(feed: list[Event]) -> None:
    assert canonical(play(entry, feed)) == Reference().read(feed)


@settings(max_examples=200)
@given(feeds(), cuts(), cuts())
def test_no_cut_and_no_restart_changes_what_enters(
    feed: list[Event], cut: Container[int], restarts: Container[int]
) -> None:
    whole = witnessed(entry, chop(feed))
    assert witnessed(entry, chop(feed, cut), restarts) == whole
    assert witnessed(entry, chop(feed, EVERYWHERE), EVERYWHERE) == whole


@given(feeds(kinds=("wild", "trade", "burst", "heartbeat", "book", "others")))
def test_nothing_is_ever_lost(feed: list[Event]) -> None:
    machine = entry()
    out = [event for each in feed for event in machine(each)]
    born_here = [
        e for e in rows(out) if not (isinstance(e, Gap) and e.why in ("ids", "silence", "clock"))
    ]
    for_others = [e for e in feed if isinstance(e, (Report, Command)) and e.flow == "other"]
    assert len(list(rows(feed))) == len(born_here) + len(machine.state.held) + len(for_others)


@given(feeds())
def test_every_trade_enters_once_or_is_told_of(feed: list[Event]) -> None:
    machine = entry()
    out = [event for each in feed for event in machine(each)]
    told = [event for event in out if isinstance(event, (Late, Repeated))]
    refused = [e for e in out if isinstance(e, Reject) and '"type":"Trades"' in e.payload]
    held = [event for event in machine.state.held if isinstance(event, Trades)]
    assert len(trades_of(feed)) == len(trades_of(out)) + len(told) + len(refused) + len(held)


@given(feeds(kinds=("trade", "burst", "behind", "late", "wild", "book", "heartbeat", "hole")))
def test_time_never_falls(feed: list[Event]) -> None:
    times = [row.ts for row in rows(play(entry, feed)) if not isinstance(row, Trades)]
    assert times == sorted(times)


@given(feeds())
def test_a_second_of_our_clock_enters_no_derived_event(feed: list[Event]) -> None:
    shifted = [
        replace(e, received=e.received + SECOND)
        if isinstance(e, (Book, Heartbeat)) and e.received is not None
        else sliced(t._replace(received=t.received + SECOND) for t in trades_of([e]) if t.received)
        if isinstance(e, Trades) and e.received is not None
        else e
        for e in feed
    ]
    seen = [repr(r) for r in play(entry, feed) if isinstance(r, (Late, Repeated, Gap))]
    assert [repr(r) for r in play(entry, shifted) if isinstance(r, (Late, Repeated, Gap))] == seen


@given(st.integers(2, 400), st.integers(0, 3))
def test_a_slice_in_order_enters_as_the_same_object(count: int, step: int) -> None:
    ts = [START + i * step for i in range(count)]
    trades = Trades.of(MARKET, ts, [1.0] * count, [1.0] * count, id=list(range(count)))
    assert next(iter(Entry(FLOW)(trades))) is trades


# Cases --------------------------------------------------------------------------------------------


def trade(second: float, number: int | None = None, received: Time | None = None) -> Trades:
    ts = START + round(second * SECOND)
    return sliced([Trade(MARKET, ts, 1.0, 1.0, 1, number, ts, received)])


def beat(second: float, received: Time | None = None) -> Heartbeat:
    return Heartbeat(MARKET, START + round(second * SECOND), received=received)


def names(out: list[Event]) -> list[str]:
    return [type(event).__name__ for event in out]


def test_a_trade_at_the_tolerance_counts_and_one_behind_it_is_late() -> None:
    out = play(entry, [trade(10), trade(9), trade(9 - 1e-9), trade(8)])
    assert names(out) == ["Trades", "Trades", "Late", "Late"]
    assert {row.ts for row in rows(out)} == {START + 10 * SECOND}
    assert [row.stamp for row in trades_of(out)] == [START + 10 * SECOND, START + 9 * SECOND]


def test_a_late_trade_is_told_as_it_was() -> None:
    late = Trades.of(MARKET, [START, START - DAY], [1.0, 7.5], [1.0, 0.3], [1, -1], ["a", "b"])
    assert play(entry, [late])[1] == Late(MARKET, START, START - DAY, 7.5, 0.3, -1, "b")


def test_books_move_time_less_the_tolerance_and_make_no_trade_late() -> None:
    book = Book(MARKET, START + 60 * SECOND, [], [])
    out = play(entry, [trade(10), book, trade(11), beat(12)])
    assert names(out) == ["Trades", "Book", "Trades", "Heartbeat"]
    assert [(row.ts - START) // SECOND for row in rows(out)] == [10, 59, 59, 59]


def test_a_book_within_the_tolerance_does_not_move_time() -> None:
    out = play(entry, [trade(10), Book(MARKET, START + 11 * SECOND, [], [])])
    assert out[1] == Book(MARKET, START + 10 * SECOND, [], [], stamp=START + 11 * SECOND)


def test_reports_values_gaps_and_commands_move_no_time() -> None:
    far = START + 3600 * SECOND
    told: list[Event] = [
        Report(MARKET, far, "main", FLOW, "x", "filled"),
        Command(MARKET, far, "halt"),
        Gap(MARKET, far, "disconnect", START, far),
    ]
    out = play(entry, [trade(10), *told, trade(11)])
    assert [(row.ts - START) // SECOND for row in rows(out)] == [10, 10, 10, 10, 11]
    assert [event.ts for event in told] == [far] * 3


@pytest.mark.parametrize("flow", ["other", "demo2"])
def test_what_is_meant_for_another_flow_does_not_enter(flow: str) -> None:
    assert not play(entry, [Report(MARKET, 1, "main", flow, "x", "filled")])
    assert not play(entry, [Command(MARKET, 1, "halt", flow)])


def test_a_run_whose_orders_go_out_hears_only_of_its_own() -> None:
    reports: list[Event] = [
        Report(MARKET, START, "main", FLOW, "x", "filled", run=run, number=number)
        for number, run in enumerate(["mine", "former", ""])
    ]
    heard = play(lambda: Entry(FLOW, "mine"), reports)
    assert [out.number for out in heard if isinstance(out, Report)] == [0, 2]
    assert len(play(lambda: Entry(FLOW), reports)) == 3
    assert not play(lambda: Entry("other", "mine"), reports)
    assert names(play(lambda: Entry(FLOW, "mine"), [Command(MARKET, 1, "halt", FLOW)])) == [
        "Command"
    ]


def test_a_command_to_all_flows_enters() -> None:
    assert names(play(entry, [Command(MARKET, 1, "halt")])) == ["Command"]


def test_a_known_id_is_dropped_and_told() -> None:
    out = play(entry, [trade(1, 5), trade(2, 6), trade(3, 5)])
    assert names(out) == ["Trades", "Trades", "Repeated"]
    assert out[2] == Repeated(MARKET, START + 2 * SECOND, START + 3 * SECOND, 1.0, 1.0, 1, "5")


def test_a_hole_in_ids_that_go_up_by_one_is_a_gap_in_front_of_the_trade() -> None:
    feed = [trade(i, i) for i in range(30)]
    out = play(entry, [*feed, trade(31, 35), trade(32, 36)])
    time = START + 29 * SECOND
    assert out[30] == Gap(MARKET, time, "ids", time, START + 31 * SECOND, "30", "34")
    assert names(out[29:]) == ["Trades", "Gap", "Trades", "Trades"]


def test_a_hole_the_feed_told_of_is_told_once() -> None:
    feed = [trade(i, i) for i in range(30)]
    gap = Gap(MARKET, START, "disconnect", START, START)
    out = play(entry, [*feed, gap, trade(31, 35), trade(32, 36), trade(33, 40)])
    assert names(out[30:]) == ["Gap", "Trades", "Trades", "Trades"]


def test_a_market_whose_trades_are_summed_has_no_holes_while_it_says_so() -> None:
    told = Instrument(MARKET, START, None, FEE, FEE, FEE, summed=True)
    feed: list[Event] = [told, *(trade(i, i) for i in range(30)), trade(31, 35), trade(32, 36)]
    apart: list[Event] = [
        replace(told, summed=False),
        *(trade(i, i + 10) for i in range(33, 70)),
        trade(71, 99),
    ]
    assert "Gap" not in names(play(entry, feed))
    assert names(play(entry, feed + apart))[-2:] == ["Gap", "Trades"]


def test_ids_that_jump_anyhow_have_no_holes() -> None:
    out = play(entry, [trade(i, i * i) for i in range(60)])
    assert set(names(out)) == {"Trades"}


@pytest.mark.parametrize(("over", "gap"), [(0, []), (1, ["Gap"])])
def test_a_silence_of_more_than_a_day_is_a_gap(over: int, gap: list[str]) -> None:
    quiet = [Heartbeat(MARKET, START + SECOND), Heartbeat(MARKET, START + SECOND + DAY + over)]
    out = play(entry, [trade(0), *quiet[:1], trade(0), quiet[1], quiet[1]])
    assert "Gap" not in names(out[:3])
    early = play(entry, [trade(0, received=START), *([quiet[1]] * 3)])
    assert names(early) == ["Trades", *gap, *["Heartbeat"] * 3]
    if gap:
        assert early[1] == Gap(MARKET, START, "silence", START, START + DAY + 1)


def test_one_wild_stamp_is_rejected_whole_and_moves_no_time() -> None:
    feed = [trade(i, received=START + i * SECOND) for i in range(20)]
    wild = trade(3600, received=START + 20 * SECOND)
    out = play(entry, [*feed, wild, trade(21, received=START + 21 * SECOND)])
    assert names(out[20:]) == ["Reject", "Trades"]
    reject = out[20]
    assert isinstance(reject, Reject)
    assert reject.payload == encode(wild).decode()
    assert (reject.ts - START) // SECOND == 19


def test_a_feed_far_from_our_clock_is_believed_all_the_same() -> None:
    feed = [trade(i, received=START + i * SECOND - 3 * DAY) for i in range(50)]
    assert set(names(play(entry, feed))) == {"Trades"}


def test_a_bad_first_stamp_does_not_kill_a_market() -> None:
    bad = trade(75 * 365 * 86_400, received=START)
    good = [trade(i, received=START + i * SECOND) for i in range(30)]
    assert names(play(entry, [bad, *good])) == ["Reject", *["Trades"] * 30]


def test_a_young_market_waits_for_three_behind_a_silence_with_our_clock_too() -> None:
    later = [trade(2 * 86_400 + i, received=START + (2 * 86_400 + i) * SECOND) for i in range(3)]
    assert names(play(entry, [trade(0, received=START), *later])) == [
        "Trades",
        "Gap",
        *["Trades"] * 3,
    ]


@pytest.mark.parametrize("count", [19, 20, 21])
def test_twenty_that_agree_are_a_step_of_the_clock(count: int) -> None:
    feed = [trade(i, received=START + i * SECOND) for i in range(30)]
    ahead = [trade(i + 3600, received=START + i * SECOND) for i in range(30, 30 + count)]
    out = names(play(entry, [*feed, *ahead])[30:])
    assert out == ([] if count < 20 else ["Gap", *["Trades"] * count])


def test_a_step_of_the_clock_around_a_long_silence_loses_nothing() -> None:
    feed = [trade(i, received=START + i * SECOND) for i in range(30)]
    later = [i + (30 if i < 10 else 2 * 86_400) for i in range(20)]
    ahead = [trade(i + 3600, received=START + i * SECOND) for i in later]
    assert len(trades_of(play(entry, [*feed, *ahead]))) == 50


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_without_our_clock_three_that_agree_are_believed(count: int) -> None:
    out = play(entry, [trade(0), *[trade(3 * 86_400 + i) for i in range(count)]])
    assert names(out[1:]) == ([] if count < 3 else ["Gap", *["Trades"] * count])


def test_wild_stamps_that_do_not_agree_are_rejected() -> None:
    feed = [trade(0), trade(3 * 86_400), trade(9 * 86_400), trade(1)]
    assert names(play(entry, feed)) == ["Trades", "Reject", "Reject", "Trades"]


def test_a_slice_behind_a_held_event_decides_about_it() -> None:
    feed = [trade(0), trade(3 * 86_400), trade(1), trade(2), trade(3), trade(4)]
    whole = play(entry, [*feed[:2], *chop(feed[2:])])
    assert names(whole) == ["Trades", "Reject", "Trades", "Trades", "Trades"]
    assert canonical(whole) == canonical(play(entry, feed))


def test_held_events_are_kept_in_the_snapshot() -> None:
    feed = [trade(0), trade(3 * 86_400), trade(3 * 86_400), trade(3 * 86_400)]
    assert names(play(entry, feed, restarts=EVERYWHERE)) == names(play(entry, feed))


def test_the_head_of_the_tape_keeps_its_time() -> None:
    lot = Instrument(MARKET, START, None, FEE, FEE, FEE)
    assert play(entry, [lot]) == [lot]


def test_the_state_is_small() -> None:
    machine = Entry(FLOW)
    for _ in machine(
        Trades.of(
            MARKET,
            range(START, START + 10**6, 10),
            [1.0] * 10**5,
            [1.0] * 10**5,
            id=range(10**5),
            received=range(START, START + 10**6, 10),
        )
    ):
        pass
    assert len(pickle.dumps(machine.state)) < 2_000
