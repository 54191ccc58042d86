"""Feeds a recording into a log of its own, for a deployment that is a rehearsal.

python -m infra.deploy.rehearsal NAME
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from connectors.log.log import Appender, Log
from connectors.log.messages import said
from connectors.log.sink import Item, write
from connectors.recordings.replay import Replay
from connectors.window import Window
from infra.deploy.deployment import Deployment, Place
from infra.deploy.deployment import write as save
from infra.log.log import MarketLog
from infra.running.signals import Stop
from infra.secrecy import keep_secrets
from infra.settings import Settings
from schemas import SECOND, Event, Time, Trades
from schemas.mendable import Mendable

_BATCH = 5_000
_FAST_BATCH = 65_536
_ENTRIES = 1_000


class TapeLog(MarketLog):
    """The log of one rehearsal: the past must not stand behind the present in the market's."""

    name = "tape"

    def __init__(self, place: Place) -> None:
        self.directory = place.tape


def strips(deployment: Deployment) -> Iterator[list[Item]]:
    """Yield what a recording holds, in batches."""
    batch = _BATCH if deployment.options.get("speed") else _FAST_BATCH
    window = Window(markets=deployment.markets)
    source = Replay((Path(deployment.detail),), batch=batch, window=window)
    for name in source.list_parts():
        part = source.build_part("feed", name, None)
        try:
            while True:
                yield list(part.next_batch())
        except StopIteration:
            part.close()


def there(log: Log) -> Counter[str]:
    """Return how many trades and other events of each market a log has."""
    found: Counter[str] = Counter()
    for partition in log.partitions():
        first, end = log.bounds(partition)
        with closing(log.open(partition, first)) as cursor:
            while first < end:
                entries = cursor.read(_ENTRIES)
                for entry in entries:
                    found[entry.market] += _size(said(entry, partition).event)
                first = entries[-1].offset + 1 if entries else end
    return found


def behind(known: Counter[str], batches: Iterable[list[Item]]) -> Iterator[list[Item]]:
    """Yield batches without what is known: the first trades and events of each market.

    Examples
    --------
    >>> trades = Trades.of("okx:A", ts=[1, 2, 3], price=[1.0] * 3, size=[1.0] * 3)
    >>> [[(_, [rest])]] = behind(Counter({"okx:A": 2}), [[("okx:A", [trades])]])
    >>> rest.ts.tolist()
    [3]

    """
    left = known.copy()
    for items in batches:
        yield [(market, list(_rest(left, market, strip))) for market, strip in items]


def _rest(left: Counter[str], market: str, strip: Iterable[Event]) -> Iterator[Event]:
    for event in strip:
        size, gone = _size(event), left[market]
        left[market] = max(gone - size, 0)
        if gone < size:
            yield event.cut(gone, size) if gone and isinstance(event, Trades) else event


def _size(event: Event) -> int:
    return len(event) if isinstance(event, Trades) else 1


def feed(deployment: Deployment, known: Counter[str], appender: Appender, stopped: Stop) -> bool:
    """Feed a recording behind what is known of it; whether all of it is in the log."""
    speed = float(deployment.options.get("speed", "0"))
    begun, first = time.time_ns(), 0
    for items in behind(known, strips(deployment)):
        if stopped.is_set():
            return False
        stamps = [_stamp(event) for _, strip in items for event in strip]
        if speed and stamps:
            first = first or min(stamps)
            due = begun + round((max(stamps) - first) / speed)
            if stopped.wait(max(0.0, (due - time.time_ns()) / SECOND)):
                return False
        write(appender, items)
    return True


@contextmanager
def written(log: TapeLog) -> Iterator[tuple[Log, Appender]]:
    """Give a log to read and to write; its writer ends with us, for nobody else writes there."""
    log.start()
    try:
        with closing(log.log()) as reader, closing(log.client()) as appender:
            yield reader, appender
    finally:
        log.stop()


def main(name: str) -> int:
    """Feed the recording of a deployment until its end, TERM or INT."""
    keep_secrets()
    stopped = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stopped.set())
    place = Place(Settings.from_environment().home, name)
    try:
        if place.fed.exists():
            return 0
        deployment = place.asked()
        with written(TapeLog(place)) as (reader, appender):
            if feed(deployment, there(reader), appender, stopped):
                save(place.fed, b"")
    except Mendable as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _stamp(event: Event) -> Time:
    return event.stamp.item(-1) if isinstance(event, Trades) else event.ts


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
