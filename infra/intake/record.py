"""`deck record`: keep the market log as Parquet files, and take markets in from exchanges."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from typing_extensions import Self

from connectors.disk import kept
from connectors.exchange.exchange import Exchange
from connectors.log.sink import write
from connectors.log.tail import last_trades
from connectors.recordings.recorder import Recorder
from connectors.venue.venue import VenueError
from infra.intake.once import once
from infra.intake.record_board import Board
from infra.intake.watching import Watching
from infra.listed import listed
from infra.lock import Busy, Lock
from infra.log.places import Place, place
from infra.running.signals import Stop, hearing
from infra.screen import Misused, out, say, told
from infra.settings import Settings

_IDLE_SECONDS = 0.02
_SHOW_SECONDS = 0.25
_PATIENCE_SECONDS = 10.0
_LOCK = ".lock"


def record(
    to: Annotated[Path, typer.Option(help="The directory of the recording; made if need be.")],
    markets: Annotated[
        str,
        typer.Option(
            help="Take these in from their exchanges, from now on: full names with commas "
            "between, such as binance:BTC/USDT,okx:ETH/USDT.",
            show_default="record what others put into the log, all of it",
        ),
    ] = "",
    kafka: Annotated[
        bool, typer.Option("--kafka", help="The log is Kafka, not the embedded one.")
    ] = False,
    private: Annotated[
        bool, typer.Option("--private", help="Record reports and commands, too.")
    ] = False,
) -> None:
    """Record the market log as Parquet, until Ctrl-C; deck replay --data plays it.

    The same command goes on where it was, also after a crash.

    Nothing is missing then, and nothing is there twice.
    """
    with told(), _explained(), ExitStack() as stack:
        settings = Settings.from_environment()
        names = listed(markets)
        _alone(stack, to)
        where = place(settings, kafka)
        stack.enter_context(once(names, settings, kafka=kafka))
        feed = stack.enter_context(_Feed(where, names, settings)) if names else None
        log = stack.enter_context(closing(where.log()))
        recorder = Recorder(log, to, private=private, from_end=bool(names))
        board = Board(names)
        with closing(recorder):
            _watch(recorder, feed, board)
        _tell(board, feed, to)


class _Feed:
    """Markets on their way from their exchanges into the log."""

    def __init__(self, where: Place, markets: Sequence[str], settings: Settings) -> None:
        with closing(where.log()) as log:
            last = last_trades(log, markets)
        self.exchange = Exchange(markets, settings.exchange_urls, last, keys=settings.exchange_keys)
        self.late = 0
        self._where = where

    def __enter__(self) -> Self:
        self._appender = self._where.appender()
        self.exchange.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.exchange.stop()
        self._appender.close()

    def step(self) -> bool:
        """Put what came into the log; whether anything did."""
        items = self.exchange.drain()
        if items:
            write(self._appender, items)
        self.late += sum(len(trades) for _, trades in self.exchange.late())
        return bool(items)

    def finish(self) -> None:
        """Take nothing more in; what came goes into the log."""
        self.exchange.stop()
        while self.step():
            pass


def _watch(recorder: Recorder, feed: _Feed | None, board: Board) -> None:
    """Record, and show it, until a signal to stop."""
    shown = 0.0
    stopped = Stop()
    with hearing(stopped.set), Watching() as watching:
        while not stopped.is_set():
            if (now := time.monotonic()) >= shown + _SHOW_SECONDS:
                shown = now
                watching.show(_table(board, feed), feed.exchange.troubles if feed else [])
            came = feed.step() if feed else False
            events = recorder.step()
            board.take(events)
            if not (came or events):
                stopped.wait(_IDLE_SECONDS)
        if feed:
            feed.finish()
            _catch_up(recorder, board)


def _catch_up(recorder: Recorder, board: Board) -> None:
    """Record what is in the log by now."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while recorder.behind() and time.monotonic() < deadline:
        events = recorder.step()
        board.take(events)
        if not events:
            time.sleep(_IDLE_SECONDS)


def _table(board: Board, feed: _Feed | None) -> Table:
    return board.table(time.time_ns(), feed.exchange.counts if feed else {})


def _tell(board: Board, feed: _Feed | None, to: Path) -> None:
    out.print(_table(board, feed))
    if feed and feed.late:
        say(
            f"{feed.late:,} trades were found too late for the tape, where gaps stand for them; "
            f"deck backfill MARKET --since ... puts them into history",
            "yellow",
        )
    if not board.rows:
        say(f"nothing was recorded to {to}: nothing new came", "yellow")
        return
    data = shlex.quote(str(to))
    out.print(f"replay it: deck replay FLOW --data {data}", soft_wrap=True, highlight=False)


def _alone(stack: ExitStack, to: Path) -> None:
    with kept("a recording", to):
        to.mkdir(parents=True, exist_ok=True)
        try:
            stack.enter_context(closing(Lock(to / _LOCK)))
        except Busy:
            raise Misused(
                f"--to {to}: another deck record is at work there; stop it, or name another "
                f"directory"
            ) from None


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except VenueError as error:
        raise Misused(str(error)) from error
