"""The life of a position at an exchange: what is to be done, at which row, however it is cut."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from operators.live_life import LOOKS, LiveLife, Turn
from operators.monitor import Barriers
from operators.paper import View
from schemas import SECOND, Book, Instrument, Order, Report, Side, Time, Trades
from tests.desk import BARRIERS, trade
from tests.tapes import MARKET, START, chop

D = Decimal
VIEW = View(None, None, Instrument(MARKET, START, D("0.01"), D(1), D(0), D(1)))


def life(barriers: Barriers, side: Side = "long", expires: Time | None = None) -> LiveLife:
    """Return a position with an entry of 3."""
    widths = barriers.widths({"volatility20": 0.0025})
    assert widths is not None
    order = Order(
        MARKET, START, 1, 1, "enter", "buy" if side == "long" else "sell", D(3), "",
        "market" if expires is None else "limit", None if expires is None else D(100), expires,
    )  # fmt: skip
    return LiveLife(side, widths, order)


def fill(amount: str, price: str = "100", status: str = "partially filled") -> Report:
    return Report(MARKET, START, "main", "demo", "x", status, D(price), D(amount))


def turns(given: LiveLife, slices: list[Trades]) -> list[Turn]:
    """Return what is to be done over slices, with rows counted from the first."""
    found, read = [], 0
    for trades in slices:
        row = 0
        while (turn := given.trades(trades, row, VIEW, SECOND)) is not None:
            row = turn.row + 1
            found.append(turn._replace(row=read + turn.row))
            if turn.hit is not None:
                given.leave(turn.hit)
            given.calling_off = given.calling_off or turn.late
        read += len(trades)
    return found


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 3), st.sampled_from([1, 0, -1]))),
    st.sampled_from(["long", "short"]),
    BARRIERS,
    st.sampled_from([None, START + 2 * SECOND, START + 9 * SECOND]),
    st.sampled_from([0, 1, 3]),
    st.sets(st.integers(0, 60)),
)
def test_no_cut_changes_what_is_to_be_done(
    steps: list[tuple[int, int, int]],
    side: Side,
    barriers: Barriers,
    expires: Time | None,
    filled: int,
    cut: set[int],
) -> None:
    one, other = life(barriers, side, expires), life(barriers, side, expires)
    if filled:
        assert all(each.fill(fill(str(filled))) for each in (one, other))
    price, ts, rows = 10_000, START, []
    for move, wait, aggressor in [(0, 0, 0), *steps]:
        price, ts = price + move * 5, ts + wait * SECOND
        rows.append(trade(price / 100, ts, aggressor))
    whole, pieces = chop(rows), chop(rows, cut)
    assert turns(one, [t for t in whole if isinstance(t, Trades)]) == turns(
        other, [t for t in pieces if isinstance(t, Trades)]
    )
    assert one == other


def test_an_entry_works_until_all_of_it_is_filled() -> None:
    entry = life(Barriers())
    states = []
    for amount in ("1", "2"):
        entry.fill(fill(amount))
        states.append((entry.working, entry.unfilled, entry.stage))
    assert states == [(True, D(2), "open"), (False, D(0), "open")]


def test_the_exchange_may_say_that_an_entry_is_filled() -> None:
    entry = life(Barriers())
    entry.fill(fill("2.9", status="filled"))
    assert not entry.working


def test_a_fill_behind_the_exit_opens_nothing_again() -> None:
    entry = life(Barriers(stop_loss=0.01))
    entry.leave("exit")
    entry.fill(fill("1"))
    assert entry.stage == "leaving"
    (trades,) = chop([trade(1.0)])
    assert isinstance(trades, Trades)
    assert entry.trades(trades, 0, VIEW, SECOND) is None


def test_a_barrier_comes_before_the_end_of_the_entry() -> None:
    entry = life(Barriers(stop_loss=0.01), expires=START + SECOND)
    entry.fill(fill("1"))
    (trades,) = chop([trade(100.0), trade(98.0, START + SECOND)])
    assert isinstance(trades, Trades)
    assert entry.trades(trades, 0, VIEW, SECOND) == Turn(1, START + SECOND, "stop")


def test_one_event_may_end_the_entry_and_move_the_stop() -> None:
    entry = life(Barriers(trailing_stop=0.01), expires=START + LOOKS)
    entry.fill(fill("1"))
    book = Book(MARKET, START + 1, [(102.0, 1.0)], [], stamp=START + 1)
    assert entry.sign_of_life(START + 1, book, VIEW, SECOND) is None
    turn = entry.sign_of_life(START + LOOKS, None, VIEW, SECOND)
    assert turn == Turn(0, START + LOOKS, None, late=True, guard=D("100.98"))


def test_without_a_tick_any_gain_moves_the_stop() -> None:
    entry = life(Barriers(trailing_stop=0.5))
    entry.fill(fill("1"))
    assert entry.armed is not None
    entry.armed.best = 100.002
    turn = entry.sign_of_life(START + LOOKS, None, View(), SECOND)
    assert turn is not None
    assert turn.guard == D("50.001")
