"""`deck`: the command line. Make targets are doors to it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

import typer

from connectors.scrub import scrubbed
from infra.arguments import spread
from infra.importing import undisturbed
from infra.screen import say
from infra.secrecy import keep_secrets
from infra.settings import SettingsError

_OURS = 70
_INTERRUPTED = 130


class Door(NamedTuple):
    """A command: the module and the function it is in, and the first line of its help."""

    module: str
    function: str
    """Or the `typer.Typer`, if it has commands of its own."""
    what: str


DOORS = {
    "new": Door(
        "authors.new_command", "new", "Write a commented flow that runs as it is, to begin with."
    ),
    "check": Door(
        "authors.check_command",
        "check",
        "Say what is wrong with a flow, where, and what to do; fail if anything is.",
    ),
    "replay": Door(
        "running.replay_command",
        "command",
        "Replay recorded ticks, or what a log or history keeps, through a flow, on paper.",
    ),
    "fork": Door(
        "whatif.fork_command",
        "fork",
        "Replay the tape of a run with other settings, as a run of its own; compare both.",
    ),
    "compare": Door(
        "whatif.compare_command",
        "compare",
        "Show runs side by side: settings, figures, and the positions that are not the same.",
    ),
    "sweep": Door(
        "whatif.sweep_command",
        "command",
        "Try each combination of settings on one tape: NAME=FROM:TO:COUNT, or NAME=A,B,C.",
    ),
    "trade": Door(
        "trading.command", "command", "Trade a flow on the market log as it grows, until Ctrl-C."
    ),
    "deploy": Door(
        "deploy.deploy_command",
        "deploy",
        "Check a flow, and have it run unattended: deck flows shows it, deck stop ends it.",
    ),
    "flows": Door(
        "deploy.commands",
        "flows_command",
        "List what is deployed: how it is, what it holds, what it made; fail if one has failed.",
    ),
    "logs": Door(
        "deploy.commands",
        "logs",
        "Show what a deployment says; or a feed, an executor or a server that is kept running.",
    ),
    "stop": Door(
        "deploy.commands",
        "stop",
        "Drain a flow, and end it: no position is closed, and it can go on where it was.",
    ),
    "restart": Door(
        "deploy.commands",
        "restart",
        "Drain a flow, and let it go on, as it was deployed; --all starts what should run.",
    ),
    "shutdown": Door(
        "deploy.commands",
        "shutdown",
        "End all that runs here: flows, feeds, executors, the log, history; nothing is lost.",
    ),
    "halt": Door(
        "trading.commands",
        "halt",
        "Enter nothing, and call off what is about to enter; what is held keeps its stops.",
    ),
    "reduce": Door(
        "trading.commands", "reduce", "Enter nothing more; what is held goes on to its end."
    ),
    "resume": Door("trading.commands", "resume", "Enter again."),
    "flatten": Door(
        "trading.commands",
        "flatten",
        "Sell what is held, at once, and enter nothing more; end with what is left.",
    ),
    "close": Door(
        "trading.commands",
        "close",
        "Sell what is held, at once; then go on. End with what is left.",
    ),
    "explain": Door(
        "stories.explain_command",
        "explain",
        "Tell how a position came about, what became of it, and what the model learned from it.",
    ),
    "dashboard": Door(
        "page.command",
        "dashboard",
        "Show flows, markets and money on a live page, on this machine only, until Ctrl-C.",
    ),
    "report": Door(
        "stories.report.report_command",
        "report",
        "Write what a run did as one HTML file, to be opened in a browser and kept.",
    ),
    "sql": Door("history.sql", "sql", "Ask history a question in SQL."),
    "simulate": Door(
        "running.simulating",
        "simulate_command",
        "Write a seeded, simulated recording of some markets.",
    ),
    "run": Door(
        "running.simulating",
        "run_command",
        "Trade a simulated week of two markets on paper, into ClickHouse.",
    ),
    "history": Door(
        "history.show", "app", "Ask what history keeps; start and stop the embedded ClickHouse."
    ),
    "log": Door("log.log", "app", "The embedded market log that flows read."),
    "topics": Door("log.topics", "app", "The topics of the market log and of orders in Kafka."),
    "executor": Door(
        "executor.executor",
        "executor",
        "Take an account's orders from the queue to its exchange, until Ctrl-C.",
    ),
    "accounts": Door(
        "executor.accounts",
        "accounts",
        "List the accounts whose keys are known, and where those come from; never the keys.",
    ),
    "ingest": Door(
        "intake.ingest",
        "ingest",
        "Take markets in from their exchanges: into the log, and from there into history.",
    ),
    "record": Door(
        "intake.record",
        "record",
        "Record the market log as Parquet, until Ctrl-C; deck replay --data plays it.",
    ),
    "backfill": Door(
        "intake.backfill",
        "backfill",
        "Fetch a market's past trades from its exchange into history.",
    ),
    "values": Door(
        "intake.values",
        "values",
        "Put numbers of other data sources into the log, on the tapes of their markets.",
    ),
    "doctor": Door(
        "doctor.command",
        "doctor",
        "Say what is wrong with this machine or a deployment, and what to do; fail if it is bad.",
    ),
    "verify": Door(
        "verify.verify_command",
        "verify",
        "Replay what a run has read, and say whether all it concluded comes out the same.",
    ),
    "notify": Door(
        "notices.command",
        "notify",
        "Say where notices of fills, halts and deaths go; --test sends one.",
    ),
    "disk": Door(
        "disk.command",
        "disk_command",
        "Say what takes room on the disk, how fast that grows, and when the disk is full.",
    ),
    "backup": Door(
        "backup.command",
        "backup_command",
        "Copy history, logs, stores and outboxes as one, while everything runs.",
    ),
    "restore": Door(
        "backup.command",
        "restore_command",
        "Put a backup back, into a home (TAPEDECK_HOME) where nothing is yet.",
    ),
}
"""In the order of `deck --help`, which imports none of them: some take a second."""


def main() -> None:
    """Run the command line."""
    sys.argv[1:] = spread(sys.argv[1:])
    try:
        keep_secrets()
        command_line(sys.argv[1:])()
    except KeyboardInterrupt:  # while it still imports: nothing is begun
        sys.exit(_INTERRUPTED)
    except SettingsError as error:
        say(f"error: {error}", "red")
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - whatever it is, the user must hear that it is not theirs
        sys.stderr.write(scrubbed(error))
        say("this is a fault of Tapedeck, not yours: please report it, with the lines above", "red")
        sys.exit(_OURS)


def command_line(arguments: Sequence[str]) -> typer.Typer:
    """Return the command line, with the command behind the door that is wanted, and no other."""
    app = typer.Typer(
        help="Tapedeck: a strategy on recorded ticks, on paper and live, from one flow file.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, door in DOORS.items():
        if name in arguments[:1]:
            _open(app, name, door)
        else:
            app.command(name, help=door.what)(_closed)
    return app


def _open(app: typer.Typer, name: str, door: Door) -> None:
    """Put the command itself behind its door."""
    with undisturbed():
        found = getattr(import_module(f"infra.{door.module}"), door.function)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=name)
    else:
        app.command(name)(found)


def _closed() -> None:
    """Stand behind doors that nobody wants."""
