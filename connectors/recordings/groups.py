"""Which files share a market, and in which order they are played."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np

from connectors.recordings import cells
from connectors.recordings.blocks import Reader
from connectors.recordings.files import DataError
from connectors.recordings.naming import Markets, Share
from connectors.recordings.strips import Strips, times
from schemas import SECOND, Time


class Span(NamedTuple):
    """From the first to the last time of a market in a file."""

    first: Time
    last: Time


Spans: TypeAlias = dict[str, Span]


class Group(NamedTuple):
    """Files that are played one after the other, since they share markets."""

    readers: list[Reader]
    markets: frozenset[str] | None
    """All markets in them; `None` if nobody looked."""


def group(readers: Sequence[Reader], markets: Markets) -> list[Group]:
    """Put files that share a market together, in order of time.

    A single file is not looked into. Else what files' statistics prove is believed, and the other
    files are read through. Recordings of one partition of a log are played in its order, whatever
    their times are.

    Raises
    ------
    DataError
        When two files have the same market at the same time, or a part of a log is missing.

    """
    if len(readers) == 1:
        return [Group([readers[0]], None)]
    runs = _runs(readers)
    spans = [_joint(_spans(reader, markets) for reader in run) for run in runs]
    for market, one, other in _overlaps(spans):
        raise _overlap(market, runs[one][0], runs[other][0], spans[one], spans[other])
    groups = _joined(spans)
    for members in groups:
        members.sort(key=lambda index: (min(spans[index].values(), default=()), index))
    return [
        Group(
            [reader for index in members for reader in runs[index]],
            frozenset(market for index in members for market in spans[index]),
        )
        for members in groups
    ]


def _runs(readers: Sequence[Reader]) -> list[list[Reader]]:
    """Return the recordings of each partition of a log together, other files each by itself."""
    runs: dict[tuple[str, str], list[Reader]] = {}
    for reader in readers:
        stretch = reader.stretch()
        key = ("file", reader.file.name) if stretch is None else ("log", stretch.partition)
        runs.setdefault(key, []).append(reader)
    return [run if len(run) == 1 else _in_order(run) for run in runs.values()]


def _in_order(run: Sequence[Reader]) -> list[Reader]:
    """Return the recordings of a partition in its order.

    Raises
    ------
    DataError
        When two hold the same part of it, or one between them is missing.

    """
    known = [(stretch, reader) for reader in run if (stretch := reader.stretch()) is not None]
    known.sort(key=lambda part: (part[0].first, part[0].end))
    for (one, before), (other, behind) in pairwise(known):
        files = f"{before.file.path} and {behind.file.path}"
        if other.first < one.end:
            last = min(one.end, other.end) - 1
            raise DataError(
                f"{files} both have offsets {other.first} to {last} of {one.partition}: "
                f"give one of them"
            )
        if other.first > one.end:
            raise DataError(
                f"between {files}, offsets {one.end} to {other.first - 1} of {one.partition} are "
                f"missing: give the file that has them, too, or replay each side by itself"
            )
    return [reader for _, reader in known]


def _spans(reader: Reader, markets: Markets) -> Spans:
    stretch = reader.stretch()
    if stretch is None:
        return _proven(reader, markets) or _scan(reader, markets)
    spans: Spans = {}
    for symbol, span in stretch.spans.items():
        _widen(spans, markets.of(symbol, reader.file), *span)
    return spans


def _joint(parts: Iterable[Spans]) -> Spans:
    spans: Spans = {}
    for part in parts:
        for market, span in part.items():
            _widen(spans, market, *span)
    return spans


def _proven(reader: Reader, markets: Markets) -> Spans | None:
    """Return what a file's statistics say, if they say it of one market."""
    extent = reader.extent()
    if extent is None or extent.first <= 0:  # a bad time has widened it
        return None
    market = markets.only(reader.file)
    if market is None and extent.symbol is not None:
        market = markets.of(extent.symbol, reader.file)
    return None if market is None else {market: Span(extent.first, extent.last)}


def _scan(reader: Reader, markets: Markets) -> Spans:
    """Read a file's times and symbols."""
    strips = Strips(reader.file, reader.layout, markets, Share(), set())
    spans: Spans = {}
    for block in reader.blocks(wanted=("ts", "symbol", "event")):
        who = strips.who(block)
        ts = cells.times(block.columns["ts"], reader.layout.units.get("ts"))
        good = ts > 0 if who.nameless is None else (ts > 0) & ~who.nameless
        codes = np.zeros(len(ts), np.intp) if who.codes is None else who.codes
        first = np.full(len(who.markets), np.iinfo(np.int64).max)
        last = np.zeros(len(who.markets), np.int64)
        np.minimum.at(first, codes[good], ts[good])
        np.maximum.at(last, codes[good], ts[good])
        for market, low, high in zip(who.markets, first, last, strict=True):
            if high:
                _widen(spans, market, int(low), int(high))
        for _, event in strips.events(block, who, ~good):
            if event.market != markets.unknown:
                _widen(spans, event.market, *times(event))
    return spans


def _widen(spans: Spans, market: str, first: Time, last: Time) -> None:
    known = spans.get(market, Span(first, last))
    spans[market] = Span(min(known.first, first), max(known.last, last))


def _overlaps(spans: Sequence[Spans]) -> Iterator[tuple[str, int, int]]:
    """Yield each market with two files that have it at the same time."""
    places: dict[str, list[tuple[Span, int]]] = {}
    for index, found in enumerate(spans):
        for market, span in found.items():
            places.setdefault(market, []).append((span, index))
    for market, where in places.items():
        where.sort()
        longest, holder = where[0]
        for span, index in where[1:]:
            if span.first < longest.last or span == longest:
                yield market, holder, index
            if span.last > longest.last:
                longest, holder = span, index


def _joined(spans: Sequence[Spans]) -> list[list[int]]:
    """Return the files that share a market, or share one with those that do."""
    groups: list[tuple[set[str], list[int]]] = []
    for index, found in enumerate(spans):
        markets, members = set(found), [index]
        apart = []
        for others in groups:
            if others[0] & markets:
                markets |= others[0]
                members = others[1] + members
            else:
                apart.append(others)
        groups = [*apart, (markets, members)]
    return [members for _, members in sorted(groups, key=lambda found: min(found[1]))]


def _overlap(market: str, one: Reader, other: Reader, a: Spans, b: Spans) -> DataError:
    start, end = max(a[market].first, b[market].first), min(a[market].last, b[market].last)
    files = (one.file, other.file)
    each = " ".join(f"--market {file.name}=EXCHANGE:SYMBOL" for file in files)
    return DataError(
        f"{one.file.path} and {other.file.path} both have {market} from {_utc(start)} to "
        f"{_utc(end)}: if they are two sources, name them apart ({each}), else give one of them"
    )


def _utc(ts: Time) -> str:
    return datetime.fromtimestamp(ts / SECOND, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
