"""What is shown while markets come in, on a narrow terminal and where there is none."""

import io

import pytest
from rich.console import Console

from connectors.feed.feed import Counts
from infra import screen
from infra.intake.ingest import board
from infra.intake.intake import Taken
from infra.intake.record_board import Board
from infra.intake.watching import Watching

WHOLE = Counts(
    trades=12_345_678, repeated=1_234, holes=56, filled=7_890, late=12, gaps=34, rejects=5,
    books=9_876_543, refused=21, reconnects=43, stalls=65, latency=1_234_567_890,
)  # fmt: skip
MARKETS = ["binance:BTC/USDT:USDT", "okx:ETH/USDT"]
AWAY = "binance cannot be reached (RequestTimeout); trying again"


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_cut_off_on_a_narrow_terminal(width: int) -> None:
    for table in (
        board([Taken(dict.fromkeys(MARKETS, WHOLE))]),
        Board(MARKETS).table(0, dict.fromkeys(MARKETS, WHOLE)),
    ):
        text = io.StringIO()
        Console(file=text, width=width).print(table)
        words = text.getvalue()
        assert "…" not in words
        assert all(market in words for market in MARKETS)
        assert "7,890" in words
        assert "reconnects" in words


def test_without_a_terminal_a_trouble_is_told_as_it_begins_and_when_all_are_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = io.StringIO()
    monkeypatch.setattr(screen, "screen", Console(file=said))
    with Watching() as watching:
        for troubles in ([], [AWAY], [AWAY], [], []):
            watching.show(board([]), troubles)
    assert said.getvalue().splitlines() == [AWAY, "all is taken in again"]


def test_on_a_terminal_troubles_stand_with_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    terminal = Console(file=said, width=80, force_terminal=True)
    monkeypatch.setattr(screen, "screen", terminal)
    with Watching() as watching:
        watching.show(board([Taken({"m": WHOLE})]), [AWAY])
        terminal.print(watching._rendered())
    assert AWAY in said.getvalue()
    assert "12,345,678" in said.getvalue()
