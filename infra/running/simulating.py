"""`deck simulate` and `deck run`: markets that are made up, and a strategy on them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import which
from typing import Annotated

import typer

from connectors.disk import kept
from connectors.simulated.simulate import simulate
from infra import screen
from infra.listed import listed
from infra.running import flowfile
from infra.running.playing import play
from infra.running.sources import Files
from infra.running.worker import Job
from infra.screen import say, told
from infra.settings import Settings
from infra.stories.report import report_command
from schemas.mendable import Mendable


def simulate_command(
    out: Annotated[Path, typer.Argument(help="The Parquet file to write.", show_default=False)],
    days: Annotated[float, typer.Option(help="How long.")] = 7.0,
    markets: Annotated[
        str, typer.Option(help="Names, with commas between.")
    ] = "sim:BTC/USDT,sim:ETH/USDT",
    seed: Annotated[int, typer.Option(help="The same seed gives the same ticks.")] = 1,
    rate: Annotated[float, typer.Option(help="Trades a minute and market, on average.")] = 20.0,
    signal: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="How much of the future can be learnt.")
    ] = 0.5,
    book_every: Annotated[
        float, typer.Option(min=0.0, help="Seconds between books, at least; 0 for no books.")
    ] = 1.0,
    uncompressed: Annotated[bool, typer.Option(help="Faster to read, larger.")] = False,
) -> None:
    """Write a seeded, simulated recording of some markets."""
    with told():
        names = listed(markets)
        write = partial(
            simulate, out, names, days, seed,
            rate=rate, signal=signal, book_every=book_every or None, uncompressed=uncompressed,
        )  # fmt: skip
        trades = _simulate(out, write)
        market = "s" * (len(names) > 1)
        screen.out.print(
            f"{trades:,} trades of {len(names)} market{market}: deck replay FLOW --data {out}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip


def run_command(
    flow: Annotated[Path, typer.Argument(help="The flow file.")] = Path("flows/learned_cross.py"),
    days: Annotated[float, typer.Option(help="How long a market to simulate.")] = 7.0,
    seed: Annotated[int, typer.Option(help="Another seed is another market.")] = 1,
) -> None:
    """Trade a simulated week of two markets on paper, into ClickHouse."""
    with told():
        home = Settings.from_environment().home
        with kept("the recording", home):
            home.mkdir(parents=True, exist_ok=True)
        data = home / f"simulated-{days:g}d-seed{seed}.parquet"
        if not data.exists():
            markets = ["sim:BTC/USDT", "sim:ETH/USDT"]
            _simulate(data, partial(simulate, data, markets, days, seed, signal=1.0))
        costs = flowfile.load(flow).costs
        job = Job(flow=flow, origin=Files((data,)), costs=costs)
        run = play(job, None, None, None)
        try:
            report_command.tell(job.settings, run)
        except Mendable as error:  # the run itself is whole
            say(f"no report: {error}; deck report {run[:8]} writes it", "yellow")
        _next_steps(flow, data)


def _simulate(out: Path, write: Callable[..., int]) -> int:
    with screen.bar(f"simulate {out.name}") as bar, kept("the recording", out):
        task = bar.add_task("simulate", total=1.0, note="")
        return write(progress=lambda part: bar.update(task, completed=part))


def _next_steps(flow: Path, data: Path) -> None:
    near = Path.cwd()
    where = data.relative_to(near) if data.is_relative_to(near) else data
    screen.out.print("\nWhat next:", style="bold")
    for command, what in (
        *([] if which("deck") else [(". .venv/bin/activate", "so that deck is found")]),
        ('deck sql "SELECT market, count() FROM candles GROUP BY market"', "ask history"),
        ("deck explain", "the latest positions, and the story of each"),
        ("deck dashboard", "look at it on a page"),
        (f"$EDITOR {flow}", "change a number, and run it again"),
        (f"deck replay {flow} --data {where} --fees 0", "the same market, without fees"),
    ):
        screen.out.print(f"  {command}  [dim]# {what}[/dim]", highlight=False, soft_wrap=True)
