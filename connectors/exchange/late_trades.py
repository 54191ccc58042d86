"""Trades that were found too late for the tape, where a `Gap` stands for them: into history."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connectors.exchange.backfill import late_rows
from connectors.exchange.rest_trades import Traded
from connectors.history.clickhouse import Connect, Mover
from connectors.history.journal import Journal
from schemas import Trades
from schemas.tables import table


class LateTrades:
    """Keeps them as backfilled trades; through a journal, so that a history away stops nothing.

    Parameters
    ----------
    connect
        Returns a client that may write.
    directory
        Where the journal is; of this process alone.

    Raises
    ------
    DiskError
        When the directory cannot be used.

    """

    def __init__(self, connect: Connect, directory: Path) -> None:
        self._journal = Journal(directory)
        self._mover = Mover(connect, self._journal)
        self._mover.start()

    @property
    def trouble(self) -> str | None:
        """Why history has not got all of them, if it has not."""
        return self._mover.trouble

    def put(self, market: str, trades: Sequence[Traded]) -> None:
        """Keep trades of a market, durably."""
        self._journal.append(table(Trades), late_rows(market, trades))
        self._mover.look()

    def close(self) -> None:
        """Wait until history has them all; not for long, if it cannot be reached."""
        self._mover.finish()
