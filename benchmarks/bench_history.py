"""History: how long the usual questions take with many trades, just started and a second time."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

import pyarrow as pa
from rich.console import Console
from rich.table import Table

from benchmarks.history_filling import EACH, MARKETS, START, steps
from infra.history.history import History
from infra.history.past import Past, When
from infra.settings import Settings
from infra.times import write_time
from schemas import DAY

TRADES = 100_000_000
WARM = 5
"""How often each question is asked again; the median counts."""
VIEWS = (
    "positions", "equity", "decisions", "order_costs", "execution_gap", "model_metrics", "slippage",
    "daily", "results", "runs", "calibration", "troubles",
)  # fmt: skip
TIMELESS = {"results", "runs", "calibration"}
MARKET = "bench:M7/USDT"


class Question(NamedTuple):
    """What is asked, in words, and how."""

    words: str
    ask: Callable[[Past], pa.Table]


def bench(screen: Console, trades: int) -> None:
    """Fill a history that is thrown away, and print what each question takes."""
    with TemporaryDirectory(prefix="history-") as home:
        history = History(Settings(Path(home)))
        try:
            with closing(history.client("owner")) as owner:
                for step in steps(trades):
                    with screen.status(f"filling {step.table}"):
                        owner.command(step.statement, settings={"final": 0})
            show(screen, history, trades)
        finally:
            history.stop()


def show(screen: Console, history: History, trades: int) -> None:
    """Print what each question takes, asked of a history that is filled."""
    title = f"History of {trades:,} trades: seconds"
    grid = Table(title=title, title_justify="left")
    for name in ("question", "rows", "cold", "warm"):
        grid.add_column(name, justify="left" if name == "question" else "right")
    for question in questions(history, trades):
        with screen.status(question.words):
            forget(history)
            rows, *took = _asked(history, question)
        grid.add_row(question.words, f"{rows:,}", f"{took[0]:.2f}", f"{median(took[1:]):.2f}")
    screen.print(grid)


def questions(history: History, trades: int) -> Iterator[Question]:
    """Yield the usual questions, then those to each view: all of it, of a run, of its last day."""
    end = START + trades // MARKETS * EACH
    day, week = write_time(end - DAY), write_time(end - 7 * DAY)
    with closing(Past(history.settings)) as past:
        run = past.runs(last=1)["run"][0].as_py()
    yield Question("trades of a market, its last day", _rows("trades", market=MARKET, since=day))
    yield Question("last 100 trades of a market", _rows("trades", market=MARKET, last=100))
    yield Question("trades of each market, counted", _sql(_COUNTED))
    yield Question("a day's candles, cut from its trades", _sql(_CUT.format(since=end - DAY)))
    yield Question("candles of a market, its last day", _rows("candles", market=MARKET, since=day))
    yield Question("candles of a market, a week", _rows("candles", market=MARKET, since=week))
    yield Question("last 500 candles of a run's market", _rows("candles", MARKET, run, last=500))
    yield Question("averages of a market, its last day", _rows("averages", MARKET, since=day))
    yield Question("last 100 outcomes of a run", _rows("outcomes", run=run, last=100))
    yield Question("last 100 positions of a run", _rows("positions", run=run, last=100))
    for view in VIEWS:
        yield Question(view, _rows(view))
        yield Question(f"{view} of a run", _rows(view, run=run))
        if view not in TIMELESS:
            yield Question(f"{view} of the last day", _rows(view, since=day))


_COUNTED = "SELECT market, count() FROM trades GROUP BY market"
_CUT = f"""
SELECT
    toStartOfMinute(t.ts) AS minute, argMin(price, (partition, offset, row)),
    max(price), min(price), argMax(price, (partition, offset, row)), sum(size)
FROM trades AS t WHERE market = '{MARKET}' AND t.ts >= fromUnixTimestamp64Nano({{since}}, 'UTC')
GROUP BY minute
"""  # noqa: S608 - names of ours


def _rows(
    name: str,
    market: str | None = None,
    run: str | None = None,
    since: When | None = None,
    last: int | None = None,
) -> Callable[[Past], pa.Table]:
    return lambda past: past.table(name, market=market, run=run, since=since, last=last)


def _sql(query: str) -> Callable[[Past], pa.Table]:
    return lambda past: past.client.query_arrow(query)


def _asked(history: History, question: Question) -> tuple[float, ...]:
    """Return how many rows there are, and how long each asking took."""
    rows, took = 0, []
    with closing(Past(history.settings)) as past:
        for _ in range(1 + WARM):
            begun = perf_counter()
            rows = question.ask(past).num_rows
            took.append(perf_counter() - begun)
    return rows, *took


def forget(history: History) -> None:
    """Start its server anew, with none of its files in memory."""
    history.stop()
    for path in history.home.path.rglob("*"):
        if path.is_file():
            with opened(path) as file:
                os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    history.start()


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a file to read, by its number."""
    file = os.open(path, os.O_RDONLY)
    try:
        yield file
    finally:
        os.close(file)
