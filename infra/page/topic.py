"""What is told of one market of one run, worked out once for all who look at it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from infra.page.body import packed
from infra.page.candles import Page
from infra.page.forming import Latest
from infra.page.news import News
from infra.page.refusal import Refusal
from infra.page.ring import Ring
from infra.page.runs import width

if TYPE_CHECKING:
    from infra.page.house import House
    from infra.page.tail import Tail
    from infra.page.viewer import Told, Viewer

_EVERY = {"positions": 1.0, "signals": 1.0, "equity": 3.0, "model": 10.0, "troubles": 2.0}
"""How often, at most, a part is asked for that keeps changing; in seconds."""
_FEED_SECONDS = 5.0
_FIRST, _MOST, _OVERLAP = 300, 500, 3
_SHARE = 5
"""Of its time a topic asks history for one part in so many, about."""
_COST = 10
"""So many times as long as a part took it is left alone, at least."""
_LOOK_SECONDS, _LONGEST_SECONDS = 1.0, 5.0


class Key(NamedTuple):
    """What is looked at."""

    run: str
    market: str
    kind: str | None


class Topic:
    """A market of a run, while somebody looks at it.

    Parameters
    ----------
    key
        Which one it is.
    house
        Asks what there is to show.

    """

    def __init__(self, key: Key, house: House) -> None:
        self.key, self._house = key, house
        self.viewers: set[Viewer] = set()
        self.ring = Ring()
        self.told: dict[str, bytes] = {}
        """What was told last, by name."""
        self.latest: Latest | None = None
        self.tail: Tail | None = None
        self.kind, self._more = key.kind, False
        self._news: News | None = None
        self._wanted: dict[str, float] = {}
        """Parts that have changed, and when they may be asked for."""
        self._due = 0.0
        self._feed = 0.0
        self._changes = -1

    def look(self, now: float) -> None:
        """Ask history what is new, if it is time, and tell it.

        Raises
        ------
        Refusal
            When history cannot be reached.

        """
        if now < self._due:
            return
        began = time.monotonic()
        try:
            self._look(now)
        except Refusal:
            self._news = None  # all is asked for anew
            raise
        finally:
            took = time.monotonic() - began
            self._due = now + min(max(_LOOK_SECONDS, _SHARE * took), _LONGEST_SECONDS)

    def pulse(self) -> None:
        """Tell the price, the candle in the making and the book, if they have changed."""
        latest = self.latest
        if latest is None or latest.changes == self._changes:
            return
        self._changes = latest.changes
        self.tell("tick", latest.tick())
        if (book := latest.book()) is not None:
            self.tell("book", {"book": book})

    def tell(self, name: str, body: object) -> None:
        """Tell all who look, if it is not what they know."""
        text = packed(body)
        if self.told.get(name) != text:
            self.told[name] = text
            for viewer in [*self.viewers]:
                viewer.put(name, text)

    def fresh(self) -> Callable[[], Told | None]:
        """Return what gives one viewer the candles that it does not have."""
        seen = 0

        def candles() -> Told | None:
            nonlocal seen
            number, lost, rows, averages = self.ring.since(seen)
            if not rows and not lost:
                return None
            seen = number
            kind = self.kind or ""
            body = {
                "market": self.key.market, "kind": kind, "step": width(kind), "more": self._more,
                "reset": lost, "candles": rows, "averages": averages,
            }  # fmt: skip
            return "candles", packed(body)

        return candles

    def _look(self, now: float) -> None:
        run, market = self.key.run, self.key.market
        if self._news is None:
            flow = self._house.runs.flow(run)
            whose: dict[str, object] = {"flow": flow, "run": run, "market": market}
            self._news = News(self._house.reader, whose)
        changed = self._news.look()
        if "candles" in changed:
            self._candles()
        for name in _EVERY:
            if name in changed or name not in self.told:
                self._wanted.setdefault(name, now)
        for name in [name for name, due in self._wanted.items() if due <= now]:
            self._ask_for(name, now, again=name in changed)
        if now >= self._feed:
            self._feed = now + _FEED_SECONDS
            self._house.tails.follow(self)
            self.tell("feed", self._house.feed.of(run))
            if self.latest is None or self.latest.book() is None:
                self.tell("book", self._house.book(run, market))

    def _ask_for(self, name: str, now: float, *, again: bool) -> None:
        """Ask for a part, and tell it.

        Once more if it has just changed: it joins tables, of which one may come before another.
        """
        began = time.monotonic()
        self.tell(name, self._part(name))
        took = time.monotonic() - began
        del self._wanted[name]
        if again:
            self._wanted[name] = now + max(_EVERY[name], _COST * took)

    def _part(self, name: str) -> Any:  # noqa: ANN401 - it is JSON
        sections, run, market = self._house.sections, self.key.run, self.key.market
        if name == "equity":
            return sections.equity(run)
        if name == "troubles":
            return sections.troubles(run, None)
        return getattr(sections, name)(run, market)

    def _candles(self) -> None:
        """Take in what is new; if that is much, only the last: the rest can be asked for."""
        run, market, _ = self.key
        after = self.ring.behind(_OVERLAP)
        newest = Page(run, market, self.kind, limit=_FIRST)
        if self.ring.last() < 0:
            found = self._ask(newest)
            self._more = found["more"]
        else:
            found = self._ask(replace(newest, after=after, onward=True, limit=_MOST))
            if found["more"]:
                found, self._more = self._ask(newest), True
                self.ring.skip()
        self.kind = found["kind"]
        if self.latest is not None:
            self.latest.measure(found["step"])
        self.ring.take(found["candles"], found["averages"])
        for viewer in [*self.viewers]:
            viewer.wake()

    def _ask(self, page: Page) -> dict[str, Any]:
        return self._house.candles.page(page)
