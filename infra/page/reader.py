"""Asks history for the page: few questions at a time, none for long, and never starts it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Any, NoReturn, TypeAlias

import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from connectors.history.clickhouse import UNREACHABLE, reason
from infra.history.history import History
from infra.history.home import HistoryError
from infra.page.refusal import BUSY, HISTORY_DOWN, Refusal
from infra.settings import Settings

_AT_ONCE = 4
_WAIT_SECONDS = 5.0
_SECONDS = 10
"""For one question."""
_LIMITS = {"max_execution_time": _SECONDS, "max_memory_usage": 2_000_000_000, "max_threads": 2}
_TOO_MUCH = {159, 160, 241, 396}
"""ClickHouse's numbers of what took too long, or too much."""

Columns: TypeAlias = dict[str, list[Any]]
"""Columns by name; what a browser reads as JSON."""


class Reader:
    """History's reader, until it is closed; threads may share it.

    Parameters
    ----------
    settings
        Which history.

    """

    def __init__(self, settings: Settings) -> None:
        self._history = History(settings)
        self._client: Client | None = None
        self._lock = Lock()
        self._free = BoundedSemaphore(_AT_ONCE)
        self.trouble = ""
        """Why it could not be reached, if that was so the last time."""

    def ask(self, query: str, **values: object) -> Columns:
        """Return what a query answers.

        Parameters
        ----------
        query
            One SELECT of ours.
        values
            Of its parameters, `{name:Type}`: whatever a request says is in these only.

        Raises
        ------
        Refusal
            When history cannot be reached, or it takes too long.

        """
        found: Columns = self.table(query, **values).to_pydict()
        return found

    def table(self, query: str, **values: object) -> pa.Table:
        """Return what a query answers as Arrow has it; see `ask`."""
        with self._turn(), self._explained():
            found = self._connected().query_arrow(query, values, _LIMITS, use_strings=True)
        self.trouble = ""
        return found

    def close(self) -> None:
        """Let go of the connection."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None:
                self._client = self._history.client("reader", start=False, seconds=_SECONDS + 2)
            return self._client

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._free.acquire(timeout=_WAIT_SECONDS):
            raise Refusal(BUSY, "history has too many questions of the page at once: try again")
        try:
            yield
        finally:
            self._free.release()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in words why history does not answer; the next question connects anew."""
        try:
            yield
        except HistoryError as error:
            self._lost(str(error), error)
        except DatabaseError as error:
            if error.code in _TOO_MUCH:
                raise Refusal(BUSY, f"history takes too long: {reason(error)}") from error
            if not isinstance(error, UNREACHABLE):
                raise
            self._lost(f"history cannot be reached: {reason(error)}", error)
        except UNREACHABLE as error:
            self._lost(f"history cannot be reached: {reason(error)}", error)

    def _lost(self, why: str, error: Exception) -> NoReturn:
        self.trouble = why
        self.close()
        raise Refusal(HISTORY_DOWN, why) from error
