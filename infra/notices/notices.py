"""What a flow tells people of: fills, closed positions, halts and faults, each once."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast

from connectors.disk import kept
from infra.notices.notify import Notifier
from schemas import SECOND, Closed, Event, Fault, Fill, Halt, Time
from schemas.tables import Record

_KINDS = frozenset({Fill, Closed, Halt, Fault})
_FILE = "told"
_GRACE_SECONDS = 3.0


class Item(NamedTuple):
    """What is to be told, and the event's place among those of its market."""

    market: str
    seq: int
    kind: str
    text: str


class Place(NamedTuple):
    """Where something fails."""

    market: str
    where: str


_Kept: TypeAlias = "tuple[dict[Place, int], list[Item]]"
"""Of a market: how often what has failed, and what is not told yet."""


class Notices:
    """An outlet that tells people what they should know.

    What is not told yet is kept with the snapshot, what was told is noted in a file at once: so a
    crash neither loses nor doubles, but for what was on its way to a chat just then.

    Parameters
    ----------
    notifier
        Tells it.
    directory
        Where it is noted.
    since
        Nothing older than this is told, in nanoseconds: what warms a flow up.

    Raises
    ------
    DiskError
        When it cannot be noted.

    """

    def __init__(self, notifier: Notifier, directory: Path, since: Time) -> None:
        self.notifier = notifier
        self._since, self._path = since, directory / _FILE
        self._told: dict[str, int] = {}
        """For each market, up to which event people were told."""
        self._pending: dict[Item, None] = {}
        self._faults: Counter[Place] = Counter()
        self._lock = threading.Lock()

    def resume(self, state: Mapping[str, object] | None) -> None:
        """Go on from what was told, and tell what was not."""
        with kept("what people were told", self._path):
            self._told = _read(self._path)
            shorter = self._path.with_name(f"{_FILE}.partial")
            shorter.write_text("".join(_note(*told) for told in self._told.items()))
            shorter.replace(self._path)
        for faults, pending in cast("Mapping[str, _Kept]", state or {}).values():
            self._faults.update(faults)
            for item in pending:
                self._tell(item)

    def write(self, records: list[Record]) -> None:
        """Tell what people should know of one market."""
        for seq, event in records:
            if type(event) not in _KINDS or event.ts < self._since:
                continue
            if text := self._said(event):
                self._tell(Item(event.market, seq, type(event).__name__.lower(), text))

    def snapshot(self) -> Mapping[str, object]:
        """Return what is not told yet, and how often what has failed."""
        kept: dict[str, _Kept] = defaultdict(lambda: ({}, []))
        for what, count in self._faults.items():
            kept[what.market][0][what] = count
        with self._lock:
            for item in self._pending:
                kept[item.market][1].append(item)
        return dict(kept)

    def close(self) -> None:
        """Tell the rest, if that can be done soon."""
        self.notifier.close(_GRACE_SECONDS)

    def _tell(self, item: Item) -> None:
        if not self.notifier.listens or item.seq <= self._told.get(item.market, -1):
            return
        with self._lock:
            self._pending[item] = None
        self.notifier.tell(item.kind, item.text, lambda: self._done(item))

    def _done(self, item: Item) -> None:
        """Note that something was told; a courier's thread calls it."""
        with self._lock:
            if item not in self._pending:
                return  # by another courier
            del self._pending[item]
            with suppress(OSError), self._path.open("a") as file:  # at worst it is told again
                file.write(_note(item.market, item.seq))

    def _said(self, event: Event) -> str:
        match event:
            case Fill():
                return _line(event, f"{event.side} {_short(event.amount)} at {_short(event.price)}")
            case Closed():
                made = f"{event.pnl:+,.2f} ({event.net_return:+.2%})"
                return _line(event, f"{event.side} closed, {event.why}: {made}")
            case Halt():
                return _line(event, f"{event.state}: {event.why}")
            case Fault():
                return self._fault(event)
        return ""

    def _fault(self, fault: Fault) -> str:
        """Tell the first of a kind, and then each tenth, hundredth, and so on."""
        what = Place(fault.market, fault.where)
        self._faults[what] += 1
        count = self._faults[what]
        if count > 1 and str(count).rstrip("0") != "1":
            return ""
        often = f", {count:,} times so far" if count > 1 else ""
        return _line(fault, f"fault in {fault.where}: {fault.error}{often}")


def _line(event: Fill | Closed | Halt | Fault, text: str) -> str:
    at = datetime.fromtimestamp(event.ts // SECOND, timezone.utc)
    return f"{event.market}: {text} · {at:%H:%M:%S} UTC"


def _note(market: str, seq: int) -> str:
    return f"{seq} {market}\n"


def _short(number: Decimal) -> str:
    """Return a number as people read it."""
    return f"{float(number):,.8g}"


def _read(path: Path) -> dict[str, int]:
    """Return up to which event each market was told of; a torn last line is none."""
    told: dict[str, int] = {}
    if path.exists():
        for line in path.read_text().split("\n")[:-1]:
            seq, _, market = line.partition(" ")
            told[market] = max(int(seq), told.get(market, -1))
    return told
