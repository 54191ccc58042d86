"""A life: from its entry order to its last exit fill, however the tape is cut."""

from __future__ import annotations

from collections.abc import Container
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from operators.costs import Costs
from operators.life import Life, Lives, Step
from operators.monitor import Barriers
from operators.paper import PaperBroker, Part, Taken, View
from schemas import Book, Event, Heartbeat, Instrument, Side, Time, Trades
from tests.desk import BARRIERS, COSTS, MAX_SLIPPAGE, TIMED, average, exact, sessions, trade
from tests.tapes import EVERYWHERE, MARKET, START, chop, cuts

Told: TypeAlias = list[tuple[int, Step]]
"""How many rows had been read at each step."""


def lived(lives: Lives, life: Life, tape: list[Event]) -> Told:
    """Lead one life along a tape."""
    view, told, read = View(), Told(), 0
    for event in tape:
        if isinstance(event, Trades):
            row = 0
            while life.stage != "over" and (step := lives.trades(life, event, row, view)):
                row = step.row + 1
                told.append((read + row, step._replace(row=0)))
            read += len(event)
        elif isinstance(event, (Book, Heartbeat)):
            book, read = event if isinstance(event, Book) else None, read + 1
            if life.stage != "over" and (step := lives.sign(life, event.ts, book, view)):
                told.append((read, step))
            if book is not None:
                view.book = book
                life.taken.sides.clear()
    return told


@given(
    sessions(TIMED, 40, ("trade", "burst", "book")),
    BARRIERS,
    COSTS,
    MAX_SLIPPAGE,
    st.sampled_from(["long", "short"]),
    cuts(100),
)
def test_no_cut_changes_a_life(
    tape: list[Event],
    barriers: Barriers,
    costs: Costs,
    slippage: float | None,
    side: Side,
    cut: Container[int],
) -> None:
    lives, widths = Lives(PaperBroker(costs)), barriers.widths({"volatility20": 0.0025})
    assert widths is not None
    one, other = (lives.begin(side, Decimal(3), widths, START, Taken(), slippage) for _ in range(2))
    whole = lived(lives, one, chop(tape, cut))
    assert whole == lived(lives, other, chop(tape, EVERYWHERE))
    assert one == other


def stages(prices: list[float], latency: Time = 0, **widths: float) -> list[tuple[int, str]]:
    """Return the stages that a long life goes through, and behind how many trades."""
    lives = Lives(PaperBroker(Costs(latency_ms=latency)))
    resolved = Barriers(**widths).widths({})  # type: ignore[arg-type]
    assert resolved is not None
    life = lives.begin("long", Decimal(3), resolved, START, Taken())
    (trades,) = chop([trade(price, START + row * 1_000_000) for row, price in enumerate(prices)])
    found, row = [(0, life.stage)], 0
    assert isinstance(trades, Trades)
    while life.stage != "over" and (step := lives.trades(life, trades, row, View())):
        row = step.row + 1
        found.append((row, life.stage))
    return found


def test_a_life_enters_is_open_leaves_and_is_over() -> None:
    assert stages([100.0, 99.0, 98.0], stop_loss=0.01) == [
        (0, "entering"), (1, "open"), (2, "leaving"), (3, "over"),
    ]  # fmt: skip


def test_the_fill_is_not_judged_and_each_order_has_its_latency() -> None:
    prices = [100.0, 101.0, 90.0, 89.0, 88.0, 87.0, 86.0]
    assert stages(prices, latency=2, stop_loss=0.01) == [
        (0, "entering"), (3, "open"), (4, "leaving"), (6, "over"),
    ]  # fmt: skip


PARTS = st.lists(
    st.builds(
        Part, st.decimals("90", "110", places=4), st.decimals("0.001", "9", places=3),
        st.decimals(0, 1, places=18),
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@given(PARTS, PARTS, st.sampled_from(["long", "short"]), st.sampled_from(["1", "0.01", "10"]))
def test_a_result_is_what_came_back_less_what_went_in_and_the_fees(
    entries: list[Part], exits: list[Part], side: Side, contract: str
) -> None:
    lives = Lives(PaperBroker(Costs()))
    widths = Barriers().widths({})
    assert widths is not None
    life = lives.begin(side, Decimal(1), widths, START, Taken())
    life.entries, life.exits = entries, exits
    view = View(
        None, None, Instrument(MARKET, START, None, Decimal(1), Decimal(0), Decimal(contract))
    )
    made, sign = life.result(view), 1 if side == "long" else -1

    def money(parts: list[Part]) -> Fraction:
        amounts = (Fraction(p.price) * Fraction(p.amount) for p in parts)
        return sum(amounts, Fraction(0)) * exact(Decimal(contract))

    fees = sum((Fraction(p.fee) for p in entries + exits), Fraction(0))
    pnl = sign * (money(exits) - money(entries)) - fees
    plain = [[(Fraction(p), Fraction(a), Fraction(f)) for p, a, f in ps] for ps in (entries, exits)]
    entry, exit_ = map(average, plain)
    assert (Fraction(made.pnl), Fraction(made.fees)) == (pnl, fees)
    assert (Fraction(made.entry), Fraction(made.exit)) == (entry, exit_)
    assert made.gross_return == sign * (float(exit_) / float(entry) - 1)
    assert made.net_return == float(pnl / money(entries))
    assert Fraction(life.held) == sum(Fraction(p.amount) for p in entries)
