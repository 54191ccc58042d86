"""`deck verify`: whether a replay of the log gives what a run concluded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich import box
from rich.progress import Progress, TaskID
from rich.table import Table

from infra import screen
from infra.deploy.deployment import REPLAY, DeployError, Place
from infra.running.chosen import Logs, log_of
from infra.running.far import Far, whole
from infra.running.problems import explained
from infra.running.replay import Watcher
from infra.running.sources import FromLog
from infra.screen import say
from infra.settings import Settings
from infra.verify.as_read import AnyLog
from infra.verify.compare import lines
from infra.verify.past_run import find
from infra.verify.receipt import Receipt, Receipts
from infra.verify.stretch import Stretch
from infra.verify.verifying import Outcome, Verifying

_HASH, _NARROW = 16, 8
"""So much of a hash is shown, and so much in a table."""


def verify(
    name: Annotated[
        str,
        typer.Argument(
            help="The deployment; or a store of deck trade, or how the run's id begins.",
            show_default=False,
        ),
    ],
    again: Annotated[
        bool,
        typer.Option("--again", help="All of it, what has a good receipt already, too."),
    ] = False,
    receipts: Annotated[
        bool, typer.Option("--list", help="Show the receipts there are, and verify nothing.")
    ] = False,
    from_log: Annotated[
        str | None,
        typer.Option(
            "--from-log", metavar="[DIR]", help="Another copy of the embedded log.",
            show_default=False,
        ),
    ] = None,
    from_clickhouse: Annotated[
        str | None,
        typer.Option(
            "--from-clickhouse", metavar="[LOG]",
            help="What history keeps of the log, where retention took it.", show_default=False,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The receipts, as JSON.")] = False,
) -> None:  # fmt: skip
    """Replay what a run has read, and say whether all it concluded comes out the same."""
    with screen.told(), explained(resumable=False), screen.output(alone=as_json) as out:
        settings = Settings.from_environment()
        name = Path(name).stem if name.endswith(".py") else name
        run = find(name, settings, "deck verify")
        if receipts:
            made = [*Receipts(run.store).all()]
        else:
            log = log_of(Logs(from_log, False, from_clickhouse)) or _own(name, settings)
            with Verifying(run, name, log, settings).alone() as verifying:
                made = [*_verified(verifying, again=again)]
            verifying.tidy()
        if as_json:
            out.write(orjson.dumps([one.said() for one in made], option=orjson.OPT_INDENT_2))
            out.write(b"\n")
        elif receipts:
            screen.out.print(_table(made))
    if not receipts and not all(one.identical for one in made):
        raise typer.Exit(1)


def _own(name: str, settings: Settings) -> AnyLog | None:
    """Return the log of a rehearsal, which is its own."""
    with suppress(DeployError):  # such as the path of a store
        place = Place(settings.home, name)
        deployment = place.load()
        if deployment is not None and deployment.kind == REPLAY:
            return FromLog(place.tape)
    return None


def _verified(verifying: Verifying, *, again: bool) -> Iterator[Receipt]:
    """Verify stretch after stretch to the first that differs, and say what is found."""
    found = verifying.stretches(again=again)
    if not found:
        made = [one for one in verifying.receipts.all() if one.run == verifying.run.run]
        last = max((one for one in made if one.identical), key=lambda one: one.until_at)
        say(f"verified till {_time(last.until_at)}, and nothing came since: see --again", "yellow")
        yield last
        return
    lost = 0
    with screen.bar(f"verify {verifying.name}") as bar:
        task = bar.add_task("verify", total=None, note="")
        for number, stretch in enumerate(found, 1):
            outcome = verifying.verify(stretch, _watcher(bar, task, f"{number} of {len(found)}"))
            _say(outcome)
            if outcome.receipt is None:
                lost += 1
                continue
            yield outcome.receipt
            if not outcome.receipt.identical:
                return
    if lost == len(found):
        raise screen.Misused("nothing could be verified: the log does not reach back so far")


def _watcher(bar: Progress, task: TaskID, which: str) -> Watcher:
    def watch(parts: list[Far]) -> None:
        at = whole(parts)
        note = f"{which}, {at.trades:,} trades"
        bar.update(task, total=at.total or None, completed=at.read, note=note)

    return watch


def _say(outcome: Outcome) -> None:
    """Say what became of a stretch."""
    receipt, where = outcome.receipt, _stretch(outcome.stretch)
    if receipt is None:
        say(f"{where}: cannot be verified: {outcome.lost}", "yellow")
        return
    if receipt.identical:
        trades = f", {receipt.trades:,} trades of the log in history" if receipt.trades else ""
        again = f", {receipt.candles:,} candles made again in SQL" if receipt.candles else ""
        screen.out.print(
            f"{where}: identical: {receipt.events:,} events and the end state{trades}{again}, "
            f"sha256 {receipt.sha256[:_HASH]}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
        if receipt.unseen:
            say(f"not compared: {receipt.unseen}", "yellow")
        return
    for line in _differing(outcome, receipt):
        screen.out.print(line, highlight=False, soft_wrap=True, markup=False)
    say(f"{where}: not identical", "red")
    if receipt.code["tapedeck"] != receipt.code["replayed_with"]:
        say(
            "it ran with Tapedeck {tapedeck}, and was replayed with {replayed_with}: what differs "
            "may be that".format_map(receipt.code),
            "yellow",
        )


def _differing(outcome: Outcome, receipt: Receipt) -> Iterator[str]:
    said = receipt.difference
    if outcome.first is not None:
        first, at = outcome.first
        yield f"the first event that differs: {first.market}, number {first.seq}"
        place = f", log {at.partition} offset {at.offset} row {at.row}" if at else ""
        yield f"{'place':>14}: tape time {_time(first.ts)}{place}"
        yield from lines(first)
    elif said["what"] == "state":
        yield f"{receipt.events:,} events are the same, and the end state is not: {said['path']}"
        yield f"{'replayed':>14}: {said['ours']}"
        yield f"{'as was kept':>14}: {said['theirs']}"
    if outcome.odd is not None:
        yield from outcome.odd.lines()
    if said["what"] == "candle":
        begun = _time(said["start"])
        yield f"a candle that SQL makes otherwise: {said['market']}, number {said['seq']}, {begun}"
        for name, (ours, made) in said["fields"].items():
            yield f"{name:>14}: in history {ours}, from the trades {made}"


def _stretch(stretch: Stretch) -> str:
    begun = _time(stretch.since.at) if stretch.since else "the beginning"
    return f"{begun} to {_time(stretch.until.at)}"


def _table(receipts: list[Receipt]) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("run", "from", "to", "events", "sha256", ""):
        grid.add_column(title, justify="right" if title == "events" else "left", no_wrap=True)
    for one in receipts:
        begun = _day(one.since_at) if one.since else "the beginning"
        grid.add_row(
            one.run[:8], begun, _day(one.until_at), f"{one.events:,}", one.sha256[:_NARROW],
            "identical" if one.identical else "differs",
        )  # fmt: skip
    return grid


def _day(at: int) -> str:
    """Return a time as a table has it: without the year, and in whole seconds."""
    return _time(at)[5:19]


def _time(at: int) -> str:
    moment = datetime.fromtimestamp(at // 10**9, timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{at // 10**6 % 1000:03d}"
