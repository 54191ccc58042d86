from __future__ import annotations

import pickle
from collections.abc import Container
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSink, TestingSource
from hypothesis import given
from hypothesis import strategies as st

from operators.costs import Costs
from operators.records import Numbering, conclude
from operators.tape import Strip, Tape
from schemas import DERIVED, Event, Gap, Halt, Heartbeat, Position, Reject, Trades
from schemas.sealed import sealed
from schemas.tables import Record
from tests.operators.helpers import STOP, ran
from tests.schemas.events import any_event
from tests.tapes import MARKET, cuts, feeds

TAPES = feeds() | st.lists(any_event(), max_size=20)


def numbered(tape: list[Event], cut: Container[int] = ()) -> list[Record]:
    """Give a tape cut into strips its numbers, from a snapshot at each cut."""
    numbering, strip, records = Numbering(), list[Event](), list[Record]()
    for row, event in enumerate([*tape, Heartbeat(MARKET, 0)]):
        if row in cut or row == len(tape):
            strips, _ = numbering.on_batch([strip, []])
            records += [record for each in strips for record in each]
            numbering, strip = Numbering(pickle.loads(pickle.dumps(numbering.snapshot()))), []
        strip.append(event)
    return records


@given(TAPES)
def test_what_was_concluded_is_numbered_in_order_and_the_rest_let_go(tape: list[Event]) -> None:
    kept = [
        event
        for event in tape
        if isinstance(event, (*DERIVED, Reject)) or (isinstance(event, Gap) and event.at is None)
    ]
    records = numbered(tape)
    assert [record.seq for record in records] == list(range(len(kept)))
    assert all(record.event is event for record, event in zip(records, kept, strict=True))


@given(TAPES, cuts(40))
def test_no_cut_and_no_restart_changes_a_number(tape: list[Event], cut: Container[int]) -> None:
    assert [(r.seq, id(r.event)) for r in numbered(tape, cut)] == [
        (r.seq, id(r.event)) for r in numbered(tape)
    ]


def test_a_gap_of_the_log_is_not_concluded_here() -> None:
    ours, theirs = Gap("m", 1, "ids", 1, 1), Gap("m", 1, "ids", 1, 1, at=Position("p", 0))
    assert [record.event for record in numbered([theirs, ours])] == [ours]


def test_strips_without_conclusions_leave_nothing() -> None:
    strips, discard = Numbering(sealed(b"3")).on_batch([[Heartbeat("m", 1)], []])
    assert (list(strips), discard) == ([], False)


def test_markets_are_numbered_apart_and_go_on_after_a_restart(tmp_path: Path) -> None:
    halts = {market: Halt(market, 1, "halted", "by me") for market in "ab"}
    trades = Trades.of("a", [1], [1.0], [1.0])
    strips: list[tuple[str, Strip]] = [("a", [trades, halts["a"]]), ("b", [halts["b"]])]
    items: list[Any] = [*strips, strips[0], STOP, *strips]

    def run() -> list[tuple[str, int]]:
        flow, out = Dataflow("flow"), list[tuple[str, list[Record]]]()
        tape = Tape.of(op.input("in", flow, TestingSource(items)), Costs())
        op.output("out", conclude("conclude", tape), TestingSink(out))
        ran(flow, tmp_path)
        return [(market, record.seq) for market, records in out for record in records]

    assert [run(), run()] == [[("a", 0), ("b", 0), ("a", 1)], [("a", 2), ("b", 1)]]
