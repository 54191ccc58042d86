"""A file of every derived event: one JSON a line, sorted by market, then seq, each once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast
from urllib.parse import quote, unquote

import orjson

from connectors.disk import DiskError, kept
from schemas.tables import Record
from schemas.wire import decimals, plain

_BUFFER = 1 << 20


class EventsFile:
    """An outlet that keeps a file for each market; `gather` makes one of them all.

    A snapshot holds how long each was: what a crash left behind it is cut off again.

    Parameters
    ----------
    directory
        Where the markets' files are kept; nothing else may be in it.

    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._waiting: dict[str, bytearray] = {}
        self._lengths: dict[str, int] = {}

    def resume(self, state: Mapping[str, object] | None) -> None:
        """Cut the files to the lengths they had.

        Raises
        ------
        DiskError
            When one is shorter than it was, or gone.

        """
        self._lengths = dict(cast("dict[str, int]", state or {}))
        known = {_file_name(market): length for market, length in self._lengths.items()}
        with kept("events", self.directory):
            self.directory.mkdir(parents=True, exist_ok=True)
            there = {path.name: path for path in self.directory.iterdir()}
            for name, length in known.items():
                if name not in there or there[name].stat().st_size < length:
                    raise DiskError(
                        f"{self.directory / name}: events that were kept there are gone: start "
                        f"afresh with another --recovery directory"
                    )
            for name, path in there.items():
                if name in known:
                    os.truncate(path, known[name])
                else:
                    path.unlink()

    def write(self, records: list[Record]) -> None:
        """Add a line for each record."""
        market = records[0].event.market
        waiting = self._waiting.setdefault(market, bytearray())
        for record in records:
            waiting += line(record)
        if len(waiting) >= _BUFFER:
            self._flush(market)

    def snapshot(self) -> Mapping[str, object]:
        """Write out what waits, and return the lengths."""
        for market in self._waiting:
            self._flush(market)
        return dict(self._lengths)

    def close(self) -> None:
        """Write out what waits."""
        self.snapshot()

    def _flush(self, market: str) -> None:
        waiting = self._waiting[market]
        if not waiting:
            return
        path = self.directory / _file_name(market)
        with kept("events", path), path.open("ab") as file:
            file.write(waiting)
        self._lengths[market] = self._lengths.get(market, 0) + len(waiting)
        waiting.clear()


def line(record: Record) -> bytes:
    r"""Return a record as a line of JSON, the same for the same events, without the run.

    Examples
    --------
    >>> from schemas import Halt
    >>> line(Record(3, Halt("binance:BTC/USDT", 7, "halted", "by me")))
    b'{"type":"Halt","market":"binance:BTC/USDT","seq":3,"ts":7,"state":"halted","why":"by me"}\n'

    """
    event = record.event
    head = {"type": type(event).__name__, "market": event.market, "seq": record.seq}
    body = plain(event)
    del body["market"]
    return orjson.dumps({**head, **body}, default=decimals, option=orjson.OPT_APPEND_NEWLINE)


def gather(directories: Iterable[Path], out: Path) -> None:
    """Write the markets' files of all processes into one, by market; whole or not at all.

    Raises
    ------
    DiskError
        When it cannot be written, such as to a full disk.

    """
    # A process without a market of its own has made no directory.
    files = [path for directory in directories for path in directory.glob("*")]
    partial = out.with_name(f"{out.name}.partial")
    with kept("events", out):
        try:
            with partial.open("wb") as target:
                for path in sorted(files, key=_market):
                    with path.open("rb") as source:
                        shutil.copyfileobj(source, target, _BUFFER)
            partial.replace(out)
        except OSError:
            partial.unlink(missing_ok=True)
            raise


def _file_name(market: str) -> str:
    return quote(market, safe="")


def _market(path: Path) -> str:
    return unquote(path.name)
