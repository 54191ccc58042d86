"""Live: positions are what the reports tell, each once; and they live as on paper."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.costs import Costs
from operators.entry import enter
from operators.limits import Limits
from operators.live import Live
from operators.monitor import Barriers
from operators.tape import Tape
from operators.trade import Trade
from operators.trade import trade as trade_step
from schemas import (
    SECOND,
    Book,
    Closed,
    Command,
    Event,
    Fill,
    Halt,
    Heartbeat,
    Instrument,
    Opened,
    Order,
    Purpose,
    Refused,
    Report,
    Signal,
    Time,
)
from tests.desk import BARRIERS, COSTS, RESTED, TIMED, TOLD, WANTED, exact, sessions, trade
from tests.operators.helpers import STOP, in_a_flow
from tests.tapes import EVERYWHERE, MARKET, START, canonical, chop, cuts, play

D = Decimal
HEAD = Instrument(MARKET, START, D("0.01"), D("0.001"), D(0), D(1))
ADDED = (Order, Fill, Opened, Closed, Refused, Halt)
PATIENT = Limits(max_book_age_ms=1e12)
SESSIONS = sessions((*TIMED, *WANTED, *TOLD, *RESTED), always=("trade", "book", "long", "bid"))


def live(barriers: Barriers = Barriers(), costs: Costs = Costs()) -> Trade:  # noqa: B008
    return Trade(barriers, costs, limits=PATIENT, live=Live(0))


def want(action: str = "long", amount: float = 3.0, ts: Time = START) -> Signal:
    return Signal(MARKET, ts, action, amount, "base", "")


class Exchange:
    """Tells of orders, each report with its number."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(
        self, status: str, purpose: Purpose = "enter", ts: Time = START, **more: object
    ) -> Report:
        self.number += 1
        known: dict[str, object] = {"account": "main", "position": 1, "number": self.number} | more
        return Report(
            MARKET, ts, flow="demo", order="x", status=status, purpose=purpose,
            **known,  # type: ignore[arg-type]
        )  # fmt: skip

    def fill(
        self, amount: str = "3", price: str = "100", purpose: Purpose = "enter",
        status: str = "filled", ts: Time = START, **more: object,
    ) -> Report:  # fmt: skip
        more = {"trade_id": f"t{self.number}", "fee": D(0)} | more
        return self(status, purpose, ts, amount=D(amount), price=D(price), **more)


def told(
    tape: Iterable[Event],
    barriers: Barriers = Barriers(),  # noqa: B008 - a constant
) -> list[Event]:
    """Return what a live machine adds to a tape, whatever the restarts."""
    whole = [HEAD, trade(100.0), *tape]
    out = play(lambda: live(barriers), whole)
    assert canonical(play(lambda: live(barriers), whole, EVERYWHERE)) == canonical(out)
    return [event for event in out if isinstance(event, ADDED)]


def kinds(events: Iterable[Event]) -> list[str]:
    return [e.action if isinstance(e, Order) else type(e).__name__ for e in events]


# In lock-step with paper --------------------------------------------------------------------------


class LockStep:
    """An exchange that does exactly what paper does, and reports it behind the same event."""

    def __init__(self, barriers: Barriers, costs: Costs) -> None:
        self.paper, self.live = Trade(barriers, costs), live(barriers, costs)
        self.exchange, self.position, self.actions = Exchange(), 0, dict[int, str]()
        self.tape: list[Event] = []
        """What the live one was shown."""
        self.made: list[Event] = []
        """What the paper one concluded."""

    def __call__(self, events: Iterable[Event]) -> list[Event]:
        """Return what the live one concluded."""
        out: list[Event] = []
        for event in events:
            concluded = [e for e in self.paper(event) if isinstance(e, ADDED)]
            self.made += concluded
            out += self._shown(event)
            for report in self._reports(concluded):
                out += self._shown(report)
        return out

    def _shown(self, event: Event) -> list[Event]:
        self.tape.append(event)
        return [e for e in self.live(event) if isinstance(e, ADDED)]

    def _reports(self, concluded: Iterable[Event]) -> Iterator[Report]:
        for event in concluded:
            if isinstance(event, Order):
                self.actions[event.order] = event.action
                self.position = event.position
            elif isinstance(event, Fill):
                purpose: Purpose = "enter" if self.actions[event.order] == "enter" else "exit"
                yield self.exchange.fill(
                    str(event.amount), str(event.price), purpose, "partially filled", event.ts,
                    position=event.position, fee=event.fee, fee_currency="USDT",
                )  # fmt: skip
            elif isinstance(event, Refused) and "filled" in event.why:
                yield self.exchange("cancelled", ts=event.ts, position=self.position)
            elif isinstance(event, Closed):
                yield self.exchange("closed", "", event.ts, position=event.position)


def matters(events: Iterable[Event]) -> list[Event]:
    """Return what must be the same on paper and live.

    How orders are counted and called off is not, nor what the book promises: on paper an order
    takes from the recorded book, at an exchange nobody sees it do so.
    """
    found: list[Event] = []
    for event in events:
        if isinstance(event, Order) and event.action in ("enter", "exit") and event.amount:
            found.append(
                replace(
                    event, order=0, expected=None, worst=None, slippage_bps=None, depth_left=None
                )
            )
        elif isinstance(event, Fill):
            found.append(replace(event, order=0, trade_id=""))
        elif isinstance(event, Opened):
            if found and isinstance(found[-1], Fill):
                found = [e for e in found if not isinstance(e, Opened) or e.ts != event.ts]
            found.append(event)
        elif isinstance(event, (Closed, Halt)):
            found.append(event)
    return sorted(found, key=lambda e: isinstance(e, Opened))


@given(sessions(), BARRIERS, COSTS)
@settings(max_examples=300)
def test_live_positions_are_those_of_paper_in_lock_step(
    tape: list[Event], barriers: Barriers, costs: Costs
) -> None:
    step = LockStep(barriers, costs)
    out = step([HEAD, *tape])
    assert matters(out) == matters(step.made)


def test_a_trailing_stop_hangs_from_the_average_of_a_fill_in_parts() -> None:
    book = Book(MARKET, START, [], [(100.25, 1.001), (100.28, 40.0)], stamp=START + SECOND)
    tape: list[Event] = [trade(98.0), book, want(), trade(98.0), trade(100.0)]
    step = LockStep(Barriers(trailing_stop=0.0025), Costs(latency_ms=0))
    out = step([HEAD, *tape])
    assert matters(out) == matters(step.made)
    assert any(isinstance(e, Order) and e.why == "trailing" for e in out)


@given(SESSIONS, BARRIERS, COSTS, cuts(100), cuts(100), st.integers(0, 9_999))
@settings(max_examples=300)
def test_no_cut_no_restart_and_no_report_that_comes_again_changes_a_bit(
    tape: list[Event],
    barriers: Barriers,
    costs: Costs,
    cut: Container[int],
    restarts: Container[int],
    seed: int,
) -> None:
    step, random = LockStep(barriers, costs), Random(seed)
    out, noisy, seen = step([HEAD, *tape]), list[Event](), list[Report]()
    for event in step.tape:
        noisy.append(event)
        if isinstance(event, Report):
            seen.append(event)
        if seen and random.random() < 0.3:
            noisy.append(replace(random.choice(seen), ts=seen[-1].ts))
        if random.random() < 0.2:
            noisy.append(step.exchange.fill(position=99, number=-1, ts=START))
    again = play(lambda: live(barriers, costs), chop(noisy, cut), restarts)
    assert canonical(e for e in again if isinstance(e, ADDED)) == canonical(out)


@given(SESSIONS, BARRIERS, COSTS)
@settings(max_examples=200)
def test_what_is_closed_is_the_exact_sum_of_its_fills(
    tape: list[Event], barriers: Barriers, costs: Costs
) -> None:
    tape = [event for event in tape if not isinstance(event, Instrument)]
    out = LockStep(barriers, costs)([HEAD, *tape])
    orders = [e for e in out if isinstance(e, Order) and e.action == "enter"]
    assert [order.position for order in orders] == list(range(1, len(orders) + 1))
    for closed in (e for e in out if isinstance(e, Closed)):
        fills = [e for e in out if isinstance(e, Fill) and e.position == closed.position]
        money = {"buy": Fraction(0), "sell": Fraction(0)}
        amounts = {"buy": Fraction(0), "sell": Fraction(0)}
        for fill in fills:
            money[fill.side] += exact(fill.price) * exact(fill.amount)
            amounts[fill.side] += exact(fill.amount)
        fees = sum((exact(fill.fee) for fill in fills), Fraction(0))
        assert amounts["buy"] == amounts["sell"] == exact(closed.amount)
        assert exact(closed.pnl) == money["sell"] - money["buy"] - fees
        *_, told = (e for e in out if isinstance(e, Opened) and e.position == closed.position)
        # What the entry fills while the position is being left is not told as `Opened` any more.
        entered = [e for e in out[: out.index(told)] if isinstance(e, Fill) and e in fills]
        assert exact(told.amount) == sum(exact(fill.amount) for fill in entered)


# The life of a position ---------------------------------------------------------------------------


def test_an_entry_is_ordered_with_all_the_executor_needs() -> None:
    bid = replace(want(), kind="post-only", limit=99.997, good_for=SECOND)
    barriers = Barriers(stop_loss=0.01, trailing_stop=0.005)
    (order,) = told([bid], barriers)
    assert isinstance(order, Order)
    assert (order.action, order.kind, order.price) == ("enter", "post-only", D("99.99"))
    assert (order.expires, order.stop) == (START + SECOND, 0.01)
    (trailing,) = told([want()], Barriers(trailing_stop=0.005))
    assert isinstance(trailing, Order)
    assert (trailing.kind, trailing.price, trailing.expires) == ("market", None, None)
    assert trailing.stop == 0.005


def test_a_position_opens_grows_leaves_and_is_closed_by_its_reports() -> None:
    exchange = Exchange()
    out = told(
        [
            want(),
            exchange("sent"),
            exchange.fill("1", status="partially filled"),
            exchange.fill("2", "103"),
            trade(100.0),
            trade(99.0),
            exchange.fill("3", "98", "exit"),
            exchange("closed", ""),
        ],
        Barriers(stop_loss=0.02),
    )
    assert kinds(out) == ["enter", "Fill", "Opened", "Fill", "Opened", "exit", "Fill", "Closed"]
    first, second = (e for e in out if isinstance(e, Opened))
    assert (first.amount, first.entry, first.stop) == (D(1), D(100), 98.0)
    assert (second.amount, second.entry, second.stop) == (D(3), D(102), 102 * 0.98)
    leave, closed = out[5], out[-1]
    assert isinstance(leave, Order)
    assert isinstance(closed, Closed)
    assert (leave.side, leave.amount, leave.why, leave.order) == ("sell", D(3), "stop", 2)
    assert (closed.why, closed.pnl, closed.amount) == ("stop", D(-12), D(3))
    assert [e.order for e in out if isinstance(e, Fill)] == [1, 1, 2]


def test_the_deadline_and_the_best_price_of_a_position_that_grows_stay() -> None:
    exchange = Exchange()
    barriers = Barriers(trailing_stop=0.01, timeout=timedelta(seconds=2))
    out = told(
        [
            want(),
            exchange.fill("1", status="partially filled"),
            trade(110.0, START + 1),
            exchange.fill("2", ts=START + SECOND),
            trade(108.95, START + SECOND),
            trade(108.9, START + SECOND),
        ],
        barriers,
    )
    opened = [e for e in out if isinstance(e, Opened)]
    assert [e.deadline for e in opened] == [START + 2 * SECOND] * 2
    assert [(e.action, e.why) for e in out if isinstance(e, Order)][1:] == [("exit", "trailing")]


@pytest.mark.parametrize("status", ["rejected", "cancelled", "expired"])
def test_an_entry_that_ends_without_a_fill_ends_the_position(status: str) -> None:
    exchange = Exchange()
    out = told([want(), exchange(status, reason="too old"), want()])
    assert kinds(out) == ["enter", "Refused", "enter"]
    assert isinstance(out[1], Refused)
    assert (out[1].action, out[1].why) == (
        "long",
        f"nothing filled, 3.0 cancelled: {status}: too old",
    )


def test_an_entry_that_ends_with_a_fill_leaves_the_position_open() -> None:
    exchange = Exchange()
    out = told(
        [want(), exchange.fill("1", status="partially filled"), exchange("cancelled"), want()]
    )
    assert [e.why for e in out if isinstance(e, Refused)] == [
        "1 filled, 2.0 cancelled: cancelled",
        "already long",
    ]


def test_the_exchanges_own_stop_leaves_and_nobody_orders_an_exit() -> None:
    exchange = Exchange()
    out = told(
        [
            want(), exchange.fill(), exchange.fill("1", "98", "stop", "partially filled"),
            trade(90.0), exchange.fill("2", "98", "stop"), exchange("closed", ""),
        ],
        Barriers(stop_loss=0.02),
    )  # fmt: skip
    assert kinds(out) == ["enter", "Fill", "Opened", "Fill", "Fill", "Closed"]
    assert [e.order for e in out if isinstance(e, Fill)] == [1, 0, 0]
    assert isinstance(out[-1], Closed)
    assert out[-1].why == "stop"


def test_an_exit_that_nobody_on_the_tape_asked_for_says_why_when_it_is_over() -> None:
    exchange = Exchange()
    sold = exchange.fill("3", "99", "exit")
    out = told([want(), exchange.fill(number=0), sold, exchange("closed", "", reason="no sign")])
    assert isinstance(out[-1], Closed)
    assert out[-1].why == "no sign"


def test_a_signal_to_leave_what_has_not_filled_asks_to_be_flat() -> None:
    exchange = Exchange()
    out = told([want(), want("exit"), exchange("cancelled"), want()])
    assert kinds(out) == ["enter", "exit", "Refused", "enter"]
    assert isinstance(out[1], Order)
    assert out[1].amount == 0


def test_an_entry_that_fills_while_it_is_left_is_sold() -> None:
    exchange = Exchange()
    out = told(
        [
            want(), want("exit"), exchange.fill("1", status="partially filled"),
            exchange("cancelled"), exchange.fill("1", "101", "exit"), exchange("closed", ""),
        ]
    )  # fmt: skip
    assert kinds(out) == ["enter", "exit", "Fill", "Refused", "Fill", "Closed"]
    assert isinstance(out[-1], Closed)
    assert (out[-1].pnl, out[-1].why) == (D(1), "exit")


def test_the_second_half_of_a_reverse_waits_for_the_word_closed() -> None:
    exchange = Exchange()
    out = told(
        [
            want(), exchange.fill(), want("reverse"), exchange.fill("3", "101", "exit"),
            exchange("closed", ""),
        ]
    )  # fmt: skip
    assert kinds(out) == ["enter", "Fill", "Opened", "exit", "Fill", "Closed", "enter"]
    assert isinstance(out[-1], Order)
    assert (out[-1].side, out[-1].position) == ("sell", 2)


def test_what_is_left_is_told_and_counts_as_it_cost() -> None:
    exchange = Exchange()
    out = told(
        [
            want(), exchange.fill("3", fee=D("0.003"), fee_currency="BTC"), want("exit"),
            exchange.fill("2.9", "110", "exit", fee=D("0.01"), fee_currency="BNB"),
            exchange("closed", "", reason="exit; 0.097 is left, too little to sell"),
        ]
    )  # fmt: skip
    leave, refused, closed = out[3], out[5], out[6]
    assert isinstance(leave, Order)
    assert isinstance(refused, Refused)
    assert isinstance(closed, Closed)
    assert leave.amount == D("2.997")
    assert refused.why == "exit; 0.097 is left, too little to sell"
    assert closed.pnl == D("2.9") * 110 + D("0.097") * 100 - 300
    assert (closed.fees, closed.other_fees) == (D(0), "0.01 BNB")


def test_funding_is_in_the_pnl() -> None:
    exchange = Exchange()
    out = told(
        [
            want(), exchange.fill(), exchange("funding", "", amount=D("-0.25")),
            exchange("funding", "", amount=D("0.05")), want("exit"),
            exchange.fill("3", purpose="exit"), exchange("closed", ""),
        ]
    )  # fmt: skip
    assert isinstance(out[-1], Closed)
    assert (out[-1].funding, out[-1].pnl) == (D("-0.2"), D("-0.2"))


def test_closed_without_a_fill_ends_the_position() -> None:
    exchange = Exchange()
    out = told([want(), want("exit"), exchange("closed", "", reason="no such position"), want()])
    assert [e.why for e in out if isinstance(e, Refused)] == ["no such position"]
    assert kinds(out)[-1] == "enter"


def test_a_deal_that_is_told_twice_with_two_numbers_counts_once() -> None:
    exchange = Exchange()
    out = told([want(), exchange.fill("1", trade_id="a"), exchange.fill("1", trade_id="a")])
    assert kinds(out) == ["enter", "Fill", "Opened"]


def test_numbers_are_those_of_an_account() -> None:
    exchange = Exchange()
    fills = [exchange.fill("1", number=n, account=a) for a, n in (("a", 5), ("b", 4), ("a", 5))]
    assert kinds(told([want(), *fills])).count("Fill") == 2


# Time ---------------------------------------------------------------------------------------------


def test_an_entry_is_called_off_when_its_time_is_over_and_asked_for_once() -> None:
    exchange, end = Exchange(), START + SECOND
    bid = replace(want(), kind="limit", limit=99.0, good_for=SECOND)
    beats = [Heartbeat(MARKET, ts) for ts in (end - 1, end, end + 1)]
    part = exchange.fill("1", "99", status="partially filled")
    out = told([bid, part, *beats, trade(100.0, end + 2), exchange("cancelled", ts=end + 3)])
    assert kinds(out) == ["enter", "Fill", "Opened", "cancel", "Refused"]
    cancel = out[3]
    assert isinstance(cancel, Order)
    assert (cancel.ts, cancel.order, cancel.amount, cancel.price) == (end, 1, D(2), D(99))
    assert cancel.why == "its time is over"


def test_an_entry_that_is_done_is_not_called_off() -> None:
    bid = replace(want(), kind="limit", limit=99.0, good_for=SECOND)
    exchange, late = Exchange(), Heartbeat(MARKET, START + 9 * SECOND)
    assert kinds(told([bid, exchange.fill("3", "99"), late])) == ["enter", "Fill", "Opened"]
    part = exchange.fill("1", "99", status="partially filled")
    out = told([bid, part, exchange("cancelled", reason="by the exchange"), late])
    assert kinds(out) == ["enter", "Fill", "Opened", "Refused"]


@pytest.mark.parametrize("action", ["halt", "reduce"])
def test_who_halts_a_market_calls_its_resting_entry_off(action: str) -> None:
    bid = replace(want(), kind="limit", limit=99.0)
    command = Command(MARKET, START, action, who="me")
    assert kinds(told([bid, command, command])) == ["enter", "Halt", "cancel"]
    assert kinds(told([want(), command])) == ["enter", "Halt"]
    assert kinds(told([bid, want("exit"), command])) == ["enter", "exit", "Halt"]


def test_flatten_and_a_barrier_ask_for_one_exit() -> None:
    tape: list[Event] = [
        want(),
        Exchange().fill(),
        trade(90.0),
        Command(MARKET, START, "flatten", who="me"),
    ]
    assert kinds(told(tape, Barriers(stop_loss=0.02))) == [
        "enter",
        "Fill",
        "Opened",
        "exit",
        "Halt",
    ]


def test_flatten_calls_off_an_entry_that_rests_and_asks_to_be_flat() -> None:
    bid = replace(want(), kind="limit", limit=99.0)
    part = Exchange().fill("1", "99", status="partially filled")
    flatten = Command(MARKET, START, "flatten", who="me")
    out = told([bid, part, flatten])
    assert kinds(out) == ["enter", "Fill", "Opened", "Halt", "cancel", "exit"]


def test_a_fill_of_nothing_is_none() -> None:
    empty = [Exchange().fill("0"), Exchange().fill("1", "0")]
    assert kinds(told([want(), *empty])) == ["enter"]


def test_a_live_flow_goes_on_where_it_stood_behind_a_restart(tmp_path: Path) -> None:
    exchange = Exchange()
    events: list[Event] = [
        HEAD, trade(100.0), want(), exchange.fill("1", status="partially filled"),
        exchange.fill("2"), trade(98.0), exchange.fill("3", "98", "exit"), exchange("closed", ""),
    ]  # fmt: skip

    def step(tape: Tape) -> Tape:
        tape = enter("enter", Tape.of(tape, Costs(), Live(START)), "demo", "r")
        return trade_step("trade", tape, Barriers(stop_loss=0.01))

    whole = in_a_flow(events, step)
    halted = [part for event in events for part in (event, STOP)]
    parts = [out for _ in events for out in in_a_flow(halted, step, tmp_path)]
    assert canonical(parts) == canonical(whole)
    assert kinds(e for e in whole if isinstance(e, ADDED)) == [
        "enter", "Fill", "Opened", "Fill", "Opened", "exit", "Fill", "Closed",
    ]  # fmt: skip


def test_a_trailing_stop_moves_the_resting_one_each_five_seconds_by_a_tick_or_more() -> None:
    def at(second: float, price: float) -> Event:
        return trade(price, START + round(second * SECOND))

    out = told(
        [
            want(), Exchange().fill(), at(1, 101.0), at(4.9, 102.0), at(5, 101.5), at(6, 103.0),
            at(9.9, 103.0), at(10, 103.0), at(15, 103.0), at(20, 103.0), at(22, 103.009),
            at(25, 103.0), at(30, 103.02),
        ],
        Barriers(trailing_stop=0.01),
    )  # fmt: skip
    moved = [e for e in out if isinstance(e, Order) and e.action == "protect"]
    assert [((e.ts - START) // SECOND, e.price) for e in moved] == [
        (5, D("100.98")), (10, D("101.97")), (30, D("101.98")),
    ]  # fmt: skip
    assert (moved[0].side, moved[0].amount, moved[0].order) == ("sell", D(3), 2)


def test_a_resting_stop_never_moves_behind_the_fixed_one() -> None:
    barriers = Barriers(stop_loss=0.001, trailing_stop=0.01)
    tape: list[Event] = [want("short"), Exchange().fill(), trade(99.5, START + SECOND)]
    later: list[Event] = [Heartbeat(MARKET, START + 5 * SECOND), trade(98.0, START + 6 * SECOND)]
    out = told([*tape, *later, Heartbeat(MARKET, START + 10 * SECOND)], barriers)
    assert [e.price for e in out if isinstance(e, Order)][1:] == [D("98.98")]


def test_before_it_is_live_a_market_enters_nothing() -> None:
    tape: list[Event] = [HEAD, trade(100.0), want(), want(ts=START + 1)]
    out = play(lambda: Trade(Barriers(), Costs(), live=Live(START + 1)), tape)
    assert kinds(e for e in out if isinstance(e, ADDED)) == ["Refused", "enter"]


def test_a_live_market_has_limits_though_the_flow_gives_none() -> None:
    book = Book(MARKET, START, [(99.0, 1.0)], [(101.0, 9.0)], stamp=START - 2 * SECOND)
    out = play(lambda: Trade(Barriers(), Costs(), live=Live(0)), [HEAD, trade(100.0), book, want()])
    assert isinstance(out[-1], Refused)
    assert out[-1].why == "the book is 2000 ms old, and at most 1000 are allowed"


def test_a_store_of_a_run_on_paper_is_no_store_of_a_live_one() -> None:
    assert live().shape != Trade(Barriers(), Costs()).shape == ("trade", 2)
