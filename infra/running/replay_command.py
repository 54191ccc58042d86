"""`deck replay`: its options, and what it shows."""

from __future__ import annotations

import time
from dataclasses import replace
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, BinaryIO

import typer

from infra import screen
from infra.listed import listed
from infra.options import Events, FlowFile, KafkaLog, NoHistory, Processes
from infra.recovery.onward import Adopt, Afresh, onward
from infra.running import flowfile
from infra.running.chosen import Logs, log_of, markets_of, origin_of, pairs
from infra.running.playing import play
from infra.running.worker import Job
from infra.screen import Misused
from infra.stories.report import report_command
from infra.times import HELP, parse_time
from infra.verify.past_replay import compared, past
from infra.verify.past_run import PastRun
from operators import Costs


def command(
    flow: FlowFile,
    data: Annotated[
        list[Path] | None,
        typer.Option(
            "--data",
            help="Recorded ticks: Parquet, CSV or JSONL files (also .gz .zst .bz2 .xz), or "
            "directories of them. Several may follow: --data a.csv b.csv",
            show_default=False,
        ),
    ] = None,
    from_log: Annotated[
        str | None,
        typer.Option(
            "--from-log",
            metavar="[DIR]",
            help="The embedded log; without a directory, that of this installation.",
            show_default=False,
        ),
    ] = None,
    from_kafka: KafkaLog = False,
    from_clickhouse: Annotated[
        str | None,
        typer.Option(
            "--from-clickhouse",
            metavar="[LOG]",
            help="What history keeps of a log; which, if it keeps several.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str, typer.Option(help=f"Only what is stamped from then on: {HELP}.", show_default=False)
    ] = "",
    until: Annotated[
        str, typer.Option(help="Only what is stamped before then.", show_default=False)
    ] = "",
    markets: Annotated[
        str, typer.Option(help="Only these, with commas between.", show_default=False)
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", help="At the end of the log, wait for more; until Ctrl-C.")
    ] = False,
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
    processes: Processes = 1,
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
    events: Events = None,
    recovery: Annotated[
        Path | None,
        typer.Option(
            help="Keep snapshots there, and resume from them after a stop or a crash.",
            show_default=False,
        ),
    ] = None,
    adopt: Adopt = False,
    afresh: Afresh = False,
    no_history: NoHistory = False,
    told: Annotated[
        Path | None,
        typer.Option(
            "--report", metavar="FILE", help="Write what came of it as HTML.", show_default=False
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the closing table as one JSON object.")
    ] = False,
    as_run: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="RUN",
            help="What a run of deck trade or a deployment has read, traded as it was, and no "
            "order goes out: the run's id, its store, or the deployment's name.",
            show_default=False,
        ),
    ] = "",
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="With --as: compare every event with what history keeps of the run."
        ),
    ] = False,
) -> None:
    """Replay recorded ticks, or what a log or history keeps, through a flow, on paper."""
    with screen.told(), screen.output(alone=as_json) as out:
        logs = Logs(from_log, from_kafka, from_clickhouse)
        json = out if as_json else None
        if as_run:
            given = {
                "--data": data, "--since": since, "--until": until, "--markets": markets,
                "--follow": follow, "--market": market, "--column": column, "--fees": fees,
                "--latency": latency, "--slippage": slippage, "--recovery": recovery,
                "--report": told,
            }  # fmt: skip
            run, job = past(flow, as_run, log_of(logs), given)
            job = replace(job, batch=batch, processes=processes)
            _again(job, run if check else None, events, json)
            return
        named = markets_of(market or []), pairs(column or [], "--column", "price=last")
        _possible(told, check=check, no_history=no_history)
        _in_order(since, until)
        job = Job(
            flow=flow,
            origin=origin_of(data, named, logs, follow=follow),
            since=since,
            until=until,
            markets=tuple(sorted(listed(markets))),
            batch=batch,
            processes=processes,
            costs=_costs(flow, fees, latency, slippage),
            history=not no_history,
            onward=onward(adopt=adopt, afresh=afresh),
        )
        run_id = play(job, recovery, events, json)
        if told is not None:
            report_command.tell(job.settings, run_id, told)


def _again(job: Job, run: PastRun | None, events: Path | None, json: BinaryIO | None) -> None:
    """Replay what a run has read; compare the events with those of the run, if one is given."""
    with TemporaryDirectory() as place:
        events = events or (Path(place, "events.jsonl") if run else None)
        play(job, None, events, json)
        if run and events is not None:
            compared(run, events)


def _possible(told: Path | None, *, check: bool, no_history: bool) -> None:
    """See that what is asked for beside the replay can be had."""
    if told is not None and no_history:
        raise Misused("--report --no-history: the report is made of what history keeps")
    if check:
        raise Misused("--check: compares with what history keeps of a run; name it, --as RUN")


def _in_order(since: str, until: str) -> None:
    """See that both are times, and that there is something between them."""
    now = time.time_ns()
    begin, end = (parse_time(text, now) if text else None for text in (since, until))
    if begin is not None and end is not None and begin >= end:
        raise Misused(f"--since {since} --until {until}: nothing is between; turn them round")


def _costs(flow: Path, fees: float | None, latency: float | None, slippage: float | None) -> Costs:
    own = flowfile.load(flow).costs
    given = {"--fees": fees, "--latency": latency, "--slippage": slippage}
    for option, value in given.items():
        if value is not None and not (isfinite(value) and value >= 0):
            raise Misused(f"{option} {value:g}: give a finite number of 0 or more")
    return Costs(
        own.fees_bps if fees is None else fees,
        own.slippage_bps if slippage is None else slippage,
        own.latency_ms if latency is None else latency,
        own.max_book_age_ms,
    )
