"""`deck trade`: a flow on the market log as it grows, on paper or with an account."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from infra import screen
from infra.intake.watching import Watching
from infra.listed import listed
from infra.log.places import order_queue, place
from infra.metrics.gauges import Gauges
from infra.metrics.publishing import Port, published
from infra.options import Account, Events, FlowFile, KafkaLog, NoHistory, WhoFills
from infra.recovery.onward import Adopt, Afresh, onward
from infra.recovery.starts import Start
from infra.running import flowfile, report
from infra.running.closing import tables
from infra.running.far import Far, whole
from infra.running.problems import explained
from infra.running.replay import replay
from infra.running.sources import FromKafka, FromLog
from infra.running.worker import Job
from infra.screen import Misused, say
from infra.settings import Settings
from infra.times import parse_time
from infra.trading.board import board
from infra.trading.missing import Missing
from infra.trading.switches import Broker, check
from infra.trading.trading import Trading, default_store
from infra.verify.regular import keep_end

_NOW = "0s"


def command(
    flow: FlowFile,
    broker: WhoFills = Broker.PAPER,
    account: Account = "",
    markets: Annotated[
        str,
        typer.Option(
            help="Only these, with commas between.", show_default="all that the log takes in"
        ),
    ] = "",
    from_log: Annotated[
        str | None,
        typer.Option(
            "--from-log",
            metavar="[DIR]",
            help="The embedded log; without a directory, that of this installation.",
            show_default="if it is not Kafka",
        ),
    ] = None,
    from_kafka: KafkaLog = False,
    warm_up: Annotated[
        str,
        typer.Option(
            "--warm-up",
            metavar="6h",
            help="How much of the log to read first, for averages and models; positions are "
            "entered from now on.",
            show_default="nothing",
        ),
    ] = "",
    processes: Annotated[
        int, typer.Option(min=1, help="Processes that divide the markets among them; on paper.")
    ] = 1,
    recovery: Annotated[
        Path | None,
        typer.Option(
            help="Keep snapshots there, and go on from them.",
            show_default="a place of its own for each flow, broker and account",
        ),
    ] = None,
    events: Events = None,
    no_history: NoHistory = False,
    adopt: Adopt = False,
    afresh: Afresh = False,
    metrics_port: Port = None,
) -> None:
    """Trade a flow on the market log as it grows, until Ctrl-C.

    The same command goes on where it was, also after a crash, with its open positions.

    Take markets in beside it: deck ingest. An account needs its executor: deck executor.
    """
    with screen.told(), explained(resumable=False):
        settings = Settings.from_environment()
        check(broker, account, settings)
        real = broker is not Broker.PAPER
        origin = _origin(from_log, from_kafka=from_kafka, real=real, past=not no_history)
        queue = None if broker is Broker.PAPER else order_queue(settings, from_kafka)
        trading = Trading(broker, account, queue)
        parse_time(warm_up or _NOW, time.time_ns())
        job = Job(
            flow=flow,
            origin=origin,
            since=warm_up or _NOW,
            markets=tuple(sorted(listed(markets))),
            processes=processes,
            onward=onward(adopt=adopt, afresh=afresh),
            costs=flowfile.load(flow).costs,
            history=not no_history,
            settings=settings,
            trading=trading,
        )
        if not from_log:
            place(settings, from_kafka).log().close()  # whoever takes markets in may come later
        whose = f"for {trading.purse}" if trading.real else "on paper"
        say(f"{flow.stem} trades {whose}; Ctrl-C stops it, the same command goes on", "")
        with published(metrics_port, flow.stem, "deployment", settings) as publish:
            _play(job, trading, recovery or default_store(settings, flow, trading), events, publish)


def _origin(
    from_log: str | None, *, from_kafka: bool, real: bool, past: bool
) -> FromLog | FromKafka:
    if from_kafka:
        if from_log is not None:
            raise Misused("--from-log and --from-kafka: give one of them")
        return FromKafka(follow=True, past=past)
    if from_log and real:
        raise Misused(
            f"--from-log {from_log}: the executor reports to this installation's log, so a flow "
            f"with an account reads that: leave the directory out, or set TAPEDECK_HOME"
        )
    return FromLog(Path(from_log).absolute() if from_log else None, follow=True, past=past)


def _play(
    job: Job,
    trading: Trading,
    store: Path,
    events: Path | None,
    publish: Callable[[list[Gauges]], None],
) -> None:
    """Trade, and show how it stands; at the end, what came of it."""

    def watch(parts: list[Far]) -> None:
        publish([part.gauges for part in parts])
        lines = whole(parts).lines
        width = screen.screen.width
        watching.show(board(lines, width), missing.now(quiet=not lines))

    keep_end(store, Start.now(flowfile.load(job.flow).code_version, "").code)
    missing = Missing(job, trading)
    with Watching("all of it is there again") as watching:
        done = replay(job, store, events, watch, lambda line: say(line, "yellow"))
    for grid in tables(done, screen.out.width):
        screen.out.print(grid)
    for line in report.troubles(done, kept=job.history):
        say(line, "yellow")
    screen.out.print(f"run {done.run}, kept in {store}", highlight=False, soft_wrap=True)
