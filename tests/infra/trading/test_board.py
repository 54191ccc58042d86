"""What `deck trade` shows."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console

from infra.trading.board import TradeBoard
from infra.trading.board import board as shown_as
from schemas import (
    SECOND,
    Closed,
    Event,
    Fill,
    Halt,
    Heartbeat,
    Opened,
    Order,
    Refused,
    Report,
    Trades,
)
from schemas.tables import Record

M = "okx:A/B"
TWO = Decimal(2)


def shown(board: TradeBoard, now: int = 10 * SECOND, width: int = 140) -> str:
    console = Console(width=width)
    with console.capture() as seen:
        console.print(shown_as(board.lines, width, now))
    return seen.get()


def concluded(board: TradeBoard, *events: Event) -> str:
    board.write([Record(number, event) for number, event in enumerate(events)])
    return " ".join(shown(board).split())


def opened() -> Opened:
    return Opened(M, 7, 1, "long", TWO, Decimal("100.25"), 99.0, None, None, None)


def test_each_conclusion_is_where_one_looks_for_it() -> None:
    board = TradeBoard("demo", "1f")
    assert "long refused: too dear" in concluded(board, Refused(M, 8, "long", "too dear"))
    said = concluded(board, Order(M, 7, 1, 1, "enter", "buy", TWO, "cross"), opened())
    assert "enter: buy 2" in said
    assert "long 2 at 100.25" in said
    said = concluded(board, Fill(M, 7, 1, 1, "buy", Decimal("0.1"), TWO, Decimal(0)))
    assert "filled 2 at 0.1" in said
    assert "halted" in concluded(board, Halt(M, 8, "halted", "by me"))
    assert "already" not in concluded(board, Refused(M, 8, "long", "already long"))
    closed = Closed(
        M, 9, 1, "long", TWO, TWO, TWO, 7, "stop", Decimal(0), Decimal("-1234.5"), 0.0, 0.0
    )
    said = concluded(board, closed)
    assert "closed, stop: -1,234.50" in said
    assert "long 2 at" not in said


def test_reports_of_other_runs_are_not_shown() -> None:
    board = TradeBoard("demo", "1f")
    fill = Report(M, 7, "main:sandbox", "demo", "x", "filled", TWO, TWO, run="1f", purpose="enter")
    for flow, run in (("other", "1f"), ("demo", "2e")):
        other = Report(M, 7, "main:sandbox", flow, "x", "rejected", reason="odd", run=run)
        assert board.seen([(M, [fill, other])]) == [(M, [fill, other])]
    assert "enter filled 2 at 2" in shown(board)
    assert "odd" not in shown(board)


def test_how_far_a_market_is_behind_is_counted_from_what_came_last() -> None:
    board = TradeBoard("demo", "1f")
    board.seen([(M, [Trades.of(M, [SECOND, 7 * SECOND], [1.0] * 2, [1.0] * 2)])])
    assert "3.0 s" in shown(board)
    board.seen([(M, [Heartbeat(M, 9 * SECOND)]), (M, [])])
    assert "1.0 s" in shown(board)


def test_it_is_known_again_behind_a_restart() -> None:
    board, again = TradeBoard("demo", "1f"), TradeBoard("demo", "1f")
    concluded(board, opened())
    again.resume(board.snapshot())
    assert shown(again) == shown(board)
    TradeBoard("demo", "1f").resume(None)


def test_it_fits_a_narrow_terminal_and_shows_each_market_whole() -> None:
    board = TradeBoard("demo", "1f")
    concluded(board, opened(), Order(M, 7, 1, 1, "enter", "buy", Decimal("0.12345678"), "cross"))
    lines = shown(board, width=80).splitlines()
    assert max(map(len, lines)) <= 80
    assert any(M in line for line in lines)


def test_where_there_is_no_room_what_was_said_stands_whole_below_the_table() -> None:
    board, why = TradeBoard("demo", "1f"), "the book is 2000 ms old, and at most 1000 are allowed"
    concluded(board, Order(M, 7, 1, 1, "enter", "buy", TWO, "cross"), Refused(M, 8, "long", why))
    said = f"enter: buy 2 · long refused: {why}"
    assert said not in shown(board)
    assert "".join(f"{M}{said}".split()) in "".join(shown(board, width=80).split())
    assert "–" not in shown(TradeBoard("demo", "1f"), width=20)


def test_a_signal_that_wants_what_is_under_way_hides_no_report() -> None:
    board = TradeBoard("demo", "1f")
    rests = Report(M, 7, "main:sandbox", "demo", "x", "acknowledged", run="1f", purpose="enter")
    board.seen([(M, [rests])])
    assert "enter acknowledged" in concluded(
        board, Refused(M, 8, "long", "already entering a long")
    )
