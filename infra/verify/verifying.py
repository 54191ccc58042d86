"""Verify a run: its stretches that have no good receipt yet, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clickhouse_connect.driver.client import Client

from connectors.history.journal import waiting
from connectors.log.log import LostError
from infra.history.history import History
from infra.lock import Busy
from infra.recovery.starts import Start
from infra.running.problems import ReplayError
from infra.running.replay import Watcher
from infra.running.scratch import journals
from infra.settings import Settings
from infra.verify.as_read import AnyLog
from infra.verify.checkpoints import VERIFY, Checkpoint, Checkpoints
from infra.verify.compare import Compared, Differing, compare
from infra.verify.parity import Kept
from infra.verify.past_run import PastRun
from infra.verify.raw import Odd
from infra.verify.receipt import Receipt, Receipts, note
from infra.verify.sameness import Spot
from infra.verify.spot import Found, found_at
from infra.verify.stored import Stored, stored
from infra.verify.stretch import (
    Stretch,
    Unverifiable,
    ends,
    numbers,
    places,
    stretches,
    went_on,
)  # fmt: skip

_PATIENCE_SECONDS = 30.0
"""How long history has to take in what a run had concluded when it was looked at."""
_KEPT_OUT = Stored(unseen="events, trades and candles: the run is kept out of history")


@dataclass(frozen=True)
class Outcome:
    """What became of one stretch.

    Parameters
    ----------
    stretch
        Which one.
    receipt
        What was found; None if it cannot be replayed.
    lost
        Why not.
    first
        The first event that differs, and where the log reaches it.
    odd
        The first trade that history has not as the log has it.

    """

    stretch: Stretch
    receipt: Receipt | None = None
    lost: str = ""
    first: tuple[Differing, Found | None] | None = None
    odd: Odd | None = None


class Verifying:
    """Verifies one run.

    Parameters
    ----------
    run
        The run; it may be at work.
    name
        What its deployment or store is called.
    log
        Where its log is read; None is where it read it.
    settings
        Whose history it is in.

    """

    def __init__(self, run: PastRun, name: str, log: AnyLog | None, settings: Settings) -> None:
        self.run, self.name, self.log, self.settings = run, name, log, settings
        self.receipts = Receipts(run.store)
        self._book = Checkpoints(run.store)

    @contextmanager
    def alone(self) -> Iterator[Verifying]:
        """See that nobody else verifies it, and that no checkpoint goes meanwhile.

        Raises
        ------
        Unverifiable
            When somebody does.

        """
        try:
            held = self._book.held()
        except Busy:
            raise Unverifiable(f"{self.name} is being verified already: wait for it") from None
        with closing(held):
            yield self

    def stretches(self, *, again: bool = False) -> list[Stretch]:
        """Return what is to be verified: from the first that has no good receipt on, till now.

        Parameters
        ----------
        again
            All, from the run's beginning on.

        Raises
        ------
        Unverifiable
            When the run has kept nothing yet.

        """
        found = stretches(self.run, self._points(), self.settings, self.log)
        self._await_history()
        if again:
            return found
        made = [one for one in self.receipts.all() if one.run == self.run.run]
        return [one for one in found if not _covered(one, made)]

    def verify(self, stretch: Stretch, watch: Watcher) -> Outcome:
        """Verify a stretch, and keep its receipt.

        Raises
        ------
        ReplayError
            When it cannot be replayed for another reason than that the log is too short.
        HistoryError
            When history cannot be read.

        """
        with TemporaryDirectory() as made, self._reader() as client:
            place = Path(made)
            try:
                events = stretch.again(place, watch)
            except ReplayError as error:
                if isinstance(error.__cause__, LostError):
                    return Outcome(stretch, lost=str(error))
                raise
            since, until = numbers(stretch.since), numbers(stretch.until)
            whose = {"flow": self.run.flow, "run": self.run.run}
            compared = compare(events, Kept(client, whose) if client else None, since, until)
            state, spot = ends(stretch, place)
            kept = stored(stretch, client) if client else _KEPT_OUT
        first = None
        if compared.first is not None:
            first = compared.first, found_at(stretch, compared.first.market, compared.first.ts)
        receipt = self._receipt(stretch, compared, state, kept, _difference(first, spot, kept))
        self._keep(receipt)
        return Outcome(stretch, receipt, first=first, odd=kept.odd)

    def tidy(self) -> None:
        """Remove the checkpoints that were only taken to verify, but for the last."""
        self._book.thin(len(self._book.kept()))

    def _points(self) -> list[Checkpoint]:
        """Return the checkpoints there are, and one of now if anything came since the last."""
        points = went_on(self._book.kept(), self.run.starts)
        now = self._book.take(VERIFY)
        if now is None:
            raise Unverifiable(f"{self.run.store} has no snapshot yet: wait, or let it run")
        if points and places(points[-1]) == places(now):
            self._book.drop(now)
            return points
        return [*points, now]

    def _receipt(
        self, stretch: Stretch, compared: Compared, state: bytes, kept: Stored,
        difference: dict[str, Any],
    ) -> Receipt:  # fmt: skip
        since, until = stretch.since, stretch.until
        code = {
            "flow": stretch.flow_hash, "tapedeck": (since or until).tapedeck,
            "replayed_with": Start.now("", "").tapedeck,
        }  # fmt: skip
        return Receipt(
            self.run.flow, self.run.run, self.name, time.time_ns(),
            since.name if since else "", until.name,
            since.at if since else self.run.started, until.at,
            stretch.origin.option, stretch.positions, code, compared.events, compared.digest,
            state.hex(), kept.trades, kept.candles, kept.unseen, difference,
        )  # fmt: skip

    def _keep(self, receipt: Receipt) -> None:
        self.receipts.keep(receipt)
        if self.run.history:
            with closing(History(self.settings).client("writer")) as client:
                note(client, receipt)

    @contextmanager
    def _reader(self) -> Iterator[Client | None]:
        """Give what reads history; nothing, if the run is not kept there."""
        if not self.run.history:
            yield None
            return
        with closing(History(self.settings).client("reader")) as client:
            yield client

    def _await_history(self) -> None:
        """Wait until history has what the run had concluded by now."""
        there = {entry.path for one in journals(self.run.store) for entry in waiting(one)}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while any(path.exists() for path in there) and time.monotonic() < deadline:
            time.sleep(0.05)


def _difference(
    first: tuple[Differing, Found | None] | None, spot: Spot | None, kept: Stored
) -> dict[str, Any]:
    """Return what differs: an event, the end state, a stored trade, or a candle made of those."""
    if first is not None:
        event, place = first
        return {"what": "event", **event.said(), "log": place._asdict() if place else None}
    if spot is not None:
        return {"what": "state", **spot._asdict()}
    if kept.odd is not None:
        return {"what": "trade", **kept.odd._asdict()}
    if kept.candle is not None:
        return {"what": "candle", **kept.candle}
    return {}


def _covered(stretch: Stretch, receipts: Iterable[Receipt]) -> bool:
    """Tell whether good receipts, one behind the other, reach over a stretch.

    What was found to differ later on is looked at again.
    """
    reached = begun = stretch.since.at if stretch.since else stretch.run.started
    own = [one for one in receipts if one.since_at < stretch.until.at and one.until_at > begun]
    differed = max((one.at for one in own if not one.identical), default=0)
    for receipt in sorted(own, key=lambda one: one.since_at):
        if receipt.at > differed and receipt.since_at <= reached:
            reached = max(reached, receipt.until_at)
    return reached >= stretch.until.at
