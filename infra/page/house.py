"""All that the page's server is made of, put together once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from infra.page.candles import Candles
from infra.page.desk import Desk, named
from infra.page.feed import Feed
from infra.page.hub import Hub
from infra.page.keys import Keys
from infra.page.orders import Orders
from infra.page.reader import Reader
from infra.page.runs import Runs
from infra.page.sections import Sections
from infra.page.tails import Tails
from infra.settings import Settings

STATIC = Path(__file__).parent / "static"
"""The page itself."""


class House:
    """What there is to show, until it is closed.

    Parameters
    ----------
    settings
        Know the home, and which history.
    keys
        Who may look.
    read_only
        Whether nobody can command from the page.

    """

    def __init__(self, settings: Settings, keys: Keys, *, read_only: bool = False) -> None:
        self.keys, self.read_only = keys, read_only
        self.reader = Reader(settings)
        self.runs = Runs(self.reader)
        self.candles = Candles(self.reader, self.runs)
        self.sections = Sections(self.reader, self.runs)
        self.desk = Desk(settings, self.runs, self._troubles, read_only=read_only)
        self.feed = Feed(self.reader, self.runs, self.desk)
        self.orders = Orders(settings, self.desk)
        self.tails = Tails(settings, self.desk, self.runs)
        self.hub = Hub(self)

    def overview(self) -> dict[str, Any]:
        """Return what is looked at first, as it is now."""
        self.desk.learn()
        return self.desk.now()

    def run(self, run: str) -> dict[str, Any]:
        """Return all that there is to say of a run."""
        [found] = named([self.runs.one(run)], self.desk.flows())
        return found

    def older(self, before: int, limit: int) -> dict[str, Any]:
        """Return runs that began before a time, in milliseconds."""
        found = self.runs.newest(limit + 1, before)
        return {"more": len(found) > limit, "runs": named(found[:limit], self.desk.flows())}

    def book(self, run: str, market: str) -> dict[str, Any]:
        """Return the latest book of a market, from the log if it is followed."""
        told = self.hub.book(run, market)
        return {"book": told if told is not None else self.sections.book(market)}

    def close(self) -> None:
        """Let go of all."""
        self.hub.close()
        self.tails.close()
        self.reader.close()

    def _troubles(self) -> dict[str, str]:
        found = {"log": self.tails.troubles(), "history": self.reader.trouble}
        return {what: why for what, why in found.items() if why}
