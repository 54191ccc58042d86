"""`deck replay`: its options, and what it shows."""

from __future__ import annotations

import time
from dataclasses import replace
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, BinaryIO

import orjson
import typer
from rich.progress import Progress

from infra import screen
from infra.options import FlowFile, KafkaLog, NoHistory
from infra.recovery.onward import Adopt, Afresh, onward
from infra.running import flowfile, report
from infra.running.chosen import Logs, log_of, origin_of
from infra.running.closing import tables
from infra.running.far import Far, whole
from infra.running.replay import Watcher, replay
from infra.running.unmet import unmet
from infra.running.worker import Job
from infra.screen import Misused, say
from infra.stories.report import report_command
from infra.times import HELP, parse_time
from infra.verify.past_replay import compared, past
from operators import Costs

_STOPPED = 130


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
        if as_run:
            given = {
                "--data": data, "--since": since, "--until": until, "--markets": markets,
                "--follow": follow, "--market": market, "--column": column, "--fees": fees,
                "--latency": latency, "--slippage": slippage, "--recovery": recovery,
                "--report": told,
            }  # fmt: skip
            run, job = past(flow, as_run, log_of(logs), given)
            job = replace(job, batch=batch, processes=processes)
            with TemporaryDirectory() as place:
                events = events or (Path(place, "events.jsonl") if check else None)
                play(job, None, events, out if as_json else None)
                if check and events is not None:
                    compared(run, events)
            return
        if told is not None and no_history:
            raise Misused("--report --no-history: the report is made of what history keeps")
        if check:
            raise Misused("--check: compares with what history keeps of a run; name it, --as RUN")
        named = markets_of(market or []), pairs(column or [], "--column", "price=last")
        for text in filter(None, (since, until)):
            parse_time(text, time.time_ns())
        job = Job(
            flow=flow,
            origin=origin_of(data, named, logs, follow=follow),
            since=since,
            until=until,
            markets=tuple(sorted({name.strip() for name in markets.split(",")} - {""})),
            batch=batch,
            processes=processes,
            costs=_costs(flow, fees, latency, slippage),
            history=not no_history,
            onward=onward(adopt=adopt, afresh=afresh),
        )
        run_id = play(job, recovery, events, out if as_json else None)
        if told is not None:
            report_command.tell(job.settings, run_id, told)


def play(job: Job, recovery: Path | None, events: Path | None, json: BinaryIO | None) -> str:
    """Replay, show how far it is and what came of it, and return the run's id."""
    with screen.bar(f"replay {job.flow.stem}") as bar:
        done = replay(job, recovery, events, watcher(bar), lambda line: say(line, "yellow"))
    if json is not None:
        json.write(orjson.dumps(report.summary(done)) + b"\n")
    else:
        for table in tables(done, screen.out.width):
            screen.out.print(table)
        speed = done.trades / done.seconds if done.seconds else 0.0
        screen.out.print(
            f"{done.trades:,} trades in {done.seconds:.2f} s: {speed:,.0f} ticks/s", highlight=False
        )
    for line in (*unmet(job, done.markets), *report.troubles(done, kept=job.history)):
        say(line, "yellow")
    if not done.finished:
        again = "it goes on from here" if recovery else "it begins anew"
        say(f"stopped before the end; run it again and {again}", "yellow")
        raise typer.Exit(_STOPPED)
    return done.run


def watcher(bar: Progress) -> Watcher:
    """Return what shows on a bar how far a replay is."""
    task = bar.add_task("replay", total=None, note="")

    def watch(parts: list[Far]) -> None:
        at = whole(parts)
        note = f"{at.trades:,} trades"
        bar.update(task, total=at.total or None, completed=at.read, note=note)

    return watch


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


def markets_of(given: list[str]) -> str | dict[str, str] | None:
    """Return what `--market` names: the one market, or that of each symbol."""
    if len(given) == 1 and "=" not in given[0]:
        return given[0]
    return pairs(given, "--market", "BTCUSDT=binance:BTC/USDT") or None


def pairs(given: list[str], option: str, example: str) -> dict[str, str]:
    """Return what an option names by pairs, such as a column's name in the data."""
    for text in given:
        if not all(text.partition("=")):
            raise Misused(f"{option} {text}: write it as {example}")
    return {text.partition("=")[0]: text.partition("=")[2] for text in given}
