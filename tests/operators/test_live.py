"""What a run that trades at an exchange chooses."""

from __future__ import annotations

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource

from operators.candles import candles
from operators.costs import Costs
from operators.entry import enter
from operators.live import Live
from operators.tape import Tape
from tests.operators.helpers import Item
from tests.tapes import FLOW, START


def test_that_a_run_is_live_travels_with_the_tape() -> None:
    stream = op.input("in", Dataflow("flow"), TestingSource[Item]([]))
    tape = Tape.of(stream, Costs(), Live(START))
    assert tape.live == Live(START)
    assert candles("candles", enter("enter", tape, FLOW), ticks=5).live == Live(START)


def test_a_tape_is_on_paper_unless_said() -> None:
    stream = op.input("in", Dataflow("flow"), TestingSource[Item]([]))
    assert Tape.of(stream, Costs()).live is None


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"since must be a time of 0 or more.* not -1"):
        Live(-1)
