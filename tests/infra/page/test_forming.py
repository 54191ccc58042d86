"""The candle in the making is the candle that is made, however its trades come."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from infra.page.forming import Latest
from operators.candles import TimeCandles
from schemas import SECOND, Book, Candle, Event, Heartbeat, Trades

_ROWS = st.lists(
    st.tuples(st.integers(0, 25), st.integers(1, 999), st.integers(1, 9)), min_size=1, max_size=60
)


def tape(rows: list[tuple[int, int, int]], cuts: set[int]) -> list[Trades]:
    """Return trades, each so many seconds behind the one before, cut anywhere."""
    ts, now = [], 1_000_000 * 60
    for seconds, _, _ in rows:
        now += seconds
        ts.append(now * SECOND)
    whole = Trades.of("m:A/B", ts, [float(p) for _, p, _ in rows], [float(s) for _, _, s in rows])
    places = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    return [whole.cut(a, b) for a, b in pairwise(places)]


@given(_ROWS, st.sets(st.integers(1, 60), max_size=6))
def test_it_is_what_the_operator_makes_of_the_same_trades(
    rows: list[tuple[int, int, int]], cuts: set[int]
) -> None:
    latest, machine = Latest("m:A/B", 60), TimeCandles(60 * SECOND)
    for trades in tape(rows, cuts):
        latest.take(trades)
    end = Heartbeat("m:A/B", (1_000_000 * 60 + 60 * 26 + 3_600) * SECOND)
    events: list[Event] = [*tape(rows, set()), end]
    made = [
        out for event in events for out in machine(event) if isinstance(out, Candle) and out.count
    ]
    told = latest.tick()["forming"]
    last = made[-1]
    names = ("open", "high", "low", "close", "volume", "count")
    assert [told[name] for name in names] == [getattr(last, name) for name in names]
    assert (told["time"], told["end"]) == (last.start // 10**6, last.end // 10**6)
    assert told["partial"] == (len(made) == 1)


def test_it_forgets_what_it_did_not_see_whole_and_knows_books_and_heartbeats() -> None:
    latest = Latest("m:A/B", 60)
    assert latest.tick() == {
        "market": "m:A/B", "time": None, "price": None, "last_event": None, "forming": None,
    }  # fmt: skip
    assert latest.book() is None
    latest.take(Trades.of("m:A/B", [61 * SECOND], [7.0], [1.0]))
    latest.lose()
    assert latest.tick()["forming"] is None
    latest.take(Trades.of("m:A/B", [62 * SECOND], [8.0], [1.0]))
    assert latest.tick()["forming"]["partial"]
    levels = [(7.0 - number, 1.0) for number in range(12)]
    latest.take(Book("m:A/B", 63 * SECOND, levels, [(8.0, 2.0)]))
    latest.take(Heartbeat("m:A/B", 64 * SECOND))
    book = latest.book()
    assert book is not None
    assert (len(book["bids"]), book["asks"], book["time"]) == (10, [[8.0, 2.0]], 63_000)
    assert latest.tick()["last_event"] == 64_000


def test_candles_that_are_not_of_time_have_no_preview() -> None:
    latest = Latest("m:A/B", None)
    latest.take(Trades.of("m:A/B", [61 * SECOND], [7.0], [1.0]))
    assert (latest.tick()["price"], latest.tick()["forming"]) == (7.0, None)


def test_a_width_that_is_told_later_counts_from_then_on() -> None:
    latest = Latest("m:A/B", None)
    latest.take(Trades.of("m:A/B", [61 * SECOND], [7.0], [1.0]))
    latest.measure(60)
    assert latest.tick()["forming"] is None
    latest.take(Trades.of("m:A/B", [62 * SECOND], [8.0], [1.0]))
    latest.measure(60)  # as it was: nothing is lost
    assert latest.tick()["forming"]["open"] == 8.0
