"""`deck values`: put numbers of other data sources onto the tapes of their markets."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from connectors.kafka.value_topic import ValueTopic
from connectors.log.log import Appender
from connectors.values import read_file, read_message
from infra import screen
from infra.log.places import place
from infra.running.signals import Stop, hearing
from infra.screen import Misused, say, told
from infra.settings import Settings
from schemas import Reject, Value
from schemas.wire import encode

_STDIN = Path("-")
_GULP = 1 << 16
_AT_ONCE = 1_000
_WAIT_SECONDS = 0.5


def values(
    source: Annotated[
        Path | None,
        typer.Argument(
            help="A file with one JSON object a line, also compressed; - is standard input, so "
            "that any program can tell numbers as it learns them.",
            show_default=False,
        ),
    ] = None,
    topic: Annotated[
        str, typer.Option(help="Or a Kafka topic with such messages, until Ctrl-C.")
    ] = "",
    kafka: Annotated[
        bool, typer.Option("--kafka", help="The log is Kafka, not the embedded one.")
    ] = False,
) -> None:
    """Put numbers of other data sources into the log, on the tapes of their markets.

    Each is like {"market": "okx:BTC/USDT", "series": "fear", "value": 21}.

    Several markets are a list; "ts", in nanoseconds, must be in a file.

    What comes on standard input or by a topic without it is of now.

    A rule sees the latest of each series in now.values.

    What cannot be read is kept, too, in the table rejects.
    """
    with told():
        if (source is None) == (not topic):
            raise Misused("name either a file (or -), or --topic")
        settings = Settings.from_environment()
        where = place(settings, kafka)
        with closing(where.appender()) as log:
            put = _Put(log)
            if source == _STDIN:
                _drain(put)
            elif source is not None:
                put.all(read_file(source))
            else:
                _follow(settings, topic, put)
        screen.out.print(f"{put.taken:,} numbers are in the log", highlight=False)
        if put.rejects:
            say(f"{put.rejects:,} could not be read: {put.why}; they are in rejects", "yellow")


class _Put:
    """Puts events into the log, and counts them."""

    def __init__(self, log: Appender) -> None:
        self._log = log
        self.taken = self.rejects = 0
        self.why = ""

    def all(self, events: Iterable[Value | Reject]) -> None:
        """Put them in, so many at once; when this returns they are durable."""
        rest = iter(events)
        while some := list(islice(rest, _AT_ONCE)):
            for event in some:
                self._log.append(event.market, encode(event))
                if isinstance(event, Reject):
                    self.rejects += 1
                    self.why = self.why or event.why
                else:
                    self.taken += 1
            self._log.flush()


def _drain(put: _Put) -> None:
    """Take in what standard input tells, as it comes."""
    torn = b""
    while chunk := os.read(sys.stdin.fileno(), _GULP):
        *lines, torn = (torn + chunk).split(b"\n")
        put.all(_read(lines))
    put.all(_read([torn]))


def _read(lines: Iterable[bytes]) -> Iterator[Value | Reject]:
    for line in lines:
        if line.strip():
            yield from read_message(line, time.time_ns())


def _follow(settings: Settings, topic: str, put: _Put) -> None:
    """Take a topic in, until a signal to stop."""
    if settings.kafka is None:
        raise Misused("--topic: set KAFKA_BOOTSTRAP to Kafka's addresses, such as localhost:9092")
    stopped = Stop()
    with hearing(stopped.set), closing(ValueTopic(settings.kafka, topic)) as source:
        while not stopped.is_set():
            if events := source.read(_WAIT_SECONDS):
                put.all(events)
                source.note()
