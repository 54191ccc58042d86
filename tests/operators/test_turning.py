from __future__ import annotations

import pickle
from collections.abc import Iterable
from datetime import timedelta

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource
from hypothesis import given
from hypothesis import strategies as st
from river.linear_model import LogisticRegression
from river.optim import SGD

from operators import Barriers, Costs, candles, enter
from operators.candles import TimeCandles
from operators.predict import Predict
from operators.tape import Machine, ShapeChangedError, Strip, Tape
from operators.trade import Trade
from operators.turning import Turned, Turning
from schemas import (
    DAY,
    MINUTE,
    SECOND,
    Averages,
    Book,
    Event,
    Heartbeat,
    Opened,
    Signal,
    Time,
    Trades,
)
from tests import tapes
from tests.tapes import FLOW, MARKET, START, canonical, chop, play, rows, sliced

NEAR = Barriers(stop_loss=0.002, take_profit=0.003, timeout=timedelta(minutes=9))
FAR = Barriers(stop_loss=0.03, take_profit=0.05)
TIMES = st.sampled_from([0, START, START + 1, START + MINUTE, START + 9 * MINUTE, START + 9 * DAY])


def near() -> Machine:
    return Trade(NEAR, Costs(fees_bps=2))


def far() -> Machine:
    return Trade(FAR, Costs(fees_bps=7, slippage_bps=3))


def with_signals(tape: Iterable[Event], every: int) -> list[Event]:
    """Want a position now and then; each event of a kind that has a time stands for itself."""
    out: list[Event] = []
    for number, row in enumerate(rows(tape)):
        event = sliced([row]) if isinstance(row, tapes.Trade) else row
        out.append(event)
        if number % every == 0 and isinstance(event, (Trades, Book, Heartbeat)):
            ts = int(event.ts[0]) if isinstance(event, Trades) else event.ts
            out.append(Signal(MARKET, ts, ("long", "short", "exit")[number % 3], 1.0, "base", ""))
    return out


def turns(event: Event, at: Time) -> bool:
    if isinstance(event, Trades):
        return int(event.ts[0]) >= at
    return isinstance(event, (Book, Heartbeat)) and event.ts >= at


@given(tapes.tapes(), st.integers(1, 7), TIMES, tapes.cuts())
def test_it_is_the_one_until_then_and_the_other_from_there_on(
    tape: list[Event], every: int, at: Time, cuts: set[int]
) -> None:
    plain = with_signals(tape, every)
    place = next((n for n, event in enumerate(plain) if turns(event, at)), len(plain))
    former, then = near(), far()
    expected = [out for event in plain[:place] for out in former(event)]
    then.state = former.state
    expected += [out for event in plain[place:] for out in then(event)]
    out = play(lambda: Turning(near(), far(), at), chop(plain, cuts), cuts)
    assert canonical(out) == canonical(expected)


@given(tapes.tapes(), TIMES, tapes.cuts())
def test_turning_to_the_same_changes_nothing(tape: list[Event], at: Time, cuts: set[int]) -> None:
    def plain() -> Machine:
        return TimeCandles(MINUTE)

    out = play(lambda: Turning(plain(), plain(), at), chop(tape, cuts))
    assert canonical(out) == canonical(play(plain, tape))


def test_an_open_position_keeps_its_barriers_and_the_next_has_the_new_ones() -> None:
    def trade(second: int, price: float) -> Trades:
        return Trades.of(MARKET, [START + second * SECOND], [price], [1.0])

    def want(second: int) -> Signal:
        return Signal(MARKET, START + second * SECOND, "long", 1.0, "base", "")

    tape: list[Event] = [
        trade(0, 100.0), want(0), trade(1, 100.0), trade(10, 99.5), trade(11, 99.5), want(11),
        trade(12, 99.5), trade(13, 99.0),
    ]  # fmt: skip
    out = play(lambda: Turning(near(), far(), START + 5 * SECOND), tape)
    stops = [event.stop for event in out if isinstance(event, Opened)]
    assert stops == [pytest.approx(99.8), pytest.approx(99.5 * 0.97, rel=1e-3)]


def test_it_goes_on_from_a_snapshot_as_the_one_that_it_was() -> None:
    machine = Turning(near(), far(), START)
    [*machine(Heartbeat(MARKET, START))]
    again = Turning(near(), far(), START)
    again.state = pickle.loads(pickle.dumps(machine.state))
    assert (again.state[0], type(again.present.state)) == (True, type(machine.present.state))
    assert vars(again.present)["gate"].barriers == FAR


def test_what_another_step_knows_is_of_no_use() -> None:
    def candles_of(minutes: int) -> Machine:
        return TimeCandles(minutes * MINUTE)

    said = "made with 1m and would be with 5m from then on, .*: set it from the start"
    with pytest.raises(ShapeChangedError, match=said):
        Turning(candles_of(1), candles_of(5), START)


def test_a_model_that_learns_otherwise_is_named_by_what_differs() -> None:
    def taught(rate: float) -> Machine:
        return Predict(Averages, lambda: LogisticRegression(SGD(rate)), NEAR, Costs())

    said = r"with Constant\(learning_rate=0.1\) and would be with Constant\(learning_rate=0.2\)"
    with pytest.raises(ShapeChangedError, match=said):
        Turning(taught(0.1), taught(0.2), START)


def test_in_a_flow_each_step_turns_from_its_own() -> None:
    def flow(minutes: int, former: Tape | None = None) -> Tape:
        stream = op.input("in", Dataflow("flow"), TestingSource[tuple[str, Strip]]([]))
        turn = None if former is None else Turned(former.machines, START)
        tape = enter("enter", Tape.of(stream, Costs()), FLOW)
        tape = Tape(**{**vars(tape), "turn": turn})
        return candles("candles", tape, every=timedelta(minutes=minutes))

    made = flow(1, flow(1)).machines[-1]()
    assert isinstance(made, Turning)
    with pytest.raises(ShapeChangedError):
        flow(5, flow(1))
    with pytest.raises(ShapeChangedError, match="step 1 is there from then on only"):
        Turned((), START).of(0, near)
