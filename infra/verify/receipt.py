"""The receipt of a stretch that was verified, in a file beside the run and in history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from clickhouse_connect.driver.client import Client

from connectors.disk import kept
from infra.verify.checkpoints import beside
from schemas.wire import decimals

_TIME = pa.timestamp("ns", "UTC")
_TEXTS = ("flow", "run", "name", "since", "until", "source", "positions", "code")
_COLUMNS = pa.schema(
    {
        **dict.fromkeys((*_TEXTS, "sha256", "state", "unseen", "difference"), pa.string()),
        **dict.fromkeys(("at", "since_at", "until_at"), _TIME),
        **dict.fromkeys(("events", "trades", "candles"), pa.uint64()),
        "identical": pa.bool_(),
    }
)
_JSON = ("positions", "code", "difference")


@dataclass(frozen=True)
class Receipt:
    """What became of a stretch that was verified.

    Parameters
    ----------
    flow, run, name
        Which run; `name` is that of its deployment or store.
    at
        When it was verified, in nanoseconds.
    since, until
        The names of the checkpoints; `since` is empty for the run's beginning.
    since_at, until_at
        When they were taken, in nanoseconds.
    source
        The option that says where the log was read.
    positions
        From which offset to which each partition was read.
    code
        What ran then, and what it was replayed with.
    events, sha256
        How many events there are, and a hash of them.
    state
        A hash of the states at the end.
    trades
        So many of those that history keeps are as the log has them.
    candles
        So many were made again from the stored trades, in SQL.
    unseen
        What could not be compared, and why; empty if all was.
    difference
        What differs first; nothing if it is identical.

    """

    flow: str
    run: str
    name: str
    at: int
    since: str
    until: str
    since_at: int
    until_at: int
    source: str
    positions: dict[str, tuple[int, int]]
    code: dict[str, str]
    events: int
    sha256: str
    state: str
    trades: int = 0
    candles: int = 0
    unseen: str = ""
    difference: dict[str, Any] = field(default_factory=dict)

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        return not self.difference

    def said(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "identical": self.identical}


class Receipts:
    """The receipts of one run, in files.

    Parameters
    ----------
    store
        The run's recovery store.

    """

    def __init__(self, store: Path) -> None:
        self.directory = beside(store, "receipts")

    def keep(self, receipt: Receipt) -> Path:
        """Keep one, durably enough for a file that can be made again."""
        path = self.directory / f"{receipt.until}-{receipt.at}.json"
        with kept("a receipt", path):
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            partial = path.with_suffix(".partial")
            partial.write_bytes(written(receipt))
            partial.replace(path)
        return path

    def all(self) -> Iterator[Receipt]:
        """Yield those that can be read, in the order in which they were made."""
        found = []
        for path in self.directory.glob("*.json"):
            with suppress(ValueError, TypeError):
                said = orjson.loads(path.read_bytes())
                del said["identical"]
                found.append(Receipt(**said))
        yield from sorted(found, key=lambda one: one.at)


def written(receipt: Receipt) -> bytes:
    """Return a receipt as JSON, for people."""
    return orjson.dumps(receipt.said(), default=decimals, option=orjson.OPT_INDENT_2)


def note(client: Client, receipt: Receipt) -> None:
    """Put a receipt into history; the client may write."""
    said = receipt.said()
    texts = {name: orjson.dumps(said[name], default=decimals).decode() for name in _JSON}
    texts["difference"] = texts["difference"] if receipt.difference else ""
    rows = pa.Table.from_pylist([{**said, **texts}], _COLUMNS)
    client.insert_arrow("receipts", rows)
