"""A market that goes on by itself: simulated, seeded, into the log, a past at once and then on.

    python -m infra.deploy.simulated

What it is to feed stands in a file, what it has fed in the log: started again, it goes on there.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import orjson

from connectors.log.log import Appender, Log, LogError, partition_of
from connectors.log.messages import said
from connectors.log.sink import write
from connectors.simulated.market import HOUR
from connectors.simulated.simulate import MarketSource, Rows
from infra.deploy.deployment import DeployError
from infra.deploy.deployment import write as save
from infra.log.log import MarketLog
from infra.running.signals import Stop
from infra.secrecy import keep_secrets
from infra.settings import Settings
from schemas import Columns, Event, Time, Trades, wire

MARKETS = ("sim:BTC/USDT", "sim:ETH/USDT")
"""What is simulated if nobody names markets."""
_RATE, _SIGNAL = 20.0, 1.0
_TURN_SECONDS = 0.1
_PIECE = 2_000


@dataclass(frozen=True)
class Plan:
    """What is simulated.

    Parameters
    ----------
    markets
        Their full names.
    begin
        The first hour of all of them, in nanoseconds.
    anchor, shown
        When it was last begun, by our clock, and what time it was on the tapes then.
    speed
        How fast it runs.
    seed
        What all chance comes from.

    Examples
    --------
    >>> Plan((), begin=0, anchor=10, shown=100, speed=3.0).tape_time(20)
    130

    """

    markets: tuple[str, ...]
    begin: Time
    anchor: Time
    shown: Time
    speed: float = 1.0
    seed: int = 1

    def tape_time(self, now: Time) -> Time:
        """Return what time it is on the tapes."""
        return self.shown + round((now - self.anchor) * self.speed)


def file(home: Path) -> Path:
    """Return where the plan of a home is kept."""
    return home / "deployments" / ".simulated.json"


def load(home: Path) -> Plan | None:
    """Return the plan of a home, if there is one.

    Raises
    ------
    DeployError
        When its file is damaged.

    """
    path = file(home)
    try:
        found = orjson.loads(path.read_bytes())
        return Plan(**{**found, "markets": tuple(found["markets"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise DeployError(f"{path} is damaged ({error}): remove it, and the log with it") from error


def keep(home: Path, plan: Plan) -> None:
    """Keep a plan for whoever feeds."""
    save(file(home), orjson.dumps(asdict(plan), option=orjson.OPT_INDENT_2))


class Feed:
    """One market's tape, from where the log ends on.

    Parameters
    ----------
    plan
        What is simulated.
    market
        Its name.
    known
        What the log has of it last; None if it has nothing.

    """

    def __init__(self, plan: Plan, market: str, known: Event | None) -> None:
        self.market = market
        self._source = MarketSource(market, 0, plan.seed, _RATE, _SIGNAL, 1.0, 10.0)
        self._hour = plan.begin
        self._rows = self._source.rows(self._hour, self._hour + HOUR)
        if known is not None:
            self._skip(known)

    def until(self, end: Time) -> Iterator[Event]:
        """Yield what comes in front of a time."""
        while end > self._hour + HOUR:
            yield from events(self.market, self._rows)
            self._next_hour()
        stop = int(np.searchsorted(self._rows.ts, end))
        yield from events(self.market, self._rows.take(slice(0, stop)))
        self._rows = self._rows.take(slice(stop, None))

    def _next_hour(self) -> None:
        self._hour += HOUR
        self._rows = self._source.rows(self._hour, self._hour + HOUR)

    def _skip(self, known: Event) -> None:
        """Go on behind what the log has."""
        last = known.stamp.item(-1) if isinstance(known, Trades) else known.ts
        while self._hour + HOUR <= last:
            self._next_hour()
        rows = self._rows
        if isinstance(known, Trades):
            ids = known.id
            there = (rows.id > 0) & (rows.id <= (0 if ids is None else int(ids[-1])))
        else:
            there = (rows.id == 0) & (rows.ts <= last)
        found = np.flatnonzero(there)
        self._rows = rows.take(slice(int(found[-1]) + 1 if len(found) else 0, None))


def events(market: str, rows: Rows) -> Iterator[Event]:
    """Yield the events of rows of one market, in order."""
    edges = np.flatnonzero(rows.id == 0).tolist()
    start = 0
    for edge in [*edges, len(rows)]:
        if edge > start:
            some = slice(start, edge)
            ts = rows.ts[some]
            columns = Columns(
                ts, rows.price[some], rows.size[some], rows.side[some], rows.id[some], ts
            )
            yield Trades(market, columns, 0, edge - start)
        if edge < len(rows):
            yield wire.read(rows.event[edge])
        start = edge + 1


def feed(plan: Plan, log: Log, appender: Appender, stopped: Stop) -> None:
    """Feed all markets of a plan until `stopped`."""
    feeds = [Feed(plan, market, last_event(log, market)) for market in plan.markets]
    while True:
        end = plan.tape_time(time.time_ns())
        write(appender, ((one.market, [event]) for one in feeds for event in one.until(end)))
        if stopped.wait(_TURN_SECONDS):
            return


def last_event(log: Log, market: str) -> Event | None:
    """Return what a log has of a market last."""
    names = log.partitions()
    partition = names[partition_of(market, len(names))]
    first, end = log.bounds(partition)
    while end > first:
        start = max(first, end - _PIECE)
        with closing(log.open(partition, start)) as cursor:
            entries = [entry for entry in cursor.read(end - start) if entry.market == market]
        if entries:
            return said(entries[-1], partition).event
        end = start
    return None


def _planned(home: Path) -> Plan:
    plan = load(home)
    if plan is None:
        raise DeployError("nothing is to be simulated: deck deploy FLOW --source simulate")
    return plan


def main() -> int:
    """Feed what the plan says, until TERM or INT."""
    keep_secrets()
    settings = Settings.from_environment()
    stopped = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    home = MarketLog(settings)
    try:
        plan = _planned(settings.home)
        home.start()
        with closing(home.log()) as log, closing(home.client()) as appender:
            feed(plan, log, appender, stopped)
    except (DeployError, LogError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
