"""What `deck executor` shows."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console

from connectors.account.limits import Result
from connectors.blotter.modes import Mode, Scope
from connectors.blotter.order import Slip
from connectors.blotter.position import Holding
from infra.executor.board import board
from infra.executor.executing import Standing

M = "binance:BTC/USDT:USDT"
HELD = Holding(
    "demo", "1f", M, 1, "long", "leaving", "stop", entered=Decimal(3), spent=Decimal("300.75")
)
STOP = Slip(
    "a", M, "sell", "market", Decimal(3), None, Decimal("99.5"), True, "demo", "1f", 1, "stop",
    status="acknowledged",
)  # fmt: skip
ALL = Standing(
    "trading", True, [STOP], [HELD], {Scope("demo", M): Mode("halted", "halt by me")},
    [Result("USDT", today=Decimal("-2.5"), total=Decimal(10))], 3,
)  # fmt: skip


def shown(standing: Standing, width: int = 120) -> str:
    console = Console(width=width)
    with console.capture() as seen:
        console.print(board("main:sandbox", standing))
    return seen.get()


def test_it_tells_what_is_held_which_orders_are_open_who_is_halted_and_what_was_made() -> None:
    said = " ".join(shown(ALL).split())
    for wanted in (
        "main:sandbox · trading · +10.00 USDT, today -2.50 · 3 reports wait",
        f"demo in {M}: halted, halt by me",
        "long 3 100.25 leaving: stop",
        "stop: sell 3 at 99.5 0 acknowledged",
    ):
        assert wanted in said


def test_nothing_is_said_to_be_held_only_where_that_is_known() -> None:
    assert "nothing is held" in shown(Standing("trading", known=True))
    assert shown(Standing("reaching the exchange")) == "main:sandbox · reaching the exchange\n"


def test_what_is_about_to_enter_is_an_order_and_not_held() -> None:
    entry = Slip("b", M, "buy", "limit", Decimal(3), Decimal(97), flow="demo", purpose="enter")
    said = shown(Standing("trading", True, [entry], [Holding("demo", "1f", M, 1, "long")]))
    assert "enter: buy 3 at 97" in said
    assert "long 0" not in said


def test_it_fits_a_narrow_terminal() -> None:
    lines = shown(ALL, width=80).splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(M in line for line in lines) == 3
