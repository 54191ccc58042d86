"""`deck ingest`: take markets in, until it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from connectors.exchange.poller import SERIES
from connectors.exchange.venue import Asks
from infra import screen
from infra.intake.gauges import intake_gauges
from infra.intake.intake import Intake, Taken, Taking
from infra.intake.once import once
from infra.intake.record_board import age
from infra.intake.watching import Watching, mishaps
from infra.listed import listed
from infra.log.places import place
from infra.metrics.gauges import Gauges
from infra.metrics.publishing import Port, published
from infra.running import processes
from infra.running.problems import explained
from infra.screen import Misused, say, told
from infra.settings import Settings
from schemas import SECOND, Time

_MILLISECOND = 1_000_000
_LONG = 10 * SECOND
_AGAIN = "run the same command again: it goes on where the log ends"


def ingest(
    markets: Annotated[
        str,
        typer.Option(
            help="Full names with commas between, such as binance:BTC/USDT,okx:ETH/USDT.",
            show_default=False,
        ),
    ],
    kafka: Annotated[
        bool, typer.Option("--kafka", help="The log is Kafka, not the embedded one.")
    ] = False,
    processes_: Annotated[
        int,
        typer.Option("--processes", min=1, help="Processes that divide the markets among them."),
    ] = 1,
    values: Annotated[
        str,
        typer.Option(
            help=f"Numbers to ask the exchanges for, too: {', '.join(SERIES)}; commas between.",
            show_default="none",
        ),
    ] = "",
    every: Annotated[
        float, typer.Option(min=1.0, help="Seconds from one such question to the next.")
    ] = 60.0,
    no_history: Annotated[
        bool, typer.Option("--no-history", help="Do not keep what the log gets in ClickHouse.")
    ] = False,
    metrics_port: Port = None,
) -> None:
    """Take markets in from their exchanges: into the log, and from there into history.

    Until Ctrl-C. The same command goes on where the log ends.

    What was missed meanwhile is asked for, and what cannot be had is marked as a gap.
    """
    with told(), explained(resumable=False):
        settings = Settings.from_environment()
        names = listed(markets)
        if not names:
            raise Misused("--markets: name at least one, such as binance:BTC/USDT")
        where = place(settings, kafka)
        where.log().close()  # so that what is wrong with it is told before anything starts
        intake = Intake(
            where, names, min(processes_, len(names)), Asks(listed(values), every),
            not no_history, settings,
        )  # fmt: skip
        log = "kafka" if kafka else "embedded"
        with (
            once(names, settings, kafka=kafka),
            published(metrics_port, log, "log", settings) as publish,
        ):
            end = _run(intake, publish)
        screen.out.print(board(end))
        for line in _unkept(end):
            say(line, "yellow")


def _run(intake: Intake, publish: Callable[[list[Gauges]], None]) -> list[Taken]:
    def watch(taken: list[Taken]) -> None:
        away = [line for part in taken for line in part.away]
        watching.show(board(taken), [*away, *_unkept(taken)])
        publish([intake_gauges(part) for part in taken])

    with Watching() as watching:
        if intake.processes == 1:
            return processes.alone(Taking(intake), watch)
        return processes.together(partial(Taking, intake), intake.processes, watch, _AGAIN)


def board(taken: Iterable[Taken]) -> Table:
    """Return what happened to each market so far, as a table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("market", no_wrap=True)
    for name in ("trades", "books", "behind"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("mishaps")
    counts = {market: counts for part in taken for market, counts in part.counts.items()}
    for market, found in sorted(counts.items()):
        behind = _behind(found.latency) if found.trades else "–"
        table.add_row(market, f"{found.trades:,}", f"{found.books:,}", behind, mishaps(found))
    return table


def _unkept(taken: Iterable[Taken]) -> list[str]:
    """Return what history has not got, and why.

    Examples
    --------
    >>> _unkept([Taken({}, "no answer"), Taken({}, "no answer"), Taken({})])
    ['history has not got all of it yet (no answer): it waits on disk']

    """
    troubles = {part.trouble for part in taken if part.trouble}
    return [
        f"history has not got all of it yet ({why}): it waits on disk" for why in sorted(troubles)
    ]


def _behind(time: Time) -> str:
    """Return how far a trade's stamp is behind our clock; the clocks may differ by anything.

    Examples
    --------
    >>> [_behind(round(seconds * SECOND)) for seconds in (0.0042, 2.25, -75, 9e7)]
    ['4 ms', '2,250 ms', '-75 s', '1042 d']

    """
    if abs(time) < _LONG:
        return f"{time / _MILLISECOND:,.0f} ms"
    return f"{'-' if time < 0 else ''}{age(abs(time))}"
