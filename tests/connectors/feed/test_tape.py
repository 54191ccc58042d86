"""What of one market is written: trades in slices, gaps with their bounds."""

from __future__ import annotations

from connectors.exchange.rest_trades import Traded
from connectors.feed.hole import Hole
from connectors.feed.ids import TRUSTED
from connectors.feed.tape import TOLERANCE, FeedTape
from schemas import SECOND, Gap, Heartbeat, Trades, Value


def trade(id_: int | str, ts: int = 0) -> Traded:
    return Traded(str(id_), ts or 1 + (id_ if isinstance(id_, int) else 0), 2.0, 3.0, 1)


def trusted() -> FeedTape:
    tape = FeedTape("m")
    for id_ in range(TRUSTED + 1):
        tape.trade(trade(id_), 7)
    tape.take()
    return tape


def test_trades_in_a_row_are_one_slice_and_others_stand_between() -> None:
    tape = FeedTape("m")
    for id_ in (1, 2):
        tape.trade(trade(id_), 7)
    tape.event(Value("m", 1, "x", 2.0), 7)
    tape.trade(trade(3), 7)
    first, value, second = tape.take()
    assert isinstance(first, Trades)
    assert isinstance(second, Trades)
    assert isinstance(value, Value)
    assert (len(first), len(second), tape.take()) == (2, 1, [])


def test_a_gap_names_the_missing_ids_where_they_are_known() -> None:
    tape = trusted()
    hole = Hole("ids", trade(TRUSTED), 0, numbered=True, until=trade(TRUSTED + 9))
    found = [trade(TRUSTED + 3), trade(TRUSTED + 4)]
    assert tape.fill(hole, found, lacking=True, now=8, time=99) == 2
    first, between, second = tape.take()
    assert isinstance(first, Gap)
    assert isinstance(second, Gap)
    assert isinstance(between, Trades)
    assert (first.first_id, first.last_id) == (str(TRUSTED + 1), str(TRUSTED + 2))
    assert (second.first_id, second.last_id) == (str(TRUSTED + 5), str(TRUSTED + 8))
    assert (second.start, second.end) == (found[1].ts, trade(TRUSTED + 9).ts)
    tape.trade(trade(TRUSTED + 9), 9)
    assert tape.steps.trusted


def test_a_gap_without_an_end_ends_at_the_exchange_s_time() -> None:
    tape = trusted()
    hole = Hole("disconnect", trade(TRUSTED), 0, numbered=False)
    assert tape.fill(hole, [], lacking=True, now=8, time=99) == 1
    [gap] = tape.take()
    assert isinstance(gap, Gap)
    assert (gap.start, gap.end, gap.first_id) == (trade(TRUSTED).ts, 99, "")


def test_a_heartbeat_is_due_behind_a_silence_of_what_moves_time() -> None:
    tape = FeedTape("m")
    assert tape.silent(0)
    tape.event(Heartbeat("m", 5 * SECOND), now=10)
    tape.event(Value("m", 1, "x", 2.0), now=SECOND)
    assert not tape.silent(SECOND)
    assert tape.silent(10 + SECOND)
    assert tape.moved == 5 * SECOND - TOLERANCE


def test_an_older_trade_is_not_the_newest() -> None:
    tape = trusted()
    tape.trade(trade(3), 8)
    assert tape.last == trade(TRUSTED)
