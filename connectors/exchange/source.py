"""Markets of exchanges as a source of a flow: what comes, as it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from typing_extensions import override

from connectors.exchange.exchange import Exchange
from connectors.recordings.tracks import Item
from connectors.rest import AT_ONCE, Rest

PART = "exchange"


class ExchangeSource(FixedPartitionedSource[Item, None]):
    """Strips of each market's tape, from exchanges.

    A socket cannot be read twice, so this belongs in front of a log, and of nothing else. There is
    no state: what the log has last tells where to go on.

    Parameters
    ----------
    connect
        Returns the exchange, which is started and stopped here.
    started
        Is told the exchange, for its counts and late trades.

    """

    def __init__(
        self,
        connect: Callable[[], Exchange],
        started: Callable[[Exchange], object] = lambda exchange: None,
    ) -> None:
        self._connect, self._started = connect, started
        self._stopped = threading.Event()

    def list_parts(self) -> list[str]:
        """Return the one partition."""
        return [PART]

    def build_part(
        self, step_id: str, for_part: str, resume_state: None
    ) -> StatefulSourcePartition[Item, None]:
        """Return it, having started the exchange."""
        exchange = self._connect()
        exchange.start()
        self._started(exchange)
        return _Partition(exchange, self._stopped)

    def stop(self) -> None:
        """Let it end when all that came is handed out, so that the engine drains."""
        self._stopped.set()


class _Partition(StatefulSourcePartition[Item, None]):
    def __init__(self, exchange: Exchange, stopped: threading.Event) -> None:
        self._exchange, self._stopped = exchange, stopped
        self._rest = Rest()
        self._rest.join()

    @override
    def next_batch(self) -> Sequence[Item]:
        if self._stopped.is_set():
            self._exchange.stop()
        items = self._exchange.drain()
        if not items and self._stopped.is_set():
            raise StopIteration
        if not items:
            self._rest.nothing()
        return items

    @override
    def next_awake(self) -> datetime | None:
        return AT_ONCE

    @override
    def snapshot(self) -> None:
        return None

    @override
    def close(self) -> None:
        self._exchange.stop()
