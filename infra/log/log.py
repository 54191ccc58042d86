"""The embedded market log: its one writing process, and how to reach it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from connectors.log.client import LogClient
from connectors.log.file import FILE, prepare
from connectors.log.holder import holder
from connectors.log.log import LogError
from connectors.log.sqlite_log import SqliteLog
from connectors.log.wire import dial
from infra.background import StartError, end, spawn
from infra.log import limits as log_limits
from infra.log.limits import Limits
from infra.settings import Settings
from schemas import SECOND, Time

_ANSWER_SECONDS = 5.0
_STOP_SECONDS = 30.0
_LOOK_SECONDS = 0.05

app = typer.Typer(help="The embedded market log that flows read.", no_args_is_help=True)


class MarketLog:
    """The embedded market log of one home directory.

    Parameters
    ----------
    settings
        None reads the environment.

    """

    name: ClassVar[str] = "log"
    """What it is called, and its directory."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.directory = (settings or Settings.from_environment()).home / self.name

    def start(self, limits: Limits | None = None, partitions: int | None = None) -> bool:
        """Have its writer run; whether it was this call that started it.

        Of several that start it at once, one does, and the others find it running.

        Parameters
        ----------
        limits
            What it is to keep from now on; None is what it was told before.
        partitions
            How many it must have.

        Raises
        ------
        LogError
            When it cannot run, or cannot be read by this version.

        """
        prepare(self.directory)
        deadline = time.monotonic() + _STOP_SECONDS
        while not self._answers():
            other = holder(self.directory)
            if other is None and self._spawn(limits, partitions):
                return True
            if other and time.monotonic() > deadline:
                raise LogError(
                    f"the log's writer neither starts nor stops: kill {other.pid}, try again"
                )
            time.sleep(_LOOK_SECONDS)
        return False

    def stop(self) -> bool:
        """Stop its writer when what was sent is taken; whether one ran."""
        running = holder(self.directory)
        if running is None:
            return False
        end(running.pid, _STOP_SECONDS)
        return True

    def status(self) -> str:
        """Say in one line whether it is up, and what it has."""
        running = holder(self.directory)
        if running is None:
            up = "down"
        else:
            answers = "up" if self._answers() else "up, but does not answer"
            up = f"{answers} · pid {running.pid} · since {_utc(running.since)}"
        return f"{self.name}: {up} · {self._contents()}"

    def client(self) -> LogClient:
        """Return a new client of its writer, which is started if need be."""
        self.start()
        return LogClient(self.directory)

    def log(self) -> SqliteLog:
        """Return it to read; it must have been started once, and need not run."""
        return SqliteLog(self.directory)

    def _answers(self) -> bool:
        try:
            dial(self.directory, _ANSWER_SECONDS).close()
        except OSError:
            return False
        return True

    def _spawn(self, limits: Limits | None, partitions: int | None) -> bool:
        """Start the writer; whether it, and not another that was started meanwhile, runs."""
        if limits is not None:
            log_limits.save(self.directory, limits)
        arguments = [] if partitions is None else [str(partitions)]
        try:
            spawn("infra.log.server", [str(self.directory), *arguments], self.directory)
        except StartError as error:
            if holder(self.directory):
                return False
            raise LogError(f"the log's writer does not start: {error}") from None
        return True

    def _contents(self) -> str:
        if not (self.directory / FILE).exists():
            return f"nothing yet in {self.directory}"
        size = sum(path.stat().st_size for path in self.directory.glob(f"{FILE}*"))
        with closing(self.log()) as log:
            names = log.partitions()
            bounds = [log.bounds(name) for name in names]
            count = sum(end - first for first, end in bounds)
            oldest = log.oldest()
        since = f" from {_utc(oldest)} on" if oldest else ""
        return (
            f"{len(names)} partitions · {count:,} messages{since} · "
            f"{size / 1e6:,.1f} MB in {self.directory}"
        )


class OrderQueue(MarketLog):
    """The embedded order queue: a log as the market log is, with a writer of its own."""

    name = "orders"


def embedded(settings: Settings | None = None) -> list[MarketLog]:
    """Return the embedded logs that there are; the market log is always named."""
    log, queue = MarketLog(settings), OrderQueue(settings)
    return [log, queue] if queue.directory.exists() else [log]


def _utc(at: Time) -> str:
    return f"{datetime.fromtimestamp(at // SECOND, timezone.utc):%Y-%m-%d %H:%M} UTC"


@contextmanager
def told() -> Iterator[None]:
    """Tell the user of a command what is wrong, without a traceback, and end it."""
    try:
        yield
    except ValueError as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None


@app.command("start")
def start_command(
    days: Annotated[
        float | None,
        typer.Option(help="Keep messages so long; 0 for ever.", show_default="7, or as before"),
    ] = None,
    gigabytes: Annotated[
        float | None,
        typer.Option(
            help="Keep so much, the newest; 0 without end.", show_default="10, or as before"
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            help="Let nothing go that is not recorded there yet, as deck record --to does.",
            show_default="as before",
        ),
    ] = None,
    no_archive: Annotated[
        bool, typer.Option("--no-archive", help="Let it go, recorded or not.")
    ] = False,
    partitions: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="How many, for good.", show_default="8, or as it has"),
    ] = None,
) -> None:
    """Start its writer, if it does not run."""
    log = MarketLog()
    with told():
        before = log_limits.load(log.directory)
        limits = Limits(
            before.days if days is None else days,
            before.gigabytes if gigabytes is None else gigabytes,
            str(archive.absolute()) if archive else None if no_archive else before.archive,
        )
        changed = limits if limits != before else None
        if not log.start(changed, partitions) and (changed or partitions):
            raise LogError(
                "it runs already, as it was told before: deck log stop, then start again"
            )
        typer.echo(log.status())


@app.command("stop")
def stop_command() -> None:
    """Stop its writer, when what was sent to it is taken; that of the order queue, too."""
    with told():
        for log in embedded():
            stopped = log.stop()
            typer.echo(f"{log.name}: stopped" if stopped else log.status())


@app.command("status")
def status_command() -> None:
    """Say in one line whether it is up, and what it has; and the order queue, if there is one."""
    with told():
        for log in embedded():
            typer.echo(log.status())
