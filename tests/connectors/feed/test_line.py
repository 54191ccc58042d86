"""What comes of one market, in line: what passes, what waits, what is remembered."""

from __future__ import annotations

from connectors.exchange.rest_trades import Traded
from connectors.feed.clock import VenueClock
from connectors.feed.ids import TRUSTED
from connectors.feed.line import Line
from schemas import SECOND, Book, Gap, Trades, Value


def trade(id_: int | str, parts: int = 1, ts: int = 1) -> Traded:
    return Traded(str(id_), ts, 2.0, 3.0, 1, parts)


def line(count: int = TRUSTED + 1) -> Line:
    """Return a market with trades 0 to `count`."""
    made = Line("m", fills=True, clock=VenueClock())
    for id_ in range(count):
        made.trade(trade(id_), at=0)
    made.tape.take()
    return made


def ids(made: Line) -> list[object]:
    found: list[object] = []
    for event in made.tape.take():
        if isinstance(event, Trades):
            assert event.id is not None
            found += event.id.tolist()
        else:
            found.append(type(event).__name__)
    return found


def test_a_straggler_passes_and_ends_no_doubt() -> None:
    made = line()
    made.trade(trade(TRUSTED + 2), at=0)
    [hole] = made.wishes()
    made.give_up(hole, now=0)
    made.lost("disconnect")
    made.trade(trade(TRUSTED + 1), at=0)
    assert ids(made) == ["Gap", TRUSTED + 2, TRUSTED + 1]
    assert made.doubt == "disconnect"


def test_all_that_a_trade_is_the_sum_of_was_seen() -> None:
    made = line()
    made.trade(trade(TRUSTED + 3, parts=3), at=0)
    assert ids(made) == [TRUSTED + 3]
    assert all(made.seen(trade(TRUSTED + part)) for part in (1, 2, 3))
    assert not made.seen(trade(TRUSTED + 4))


def test_a_loss_while_all_waits_counts_where_it_stands() -> None:
    made = line()
    made.trade(trade(TRUSTED + 2), at=0)
    made.lost("disconnect")
    made.trade(trade(TRUSTED + 9), at=0)
    [first] = made.wishes()
    made.filled(first.ask(), [trade(TRUSTED + 1)], all_there=True, now=0)
    assert ids(made) == [TRUSTED + 1, TRUSTED + 2]
    [second] = made.wishes()
    assert (second.why, second.last.id) == ("disconnect", str(TRUSTED + 2))
    made.give_up(second, now=0)
    assert ids(made) == ["Gap", TRUSTED + 9]


def test_a_loss_before_any_trade_is_marked_where_there_was_anything() -> None:
    made = line(0)
    made.lost("disconnect")
    made.trade(trade(7), at=0)
    assert ids(made) == [7], "nothing stood in front of it"
    other = line(0)
    other.event(Book("m", 5 * SECOND, [(1.0, 1.0)], [(2.0, 1.0)]), at=0)
    other.lost("disconnect")
    other.trade(trade(7, ts=9 * SECOND), at=0)
    book, gap, _ = other.tape.take()
    assert isinstance(book, Book)
    assert isinstance(gap, Gap)
    assert (gap.start, gap.end) == (5 * SECOND, 9 * SECOND)


def test_what_moves_no_time_passes_a_doubt_and_what_does_waits() -> None:
    made = line()
    made.lost("disconnect")
    made.event(Value("m", 1, "x", 2.0), at=0)
    assert ids(made) == ["Value"]
    made.event(Book("m", 5, [(1.0, 1.0)], [(2.0, 1.0)]), at=0)
    assert ids(made) == []
    made.trade(trade(TRUSTED + 1), at=0)
    assert ids(made) == ["Book", TRUSTED + 1], "nothing was missing"


def test_what_was_found_and_not_in_time_is_handed_out_once() -> None:
    made = line()
    made.trade(trade(TRUSTED + 2), at=0)
    [hole] = made.wishes()
    made.give_up(hole, now=0)
    for _ in range(2):
        made.filled(hole.ask(), [trade(TRUSTED + 1)], all_there=True, now=0)
    assert made.late() == [trade(TRUSTED + 1)]
    assert made.late() == []
    made.trade(trade(TRUSTED + 3), at=0)
    assert made.counts.late == made.counts.gaps == made.counts.holes == 1


def test_an_answer_that_goes_on_behind_a_hole_that_was_given_up_puts_nothing_aside() -> None:
    made = line()
    made.lost("disconnect")
    made.ask("disconnect", now=2)
    [hole] = made.wishes()
    asked = hole.ask()
    made.trade(trade(TRUSTED + 3), at=2)
    made.give_up(hole, now=2)
    made.filled(asked, [trade(TRUSTED + 4)], all_there=False, now=2)
    assert made.late() == []
    assert not made.seen(trade(TRUSTED + 4))


def test_what_was_put_aside_is_marked_where_the_next_ones_jump_over_it() -> None:
    made = line()
    made.lost("disconnect")
    made.ask("disconnect", now=2)
    [first] = made.wishes()
    made.filled(first.ask(), [trade(TRUSTED + 1)], all_there=False, now=2)
    made.give_up(first, now=2)
    assert made.late() == [trade(TRUSTED + 1)]
    made.trade(trade(TRUSTED + 3), at=0)
    [second] = made.wishes()
    between = [trade(TRUSTED + 1), trade(TRUSTED + 2)]
    made.filled(second.ask(), between, all_there=True, now=2)
    told = [event for event in made.tape.take() if isinstance(event, Gap)]
    lacking = str(TRUSTED + 1)
    assert [(gap.first_id, gap.last_id) for gap in told] == [("", ""), (lacking, lacking)]
    assert made.tape.steps.trusted
    assert made.late() == []
