"""`deck`: the command line. Make targets are doors to it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Annotated, BinaryIO

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from connectors.disk import DiskError, kept
from connectors.files import DataError
from connectors.simulate import simulate
from infra import flowfile, history, report, sql
from infra.problems import ReplayError
from infra.processes import Position, Watcher
from infra.replay import drain_left, replay
from infra.settings import Settings
from infra.worker import Job
from operators import Costs

app = typer.Typer(
    help="Tapedeck: a strategy on recorded ticks, on paper and live, from one flow file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("sql")(sql.sql)
app.add_typer(history.app, name="history")

_screen = Console(stderr=True)
_STOPPED, _OURS = 130, 70
# What is not a terminal has no width of its own: wide enough for every table.
_out = Console(width=None if sys.stdout.isatty() else 160)


class _Misused(ValueError):
    """An option that cannot be; its text shows it, and one that can."""


@app.command("replay")
def replay_command(
    flow: Annotated[Path, typer.Argument(help="The flow file.", show_default=False)],
    data: Annotated[
        list[Path],
        typer.Option(
            "--data",
            help="Recorded ticks: Parquet, CSV or JSONL files (also .gz .zst .bz2 .xz), or "
            "directories of them. Several may follow: --data a.csv b.csv",
            show_default=False,
        ),
    ],
    market: Annotated[
        list[str] | None,
        typer.Option(
            help="The full name of the market, such as binance:BTC/USDT; or SYMBOL=NAME, once for "
            "each symbol in the data.",
            show_default=False,
        ),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            help="OURS=THEIRS: what a column is called in the data, such as price=last or "
            "ts=timestamp:ms.",
            show_default=False,
        ),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Trades handed over at once.")] = 65_536,
    processes: Annotated[
        int, typer.Option(min=1, help="Processes that divide the markets among them.")
    ] = 1,
    fees: Annotated[
        float | None, typer.Option(help="Fee, in basis points.", show_default="the flow's")
    ] = None,
    latency: Annotated[
        float | None,
        typer.Option(
            help="Milliseconds from a decision to its fill, in tape time.",
            show_default="the flow's",
        ),
    ] = None,
    slippage: Annotated[
        float | None,
        typer.Option(
            help="How much worse than the next trade to fill without a book, in basis points.",
            show_default="the flow's",
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(help="Write every derived event there, one JSON a line.", show_default=False),
    ] = None,
    recovery: Annotated[
        Path | None,
        typer.Option(
            help="Keep snapshots there, and resume from them after a stop or a crash.",
            show_default=False,
        ),
    ] = None,
    no_history: Annotated[
        bool, typer.Option("--no-history", help="Do not keep anything in ClickHouse.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the closing table as one JSON object.")
    ] = False,
) -> None:
    """Replay recorded ticks through a flow, on paper."""
    with _told(), _output(alone=as_json) as out:
        job = Job(
            flow=flow,
            data=tuple(data),
            market=_markets(market or []),
            columns=_pairs(column or [], "--column", "price=last"),
            batch=batch,
            processes=processes,
            costs=_costs(flow, fees, latency, slippage),
            history=not no_history,
        )
        _replay(job, recovery, events, out if as_json else None)


@app.command("simulate")
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
    with _told():
        names = [name.strip() for name in markets.split(",") if name.strip()]
        write = partial(
            simulate, out, names, days, seed,
            rate=rate, signal=signal, book_every=book_every or None, uncompressed=uncompressed,
        )  # fmt: skip
        _simulate(out, write)


@app.command("run")
def run_command(
    flow: Annotated[Path, typer.Argument(help="The flow file.")] = Path("flows/learned_cross.py"),
    days: Annotated[float, typer.Option(help="How long a market to simulate.")] = 7.0,
    seed: Annotated[int, typer.Option(help="Another seed is another market.")] = 1,
) -> None:
    """Trade a simulated week of two markets on paper, into ClickHouse."""
    with _told():
        home = Settings.from_environment().home
        with kept("the recording", home):
            home.mkdir(parents=True, exist_ok=True)
        data = home / f"simulated-{days:g}d-seed{seed}.parquet"
        if not data.exists():
            markets = ["sim:BTC/USDT", "sim:ETH/USDT"]
            _simulate(data, partial(simulate, data, markets, days, seed, signal=1.0))
        costs = flowfile.load(flow).costs
        _replay(Job(flow=flow, data=(data,), market=None, costs=costs), None, None, None)
        _next_steps(flow, data)


@history.app.command("drain")
def drain_command() -> None:
    """Take in the rows that runs had to leave on disk."""
    with _told():
        _out.print(drain_left(Settings.from_environment()), highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line."""
    sys.argv[1:] = spread(sys.argv[1:])
    try:
        app()
    except Exception:  # noqa: BLE001 - whatever it is, the user must hear that it is not theirs
        traceback.print_exc()
        _say(
            "this is a fault of Tapedeck, not yours: please report it, with the lines above", "red"
        )
        sys.exit(_OURS)


def spread(arguments: list[str]) -> list[str]:
    """Return the arguments with `--data` in front of each of the files that follow it.

    Examples
    --------
    >>> spread(["replay", "flow.py", "--data", "a", "b", "--json"])
    ['replay', 'flow.py', '--data', 'a', '--data', 'b', '--json']

    """
    result: list[str] = []
    following = False
    if arguments[:1] != ["replay"]:
        return arguments
    for argument in arguments:
        if argument == "--data":
            following = True
            continue
        following = following and not argument.startswith("-")
        result += ["--data", argument] if following else [argument]
    return result


def _replay(job: Job, recovery: Path | None, events: Path | None, json: BinaryIO | None) -> None:
    with _bar(f"replay {job.flow.stem}") as bar:
        done = replay(job, recovery, events, _watcher(bar), lambda line: _say(line, "yellow"))
    if json is not None:
        json.write(orjson.dumps(report.summary(done)) + b"\n")
    else:
        for table in report.tables(done, _out.width):
            _out.print(table)
        speed = done.trades / done.seconds if done.seconds else 0.0
        _out.print(
            f"{done.trades:,} trades in {done.seconds:.2f} s: {speed:,.0f} ticks/s", highlight=False
        )
    for line in report.troubles(done, kept=job.history):
        _say(line, "yellow")
    if not done.finished:
        again = "it goes on from here" if recovery else "it begins anew"
        _say(f"stopped before the end; run it again and {again}", "yellow")
        raise typer.Exit(_STOPPED)


def _simulate(out: Path, write: Callable[..., int]) -> None:
    with _bar(f"simulate {out.name}") as bar, kept("the recording", out):
        task = bar.add_task("simulate", total=1.0, note="")
        write(progress=lambda part: bar.update(task, completed=part))


def _watcher(bar: Progress) -> Watcher:
    task = bar.add_task("replay", total=None, note="")

    def watch(at: Position) -> None:
        note = f"{at.trades:,} trades"
        bar.update(task, total=at.total or None, completed=at.read, note=note)

    return watch


def _bar(title: str) -> Progress:
    return Progress(
        TextColumn(title),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=_screen,
        disable=not _screen.is_terminal,
    )


def _next_steps(flow: Path, data: Path) -> None:
    near = Path.cwd()
    where = data.relative_to(near) if data.is_relative_to(near) else data
    _out.print("\nWhat next:", style="bold")
    for command, what in (
        ('deck sql "SELECT market, count() FROM candles GROUP BY market"', "ask history"),
        (
            'deck sql "SELECT market, ts, why, entry, exit, pnl FROM closed ORDER BY pnl LIMIT 5"',
            "the worst positions",
        ),
        (f"$EDITOR {flow}", "change a number, and run it again"),
        (f"deck replay {flow} --data {where} --fees 0", "the same market, without fees"),
    ):
        _out.print(f"  {command}  [dim]# {what}[/dim]", highlight=False, soft_wrap=True)


def _costs(flow: Path, fees: float | None, latency: float | None, slippage: float | None) -> Costs:
    own = flowfile.load(flow).costs
    given = {"--fees": fees, "--latency": latency, "--slippage": slippage}
    for option, value in given.items():
        if value is not None and not (isfinite(value) and value >= 0):
            raise _Misused(f"{option} {value:g}: give a finite number of 0 or more")
    return Costs(
        own.fees_bps if fees is None else fees,
        own.slippage_bps if slippage is None else slippage,
        own.latency_ms if latency is None else latency,
        own.max_book_age_ms,
    )


def _markets(given: list[str]) -> str | dict[str, str] | None:
    if len(given) == 1 and "=" not in given[0]:
        return given[0]
    return _pairs(given, "--market", "BTCUSDT=binance:BTC/USDT") or None


def _pairs(given: list[str], option: str, example: str) -> dict[str, str]:
    for text in given:
        if not all(text.partition("=")):
            raise _Misused(f"{option} {text}: write it as {example}")
    return {text.partition("=")[0]: text.partition("=")[2] for text in given}


@contextmanager
def _output(*, alone: bool) -> Iterator[BinaryIO]:
    """Give stdout; `alone`, whatever else is printed, by a flow too, goes to stderr."""
    if not alone:
        yield sys.stdout.buffer
        return
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        try:
            yield out
        finally:
            sys.stdout.flush()
            out.flush()
            os.dup2(out.fileno(), 1)


@contextmanager
def _told() -> Iterator[None]:
    """Tell the user what is theirs to mend, in a line, and end."""
    try:
        yield
    except (ReplayError, flowfile.FlowError, DataError, DiskError, _Misused) as error:
        _say(f"error: {error}", "red")
        raise typer.Exit(1) from None


def _say(line: str, style: str) -> None:
    _screen.print(Text(line, style), soft_wrap=True)
