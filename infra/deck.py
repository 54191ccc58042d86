"""`deck`: the command line. Make targets are doors to it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from connectors.disk import kept
from connectors.scrub import scrubbed
from connectors.simulate import simulate
from infra import (
    commands,
    flowfile,
    history,
    log,
    replay_command,
    screen,
    sql,
    topics,
    trade_command,
)
from infra.replay import drain_left
from infra.screen import say, told
from infra.secrecy import keep_secrets
from infra.settings import Settings, SettingsError
from infra.sources import Files
from infra.worker import Job

app = typer.Typer(
    help="Tapedeck: a strategy on recorded ticks, on paper and live, from one flow file.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("replay")(replay_command.command)
app.command("trade")(trade_command.command)
commands.mount(app)
app.command("sql")(sql.sql)
app.add_typer(history.app, name="history")
app.add_typer(log.app, name="log")
app.add_typer(topics.app, name="topics")

_OURS = 70
_SLOW = {
    "executor": "infra.executor",
    "accounts": "infra.accounts",
    "ingest": "infra.ingest",
    "record": "infra.record",
    "backfill": "infra.backfill",
    "values": "infra.values",
}
"""Commands, and their modules, that need an exchange's client: it takes a second to import."""


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
    with told():
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
    with told():
        home = Settings.from_environment().home
        with kept("the recording", home):
            home.mkdir(parents=True, exist_ok=True)
        data = home / f"simulated-{days:g}d-seed{seed}.parquet"
        if not data.exists():
            markets = ["sim:BTC/USDT", "sim:ETH/USDT"]
            _simulate(data, partial(simulate, data, markets, days, seed, signal=1.0))
        costs = flowfile.load(flow).costs
        replay_command.play(Job(flow=flow, origin=Files((data,)), costs=costs), None, None, None)
        _next_steps(flow, data)


@history.app.command("drain")
def drain_command() -> None:
    """Take in the rows that runs had to leave on disk."""
    with told():
        screen.out.print(drain_left(Settings.from_environment()), highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line."""
    sys.argv[1:] = replay_command.spread(sys.argv[1:])
    try:
        keep_secrets()
        _mount_slow(sys.argv[1:])
        app()
    except SettingsError as error:
        say(f"error: {error}", "red")
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - whatever it is, the user must hear that it is not theirs
        sys.stderr.write(scrubbed(error))
        say("this is a fault of Tapedeck, not yours: please report it, with the lines above", "red")
        sys.exit(_OURS)


def _mount_slow(arguments: list[str]) -> None:
    """Add the slow command that is wanted; all of them, if it is none that there is."""
    quick = {known.name for known in app.registered_commands}
    quick |= {known.name for known in app.registered_groups}
    wanted = {*arguments[:1]}
    if not quick & wanted:
        for name in _SLOW.keys() & wanted or _SLOW:
            app.command(name)(getattr(import_module(_SLOW[name]), name))


def _simulate(out: Path, write: Callable[..., int]) -> None:
    with screen.bar(f"simulate {out.name}") as bar, kept("the recording", out):
        task = bar.add_task("simulate", total=1.0, note="")
        write(progress=lambda part: bar.update(task, completed=part))


def _next_steps(flow: Path, data: Path) -> None:
    near = Path.cwd()
    where = data.relative_to(near) if data.is_relative_to(near) else data
    screen.out.print("\nWhat next:", style="bold")
    for command, what in (
        ('deck sql "SELECT market, count() FROM candles GROUP BY market"', "ask history"),
        (
            'deck sql "SELECT market, ts, why, entry, exit, pnl FROM closed ORDER BY pnl LIMIT 5"',
            "the worst positions",
        ),
        (f"$EDITOR {flow}", "change a number, and run it again"),
        (f"deck replay {flow} --data {where} --fees 0", "the same market, without fees"),
    ):
        screen.out.print(f"  {command}  [dim]# {what}[/dim]", highlight=False, soft_wrap=True)
