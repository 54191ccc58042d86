"""What each part costs alone: decoding, and each machine on what the one before it gave."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

from rich.console import Console
from rich.table import Table

from benchmarks import data
from connectors.recordings.replay import Replay
from flows import learned_cross, sma_cross
from operators import Averages, Costs
from operators.averages import MovingAverages
from operators.candles import TimeCandles
from operators.entries import Entries
from operators.entry import Entry
from operators.predict import Predict
from operators.tape import Machine, Strip
from operators.trade import Trade
from schemas import MINUTE

Strips = list[tuple[str, Strip]]

MACHINES: dict[str, Callable[[], Machine]] = {
    "entry": lambda: Entry("bench"),
    "candles": lambda: TimeCandles(MINUTE),
    "averages": lambda: MovingAverages({"sma": (5, 20, 60)}),
    "predict": lambda: Predict(Averages, learned_cross.model, learned_cross.BARRIERS, Costs()),
    "entries": lambda: Entries(Averages, sma_cross.cross),
    "trade": lambda: Trade(sma_cross.BARRIERS, Costs()),
}


def bench(screen: Console) -> None:
    """Print nanoseconds of processor time a trade."""
    grid = Table(title="Each part alone, ns a trade", title_justify="left")
    for title in ("data", "decode", *MACHINES):
        grid.add_column(title, justify="left" if title == "data" else "right")
    for market in (data.DENSE, data.WIDE, data.THIN):
        with screen.status(market.name):
            grid.add_row(market.name, *(f"{cost:,.0f}" for cost in _costs(market)))
    screen.print(grid)


def _costs(market: data.Market) -> list[float]:
    source = Replay([market.path()])
    started = process_time()
    strips: Strips = []
    for part in source.list_parts():
        strips += _drained(source, part)
    costs = [process_time() - started]
    for make in MACHINES.values():
        started = process_time()
        strips = _through(make, strips)
        costs.append(process_time() - started)
    return [cost / source.progress.trades * 1e9 for cost in costs]


def _drained(source: Replay, part: str) -> Strips:
    partition = source.build_part("bench", part, None)
    strips: Strips = []
    try:
        while True:
            strips += partition.next_batch()
    except StopIteration:
        return strips


def _through(make: Callable[[], Machine], strips: Strips) -> Strips:
    machines: dict[str, Machine] = {}
    through: Strips = []
    for market, strip in strips:
        machine = machines.get(market)
        if machine is None:
            machine = machines[market] = make()
        reads = machine.reads
        out: Strip = []
        for event in strip:
            out.extend(machine(event) if type(event) in reads else (event,))
        through.append((market, out))
    return through
