"""With what code a run was started, each time that changed: a replay of it tells if it differs."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import orjson

from connectors.disk import kept
from infra.recovery.layout import STARTS


@dataclass(frozen=True)
class Start:
    """What a run was started with.

    Parameters
    ----------
    flow
        The hash of the flow file.
    tapedeck
        Our own version.
    since
        The stretch of the log that was read first, as it was written.
    at
        When that was, our clock's time.

    """

    flow: str
    tapedeck: str
    since: str
    at: int = 0

    @classmethod
    def now(cls, flow: str, since: str) -> Start:
        """Return what a run is started with by us, now."""
        return cls(flow, version("tapedeck"), since, time.time_ns())

    @property
    def code(self) -> tuple[str, str]:
        """What its conclusions depend on, but for the tape."""
        return self.flow, self.tapedeck


def note(store: Path, start: Start) -> Start:
    """Note that a run is started, in its store; return how it was when it first began.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     first = note(Path(place), Start("5f0c", "1.0", "6h", 1))
    ...     again = note(Path(place), Start("77aa", "1.0", "0s", 2))
    ...     again.since, [start.flow for start in noted(Path(place))]
    ('6h', ['5f0c', '77aa'])

    """
    starts = noted(store)
    if not starts or starts[-1].code != start.code:
        starts.append(start)
        path = store / STARTS
        partial = path.with_suffix(".partial")
        with kept("how the run was started", path):
            partial.write_bytes(orjson.dumps([asdict(one) for one in starts]))
            partial.replace(path)
    return starts[0]


def noted(store: Path) -> list[Start]:
    """Return how a run was started; nothing, if an earlier Tapedeck did not note it."""
    path = store / STARTS
    if not path.exists():
        return []
    with kept("how the run was started", path):
        return [Start(**one) for one in orjson.loads(path.read_bytes())]
