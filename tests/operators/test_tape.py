from __future__ import annotations

import pickle
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource
from bytewax.visualize import to_rendered

from operators import Costs, averages, candles, enter
from operators.averages import MovingAverages
from operators.entry import Entry
from operators.tape import ShapeChangedError, Strip, Tape, _Logic, run
from schemas import MINUTE, Event, Heartbeat, Trades, Value
from schemas.sealed import TornError, opened
from tests.operators.helpers import STOP, Fed, in_a_flow, ran, wired
from tests.tapes import EVERYWHERE, FLOW, MARKET, START, canonical, play


class Sum:
    """Put the sum of all values so far, times `factor`, behind each value."""

    reads: frozenset[type[Event]] = frozenset({Value})

    def __init__(self, factor: float = 1.0, shape: str = "sum") -> None:
        if factor <= 0:
            msg = f"factor must be above 0, not {factor}"
            raise ValueError(msg)
        self.factor = factor
        self.shape = (shape, 1)
        self.state: list[float] = []

    def __call__(self, event: Event) -> Iterable[Event]:
        assert isinstance(event, Value)
        self.state.append(event.value)
        return event, Value(event.market, event.ts, "sum", sum(self.state) * self.factor)


def value(number: float) -> Value:
    return Value(MARKET, START, "x", number)


def sums(events: Iterable[Event]) -> list[float]:
    return [e.value for e in events if isinstance(e, Value) and e.series == "sum"]


# The adapter --------------------------------------------------------------------------------------


def test_what_a_machine_does_not_read_passes_it_by_in_its_place() -> None:
    beat = Heartbeat(MARKET, START)
    out = play(Sum, [beat, value(1.0), beat, value(2.0)])
    assert out == [beat, value(1.0), *play(Sum, [value(1.0)])[1:], beat, value(2.0), out[-1]]
    assert out[0] is beat
    assert sums(out) == [1.0, 3.0]


def test_a_strip_stays_a_strip() -> None:
    strips, discard = _Logic("step", Sum(), None).on_batch([[value(1.0), value(2.0)], [value(3.0)]])
    assert [len(strip) for strip in strips] == [4, 2]
    assert not discard


def test_a_snapshot_does_not_change_when_the_state_goes_on() -> None:
    logic = _Logic("step", Sum(), None)
    logic.on_batch([[value(1.0)]])
    saved = logic.snapshot()
    logic.on_batch([[value(2.0)]])
    again = _Logic("step", Sum(), saved)
    assert sums(next(iter(again.on_batch([[value(5.0)]])[0]))) == [6.0]


def test_the_end_of_input_adds_nothing() -> None:
    assert not list(_Logic("step", Sum(), None).on_eof()[0])


def test_a_changed_shape_is_refused_with_both_and_the_choices() -> None:
    saved = _Logic("step", Sum(), None).snapshot()
    with pytest.raises(ShapeChangedError) as refused:
        _Logic("moods", Sum(shape="mood"), saved)
    for part in ("'moods'", "('sum', 1)", "('mood', 1)", "former settings", "recovery directory"):
        assert part in str(refused.value)


def test_a_snapshot_holds_no_more_than_the_rows_it_needs() -> None:
    far = [START, *[START + 10**18] * 99_999]
    block = Trades.of(MARKET, far, [1.0] * 100_000, [1.0] * 100_000)
    logic = _Logic("step", Entry(FLOW), None)
    logic.on_batch([[block.cut(0, 1), block.cut(1, 3)]])
    assert len(logic.machine.state.held) == 2
    assert len(logic.snapshot()) < 3_000


# In the engine ------------------------------------------------------------------------------------


def test_a_step_in_a_flow_does_what_its_machine_does() -> None:
    tape = [value(float(x)) for x in range(9)]
    out = in_a_flow(tape, lambda t: run("sum", t, Sum))
    assert canonical(out) == canonical(play(Sum, tape, EVERYWHERE))


def test_state_goes_on_after_a_restart_and_new_settings_count_at_once(tmp_path: Path) -> None:
    tape: Fed = [value(1.0), value(2.0), STOP, value(3.0), STOP, value(4.0)]
    first = in_a_flow(tape, lambda t: run("sum", t, Sum), tmp_path)
    second = in_a_flow(tape, lambda t: run("sum", t, lambda: Sum(10.0)), tmp_path)
    third = in_a_flow(tape, lambda t: run("sum", t, Sum), tmp_path)
    assert [sums(first), sums(second), sums(third)] == [[1.0, 3.0], [60.0], [10.0]]


def test_a_flow_of_another_shape_does_not_start_on_kept_state(tmp_path: Path) -> None:
    tape: Fed = [value(1.0), STOP, value(2.0)]
    in_a_flow(tape, lambda t: run("sum", t, Sum), tmp_path)
    with pytest.raises(BaseException) as failed:  # noqa: PT011 - what the engine makes of it
        in_a_flow(tape, lambda t: run("sum", t, lambda: Sum(shape="mood")), tmp_path)
    told = failed.getrepr(style="short")
    assert "was kept with ('sum', 1) and is now ('mood', 1)" in str(told)


def test_real_steps_go_on_bit_for_bit_after_a_restart(tmp_path: Path) -> None:
    def steps(tape: Tape) -> Tape:
        tape = enter("enter", tape, FLOW)
        tape = candles("candles", tape, every=timedelta(minutes=1))
        return averages("averages", tape, sma=(2,), ema=(3,))

    ticks: list[Event] = [
        Trades.of(MARKET, [START + i * 7 * MINUTE // 11], [100 / (i + 3)], [i / 7 + 0.1])
        for i in range(30)
    ]
    whole = in_a_flow(ticks, steps)
    cut: Fed = [*ticks[:11], STOP, *ticks[11:17], STOP, *ticks[17:]]
    parts = [event for _ in range(3) for event in in_a_flow(cut, steps, tmp_path)]
    assert {type(event).__name__ for event in whole} == {"Trades", "Candle", "Averages"}
    assert canonical(parts) == canonical(whole)


def test_bad_settings_are_told_where_the_flow_is_built() -> None:
    with pytest.raises(ValueError, match="factor must be above 0, not -1"):
        wired([], lambda t: run("sum", t, lambda: Sum(-1)))


def test_a_step_is_one_box_in_the_graph() -> None:
    def steps(tape: Tape) -> Tape:
        tape = enter("enter", tape, FLOW)
        tape = candles("candles", tape, ticks=5)
        return averages("averages", tape, sma=(2,))

    flow, _ = wired([], steps)
    boxes = to_rendered(flow).substeps
    assert [box.step_id for box in boxes] == [
        f"flow.{name}" for name in ("in", "enter", "candles", "averages", "out")
    ]
    assert [box.op_type for box in boxes[1:4]] == ["enter", "candles", "averages"]


def test_the_costs_of_a_run_travel_with_the_tape() -> None:
    costs = Costs(fees_bps=7.5)
    seen: list[Costs] = []

    def steps(tape: Tape) -> Tape:
        tape = Tape.of(tape, costs)
        tapes = [enter("enter", tape, FLOW), candles("candles", tape, ticks=5)]
        seen.extend(tape.costs for tape in tapes)
        return tape

    wired([], steps)
    assert seen == [costs, costs]


def test_a_tape_knows_the_shape_of_each_step_and_since_when_positions_are_entered() -> None:
    seen: list[Tape] = []

    def steps(tape: Tape) -> Tape:
        tape = enter("enter", Tape.of(tape, Costs(), since=START), FLOW)
        tape = averages("averages", candles("candles", tape, ticks=5), sma=(5,))
        seen.append(tape)
        return tape

    wired([], steps)
    assert dict(seen[0].steps) == {
        "flow.enter.entry.machine": ("entry", 2),
        "flow.candles.candles.machine": ("candles", 1, "5 trades"),
        "flow.averages.averages.machine": ("averages", 2, ("sma5",), None),
    }
    assert seen[0].since == START


def test_a_state_that_was_changed_on_its_disk_is_refused() -> None:
    kept = _Logic("step", Sum(), None).snapshot()
    with pytest.raises(TornError):
        _Logic("step", Sum(), kept[:-1] + b"!")


def test_a_snapshot_is_the_shape_and_the_state_and_no_settings() -> None:
    logic = _Logic("step", Sum(7.0), None)
    logic.on_batch([[value(1.0)]])
    assert pickle.loads(opened(logic.snapshot())) == (("sum", 1), [1.0])


def test_markets_have_states_of_their_own() -> None:
    flow, out = Dataflow("flow"), list[tuple[str, Strip]]()
    items: list[tuple[str, Strip]] = [
        (market, [value(number)]) for market, number in (("a", 1.0), ("b", 5.0), ("a", 2.0))
    ]
    tape = Tape.of(op.input("in", flow, TestingSource(items)), Costs())
    op.output("out", run("sum", tape, Sum), TestingSink(out))
    ran(flow)
    assert [(market, *sums(strip)) for market, strip in out] == [("a", 1.0), ("b", 5.0), ("a", 3.0)]


def test_other_windows_are_refused_though_the_shape_is_read_from_the_state() -> None:
    kept = _Logic("averages", MovingAverages({"sma": (5, 20)}), None).snapshot()
    with pytest.raises(ShapeChangedError, match=r"'sma20'.*'sma21'"):
        _Logic("averages", MovingAverages({"sma": (5, 21)}), kept)
