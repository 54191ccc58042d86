"""Verify a run: its stretches that have no good receipt yet, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from connectors.history.journal import waiting
from connectors.log.log import LostError
from infra.history.history import History
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
from infra.verify.receipt import Receipt, Receipts, note
from infra.verify.recut import recut
from infra.verify.spot import Found, found_at
from infra.verify.stretch import Stretch, Unverifiable, ends, numbers, places, stretches

_PATIENCE_SECONDS = 30.0
"""How long history has to take in what a run had concluded when it was looked at."""


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

    """

    stretch: Stretch
    receipt: Receipt | None = None
    lost: str = ""
    first: tuple[Differing, Found | None] | None = None


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
        points = self._book.kept()
        now = self._book.take("verify")
        if now is None:
            raise Unverifiable(
                f"{self.run.store} has no snapshot yet: wait a second, or let it run"
            )
        self._await_history()
        found = stretches(self.run, [*points, now], self.log)
        if again:
            return found
        good = [one for one in self.receipts.all() if one.run == self.run.run and one.identical]
        return [one for one in found if not _covered(one, good)]

    def verify(self, stretch: Stretch, watch: Watcher) -> Outcome:
        """Verify a stretch, and keep its receipt.

        Raises
        ------
        ReplayError
            When it cannot be replayed for another reason than that the log is too short.
        HistoryError
            When history cannot be read.

        """
        with TemporaryDirectory() as made:
            place = Path(made)
            try:
                events = stretch.again(place, watch)
            except ReplayError as error:
                if isinstance(error.__cause__, LostError):
                    return Outcome(stretch, lost=str(error))
                raise
            compared = self._compared(stretch, events)
            state, spot = ends(stretch, place)
        difference: dict[str, Any] = {}
        first = None
        if compared.first is not None:
            reached = found_at(stretch, compared.first.market, compared.first.ts)
            first = compared.first, reached
            where = reached._asdict() if reached else {}
            difference = {"what": "event", **compared.first.said(), "log": where}
        elif spot is not None:
            difference = {"what": "state", **spot._asdict()}
        receipt = self._receipt(stretch, compared, state, difference)
        self.receipts.keep(receipt)
        return Outcome(stretch, receipt, first=first)

    def tidy(self) -> None:
        """Remove the checkpoints that were only taken to verify, but for the last."""
        self._book.thin(len(self._book.kept()))

    def _points(self) -> list[Checkpoint]:
        """Return the checkpoints there are, and one of now if anything came since the last."""
        points, now = self._book.kept(), self._book.take(VERIFY)
        if now is None:
            raise Unverifiable(f"{self.run.store} has no snapshot yet: wait, or let it run")
        if points and places(points[-1]) == places(now):
            self._book.drop(now)
            return points
        return [*points, now]

    def _compared(self, stretch: Stretch, events: Path) -> Compared:
        since, until = numbers(stretch.since), numbers(stretch.until)
        if not self.run.history:
            return compare(events, None, since, until)
        with closing(History(self.settings).client("reader")) as client:
            kept = Kept(client, {"flow": self.run.flow, "run": self.run.run})
            return compare(events, kept, since, until)

    def _receipt(
        self, stretch: Stretch, compared: Compared, state: bytes, difference: dict[str, Any]
    ) -> Receipt:
        since, until = stretch.since, stretch.until
        candles, wrong = self._recut(stretch) if not difference else (0, None)
        ran = (since or until).tapedeck
        receipt = Receipt(
            self.run.flow, self.run.run, self.name, time.time_ns(),
            since.name if since else "", until.name,
            since.at if since else self.run.started, until.at,
            (self.log or self.run.log).option, stretch.positions,
            {
                "flow": stretch.flow_hash, "tapedeck": ran,
                "replayed_with": Start.now("", "").tapedeck,
            },
            compared.events, compared.digest, state.hex(), candles,
            difference or ({"what": "candle", **wrong} if wrong else {}),
        )  # fmt: skip
        if self.run.history:
            with closing(History(self.settings).client("writer")) as client:
                note(client, receipt)
        return receipt

    def _recut(self, stretch: Stretch) -> tuple[int, dict[str, Any] | None]:
        """Make the candles again in SQL; none, where history has not the trades."""
        if not self.run.history:
            return 0, None
        since, until = numbers(stretch.since), numbers(stretch.until)
        whose = {"flow": self.run.flow, "run": self.run.run}
        with closing(History(self.settings).client("reader")) as client:
            found = recut(client, whose, stretch.positions, since, until)
        return (found.candles, found.first) if found else (0, None)

    def _await_history(self) -> None:
        """Wait until history has what the run had concluded by now."""
        there = {entry.path for one in journals(self.run.store) for entry in waiting(one)}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while any(path.exists() for path in there) and time.monotonic() < deadline:
            time.sleep(0.05)


def _covered(stretch: Stretch, receipts: Iterable[Receipt]) -> bool:
    """Tell whether good receipts, one behind the other, reach over a stretch."""
    reached = stretch.since.at if stretch.since else stretch.run.started
    for receipt in sorted(receipts, key=lambda one: one.since_at):
        if receipt.since_at <= reached:
            reached = max(reached, receipt.until_at)
    return reached >= stretch.until.at
