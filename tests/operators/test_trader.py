"""What `Trade` asks of the one who does the orders."""

from __future__ import annotations

from operators.costs import Costs
from operators.live_trader import LiveTrader
from operators.paper_trader import PaperTrader
from operators.trader import Done, Trader
from schemas import Report, Value
from tests.tapes import START


def test_there_is_one_on_paper_and_one_at_an_exchange() -> None:
    traders: list[Trader] = [PaperTrader(Costs(), None), LiveTrader(Costs())]
    assert [trader.reads for trader in traders] == [{Value}, {Report}]


def test_neither_keeps_anything() -> None:
    for trader in (PaperTrader(Costs(), None), LiveTrader(Costs())):
        assert not {"state", "life", "standing"} & set(vars(trader))


def test_what_was_done_has_its_place() -> None:
    assert Done(2, START, []) == (2, START, [])
