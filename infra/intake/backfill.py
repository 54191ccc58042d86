"""`deck backfill`: fetch the trades that no flow was there to see."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from difflib import get_close_matches
from typing import Annotated

import ccxt
import typer
from clickhouse_connect.driver.exceptions import ClickHouseError
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from connectors.exchange.backfill import Backfill, Progress
from connectors.exchange.rest_trades import RestTrades
from connectors.history import clickhouse
from connectors.venue.answers import demand_json, listed
from connectors.venue.venue import Venue, VenueError, connect, reason, split
from infra import times
from infra.history.history import History
from infra.history.home import HistoryError
from infra.settings import Settings
from infra.times import TimeError, write_time
from schemas import SECOND, Time

_DELAYS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)
_STOPPED = 130
_AGAIN = "run the same command again, it goes on where it was"

_screen = Console(stderr=True)


class BackfillError(Exception):
    """A backfill that could not be done; its text says why, and what to do."""


def backfill(
    market: Annotated[
        str,
        typer.Argument(help="Its full name, such as binance:BTC/USDT.", show_default=False),
    ],
    since: Annotated[str, typer.Option(help=f"From when on: {times.HELP}.", show_default=False)],
    until: Annotated[
        str | None, typer.Option(help="To when: the same.", show_default="now")
    ] = None,
) -> None:
    """Fetch a market's past trades from its exchange into history.

    They go into the table trades, marked as backfilled, but for those it has already.

    It may be stopped at any time: the same command goes on where it was.
    """
    with _told():
        now = time.time_ns()
        start = times.parse_time(since, now)
        end = min(now, times.parse_time(until, now)) if until else now
        if start >= end:
            raise BackfillError(
                f"--since {since} is {write_time(start)}, which is not in front of "
                f"{write_time(end)} UTC, where the backfill would end"
            )
        asyncio.run(_backfill(market, start, end))


class _Patience:
    """Waits longer after each failure in a row, and gives up in the end."""

    def __init__(self, exchange: str) -> None:
        self.exchange, self._failures = exchange, 0

    def rewarded(self) -> None:
        """Begin anew: something went well."""
        self._failures = 0

    async def wait(self, error: ccxt.BaseError) -> None:
        """Wait until it may be tried again."""
        why = f"{self.exchange} does not answer ({reason(error)})"
        if self._failures == len(_DELAYS):
            raise BackfillError(f"{why}, {len(_DELAYS) + 1} times in a row: later, {_AGAIN}")
        delay = _DELAYS[self._failures]
        self._failures += 1
        _say(f"{why}: again in {delay:g} s", "yellow")
        await asyncio.sleep(delay)


async def _backfill(market: str, start: Time, end: Time) -> None:
    settings = Settings.from_environment()
    exchange, symbol = split(market)
    patience = _Patience(exchange)
    venue = connect(
        exchange, settings.exchange_urls.get(exchange), settings.exchange_keys.get(exchange)
    )
    demand_json(venue)
    async with _loaded(venue, patience):
        _check(venue, symbol)
        rest = RestTrades(venue, symbol)
        if not rest.fills:
            raise BackfillError(
                f"{market}: {exchange} gives no trades by REST that have the ids of its stream, so "
                f"they could not be told from those history has; nothing can be backfilled"
            )
        with History(settings).client("writer") as client, _bar(market, start, end) as bar:
            done = await _fetch(Backfill(client, rest), patience, bar, start, end)
    _tell(rest, done, start, end)


async def _fetch(
    backfill: Backfill, patience: _Patience, bar: Bar, start: Time, end: Time
) -> Progress | None:
    """Fetch all there is; return how far it came, or None if there is nothing."""
    done: Progress | None = None
    while True:
        try:
            async for progress in backfill.run(start, end):
                if done is not None and progress.reached > done.reached:
                    patience.rewarded()
                done = progress
                passed = (progress.reached - start) / SECOND
                bar.update(bar.task_ids[0], completed=passed, note=f"{progress.trades:,} trades")
        except ccxt.OperationFailed as error:
            await patience.wait(error)
        else:
            return done


@asynccontextmanager
async def _loaded(venue: Venue, patience: _Patience) -> AsyncIterator[None]:
    """Load its markets, and close it at the end."""
    try:
        while not venue.markets:
            try:
                await listed(venue)
            except ccxt.OperationFailed as error:
                await patience.wait(error)
        patience.rewarded()
        yield
    finally:
        await venue.close()


def _check(venue: Venue, symbol: str) -> None:
    symbols = list(venue.markets or {})
    if symbol not in symbols:
        near = " or ".join(get_close_matches(symbol.upper(), symbols, 3))
        meant = f"did you mean {near}?" if near else f"it has {len(symbols)} others"
        raise BackfillError(f"{venue.id} has no market {symbol!r}: {meant}")


def _tell(rest: RestTrades, done: Progress | None, start: Time, end: Time) -> None:
    for line in _warnings(rest, done, start):
        _say(line, "yellow")
    if done is None:
        typer.echo(f"{rest.name}: no trades from {write_time(start)} to {write_time(end)} UTC")
        return
    typer.echo(
        f"{rest.name}: history has all trades from {write_time(max(done.begin, start))} to "
        f"{write_time(min(done.reached, end))} UTC; {done.trades:,} fetched, {done.added:,} of "
        f"them not seen before"
    )


def _warnings(rest: RestTrades, done: Progress | None, start: Time) -> Iterator[str]:
    if done is not None and done.begin > start:
        begin = write_time(done.begin)
        yield (
            f"{rest.name}: the exchange gives trades by REST only back to {begin} UTC; some give "
            f"older ones to who has an API key: EXCHANGE_KEYS=binance=KEY"
        )
    if rest.rejects:
        yield (
            f"{rest.name}: {len(rest.rejects)} trades could not be read and are not in history; "
            f"the first: {rest.rejects[0].why}"
        )


def _bar(market: str, start: Time, end: Time) -> Bar:
    bar = Bar(
        TextColumn(f"backfill {market}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(),
        console=_screen,
        disable=not _screen.is_terminal,
    )
    bar.add_task("backfill", total=(end - start) / SECOND, note="")
    return bar


@contextmanager
def _told() -> Iterator[None]:
    """Tell the user what is theirs to mend, in a line, and end."""
    try:
        yield
    except KeyboardInterrupt:
        _say(f"stopped: {_AGAIN}", "yellow")
        raise typer.Exit(_STOPPED) from None
    except ccxt.BaseError as error:
        _say(f"error: the exchange refuses: {reason(error)}", "red")
    except ClickHouseError as error:
        _say(f"error: {clickhouse.reason(error)}; then {_AGAIN}", "red")
    except (BackfillError, VenueError, TimeError, HistoryError) as error:
        _say(f"error: {error}", "red")
    else:
        return
    raise typer.Exit(1)


def _say(line: str, style: str) -> None:
    _screen.print(Text(line, style), soft_wrap=True)
