"""On paper: what only the trader knows; its whole life is in `test_trade` and `test_resting`."""

from __future__ import annotations

from decimal import Decimal

from operators.costs import Costs
from operators.funding import Funding
from operators.monitor import Widths
from operators.paper import View
from operators.paper_trader import PaperTrader, pay_funding
from operators.standing import Standing
from schemas import Fill, Opened, Order, Refused, Report
from tests.desk import trade
from tests.tapes import MARKET, START

D = Decimal
WIDTHS = Widths(None, None, None, None)
TRADER = PaperTrader(Costs(latency_ms=1), None)


def order(price: Decimal | None = None) -> Order:
    kind = "market" if price is None else "limit"
    return Order(MARKET, START, 1, 1, "enter", "buy", D(3), "", kind, price)  # type: ignore[arg-type]


def test_an_entry_with_a_limit_works_beside_its_position() -> None:
    standing = Standing()
    TRADER.begin(standing, order(D(99)), WIDTHS)
    assert standing.resting is not None
    assert (standing.resting.due, standing.resting.left) == (START + 1_000_000, D(3))
    done = TRADER.trades(standing, trade(98.0, START + 1_000_000), 0)
    assert done is not None
    assert [type(event) for event in done.events] == [Fill, Opened]
    assert standing.resting is None
    assert standing.view.price == 98.0


def test_an_entry_at_any_price_works_as_the_positions_ticket() -> None:
    standing = Standing()
    TRADER.begin(standing, order(), WIDTHS)
    assert standing.resting is None
    assert TRADER.trades(standing, trade(98.0), 0) is None
    assert not list(TRADER.call_off(standing, MARKET, START, "no"))


def test_to_leave_an_entry_that_rests_is_to_call_it_off() -> None:
    standing = Standing()
    TRADER.begin(standing, order(D(99)), WIDTHS)
    (told,) = TRADER.leave(standing, MARKET, START, "exit")
    assert told == Refused(MARKET, START, "long", "called off before it filled: exit")
    assert (standing.life, standing.resting) == (None, None)


def test_on_paper_nobody_reports() -> None:
    assert not TRADER.hear(Standing(), Report(MARKET, START, "main", "demo", "x", "filled"))


def test_funding_without_a_position_is_nobodys() -> None:
    standing = Standing(view=View(100.0))
    standing.funding.rate, standing.funding.due = D("0.001"), START
    pay_funding(standing)
    assert standing.funding == Funding(D("0.001"), None, D(0))
