"""The outbox of an account: what its executor has decided and learnt, kept before it is done.

A change of state and the reports that tell of it are one transaction. It is durable behind the next
`sync`, which many share.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from connectors.account.limits import Result
from connectors.blotter.modes import Mode, Scope
from connectors.blotter.order import Slip
from connectors.blotter.position import Holding, Key
from connectors.outbox.file import Durability, explained, hold, open_to_read, open_to_write
from connectors.outbox.rows import pack, unpack
from connectors.outbox.sync import Sync, tidy
from connectors.transaction import whole
from schemas import Command, Instrument, Position, Reject, Report, Time
from schemas.wire import encode, read

_Kind = TypeVar("_Kind")


class OutboxView:
    """What an outbox holds now; another process may be writing it.

    Parameters
    ----------
    directory
        Where it is.

    Raises
    ------
    OutboxError
        When there is none that can be read.

    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._file = open_to_read(directory)

    @property
    def account(self) -> str:
        """Whose it is."""
        return str(self._one("SELECT account FROM outbox"))

    def slips(self) -> list[Slip]:
        """Return the orders that are not settled."""
        return self._all(Slip, "SELECT body FROM slips WHERE live")

    def holdings(self) -> list[Holding]:
        """Return the positions that are not over."""
        return self._all(Holding, "SELECT body FROM holdings WHERE live")

    def holding(self, key: Key) -> Holding | None:
        """Return a position, however long ago it was."""
        query = (
            "SELECT body FROM holdings WHERE flow = ? AND run = ? AND market = ? AND position = ?"
        )
        return next(iter(self._all(Holding, query, *key)), None)

    def modes(self) -> dict[Scope, Mode]:
        """Return what is not active, and why."""
        rows = self._rows("SELECT flow, market, mode, why FROM modes")
        return {Scope(flow, market): Mode(mode, why) for flow, market, mode, why in rows}

    def results(self) -> list[Result]:
        """Return what was made, in each quote currency."""
        return self._all(Result, "SELECT body FROM results")

    def waiting(self) -> int:
        """Return how many reports are not known to be in the log."""
        return int(str(self._one("SELECT count(*) FROM words")))

    def close(self) -> None:
        """Give back what it holds."""
        self._file.close()

    def _rows(self, query: str, *values: object) -> list[tuple[str, ...]]:
        with explained(self.directory):
            return self._file.execute(query, values).fetchall()

    def _one(self, query: str, *values: object) -> object | None:
        with explained(self.directory):
            row = self._file.execute(query, values).fetchone()
        return row[0] if row else None

    def _all(self, kind: Callable[..., _Kind], query: str, *values: object) -> list[_Kind]:
        with explained(self.directory):
            rows = self._file.execute(query, values).fetchall()
        return [unpack(kind, body) for (body,) in rows]


class Outbox(OutboxView):
    """An outbox to write, made if it is not there; one process at a time.

    Parameters
    ----------
    directory
        Where it is.
    account
        Whose orders it keeps.
    clock
        Ours: the reports of a new outbox count from it, above those of any that was before.
    synchronous
        `FULL` for what must outlive the machine; `OFF` for tests, whose `sync` does nothing.

    Raises
    ------
    OutboxError
        When another process has it, or it cannot be kept there.

    """

    def __init__(
        self,
        directory: Path,
        account: str,
        clock: Callable[[], Time] = time.time_ns,
        synchronous: Durability = "FULL",
    ) -> None:
        self.directory = directory
        self._lock = hold(directory)
        try:
            self._file = open_to_write(directory, account, clock(), synchronous)
            self._number = int(str(self._one("SELECT number FROM outbox")))
            self._sync = Sync(directory) if synchronous == "FULL" else None
        except BaseException:
            self._lock.close()
            raise

    @property
    def changes(self) -> int:
        """How many changes were kept: as many as before if there is nothing to `sync`."""
        return self._file.total_changes

    def sync(self) -> None:
        """Return when all that was kept before is durable; any thread may call it."""
        if self._sync is not None:
            self._sync()

    def tidy(self) -> None:
        """Keep its file small; any thread may call it."""
        tidy(self.directory)

    def close(self) -> None:
        """Give back what it holds, and let another have it."""
        if self._sync is not None:
            self._sync.close()
        self._file.close()
        self._lock.close()

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Keep all that is put, or nothing; it is durable behind the next `sync`."""
        with explained(self.directory), whole(self._file):
            yield

    def slip(self, id_: str) -> Slip | None:
        """Return an order, however long ago it was."""
        return next(iter(self._all(Slip, "SELECT body FROM slips WHERE id = ?", id_)), None)

    def slip_at(self, market: str, exchange_id: str) -> Slip | None:
        """Return the order that the exchange knows by its own id."""
        query = "SELECT body FROM slips WHERE exchange_id = ? AND market = ?"
        return next(iter(self._all(Slip, query, exchange_id, market)), None)

    def sent_since(self, then: Time) -> list[Time]:
        """Return when orders were sent, from a time on."""
        rows = self._rows("SELECT sent FROM slips WHERE sent >= ? ORDER BY sent", then)
        return [int(sent) for (sent,) in rows]

    def ask(self, flow: str, run: str, market: str, number: int, action: str) -> str | None:
        """Return what a flow's order said that was taken before."""
        found = self._one(
            "SELECT said FROM asks "
            "WHERE flow = ? AND run = ? AND market = ? AND number = ? AND action = ?",
            flow, run, market, number, action,
        )  # fmt: skip
        return None if found is None else str(found)

    def knows(self, market: str, trade_id: str, side: str) -> bool:
        """Tell whether a fill was taken before."""
        query = "SELECT 1 FROM deals WHERE market = ? AND trade_id = ? AND side = ?"
        return self._one(query, market, trade_id, side) is not None

    def baselines(self) -> dict[str, Decimal]:
        """Return what was there that is none of ours, by market."""
        return {market: Decimal(text) for market, text in self._rows("SELECT * FROM baselines")}

    def instruments(self) -> list[Instrument]:
        """Return what was last known of markets."""
        events = [read(body) for (body,) in self._rows("SELECT body FROM instruments")]
        return [event for event in events if isinstance(event, Instrument)]

    def flows(self) -> list[tuple[str, str]]:
        """Return the flows, with their runs, that were seen alive."""
        return [(flow, run) for flow, run in self._rows("SELECT flow, run FROM flows")]

    def offsets(self) -> dict[str, int]:
        """Return where to read the queue on, by partition."""
        rows = self._rows("SELECT partition, next FROM offsets")
        return {partition: int(offset) for partition, offset in rows}

    def unpublished(self, limit: int = 1_000) -> list[tuple[int, Report | Command]]:
        """Return the first reports and commands not known to be in the log, with their numbers."""
        rows = self._rows("SELECT number, body FROM words ORDER BY number LIMIT ?", limit)
        events = [(int(number), read(body)) for number, body in rows]
        return [(number, e) for number, e in events if isinstance(e, (Report, Command))]

    def published(self, number: int) -> None:
        """Note that all up to a number is in the log; forgotten, it is told again."""
        with self.whole():
            self._put("DELETE FROM words WHERE number <= ?", number)

    def put_slip(self, slip: Slip) -> None:
        """Keep an order."""
        self._put(
            "INSERT OR REPLACE INTO slips VALUES (?, ?, ?, ?, ?, ?)",
            slip.id, slip.market, slip.exchange_id, not slip.settled, slip.sent_at, pack(slip),
        )  # fmt: skip

    def put_holding(self, holding: Holding) -> None:
        """Keep a position."""
        live = holding.stage != "over"
        self._put(
            "INSERT OR REPLACE INTO holdings VALUES (?, ?, ?, ?, ?, ?)",
            *holding.key, live, pack(holding),
        )  # fmt: skip

    def put_ask(self, flow: str, run: str, market: str, number: int, action: str, s: str) -> None:
        """Keep what a flow's order said."""
        self._put(
            "INSERT INTO asks VALUES (?, ?, ?, ?, ?, ?)", flow, run, market, number, action, s
        )

    def put_deal(self, market: str, trade_id: str, side: str, slip: str) -> None:
        """Keep that a fill was taken; one trade may have both of its sides here."""
        self._put("INSERT INTO deals VALUES (?, ?, ?, ?)", market, trade_id, side, slip)

    def put_mode(self, scope: Scope, mode: Mode | None) -> None:
        """Keep a mode, or that it is active again."""
        if mode is None:
            self._put("DELETE FROM modes WHERE flow = ? AND market = ?", *scope)
        else:
            self._put("INSERT OR REPLACE INTO modes VALUES (?, ?, ?, ?)", *scope, *mode)

    def put_baseline(self, market: str, amount: Decimal) -> None:
        """Keep what is there that is none of ours."""
        self._put("INSERT OR REPLACE INTO baselines VALUES (?, ?)", market, f"{amount:f}")

    def put_result(self, result: Result) -> None:
        """Keep what was made."""
        self._put("INSERT OR REPLACE INTO results VALUES (?, ?)", result.quote, pack(result))

    def put_instrument(self, instrument: Instrument) -> None:
        """Keep what is known of a market."""
        self._put(
            "INSERT OR REPLACE INTO instruments VALUES (?, ?)",
            instrument.market, encode(instrument),
        )  # fmt: skip

    def put_flow(self, flow: str, run: str) -> None:
        """Keep that a flow was seen alive."""
        self._put("INSERT OR IGNORE INTO flows VALUES (?, ?)", flow, run)

    def put_offset(self, at: Position) -> None:
        """Keep that the queue was read up to a message."""
        self._put("INSERT OR REPLACE INTO offsets VALUES (?, ?)", at.partition, at.offset + 1)

    def put_unread(self, reject: Reject) -> None:
        """Keep a message that could not be read."""
        at = reject.at or Position("", 0)
        self._put(
            "INSERT OR REPLACE INTO unread VALUES (?, ?, ?, ?)",
            at.partition, at.offset, reject.why, reject.payload,
        )  # fmt: skip

    def put_word(self, event: Report | Command) -> None:
        """Keep what is to be told; a report gets its number."""
        self._number += 1
        if isinstance(event, Report):
            event.number = self._number
        self._put("INSERT INTO words VALUES (?, ?)", self._number, encode(event))
        self._put("UPDATE outbox SET number = ?", self._number)

    def put_first(self, number: int) -> None:
        """Count reports from a number on: of an older copy, some that it forgot were told."""
        self._number = max(self._number, number)
        self._put("UPDATE outbox SET number = ?", self._number)

    def _put(self, query: str, *values: object) -> None:
        self._file.execute(query, values)
