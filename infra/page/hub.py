"""Looks at what changes, once for all viewers, and only while there are any."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from connectors.scrub import scrubbed
from infra.page.body import packed
from infra.page.refusal import BUSY, HISTORY_DOWN, NOT_FOUND, Refusal
from infra.page.topic import Key, Topic
from infra.page.viewer import Viewer

if TYPE_CHECKING:
    from infra.page.house import House

_VIEWERS, _TOPICS = 32, 16
_DESK_SECONDS, _LOOK_SECONDS, _PULSE_SECONDS = 1.0, 0.25, 0.2
_PATIENCE_SECONDS = 3.0
_log = logging.getLogger("tapedeck.page")


class Hub:
    """All who look, and what they look at, until it is closed.

    Parameters
    ----------
    house
        Asks what there is to show.

    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._viewers: set[Viewer] = set()
        self._topics: dict[Key, Topic] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._desk = b""
        self.troubles: dict[str, str] = {}
        """What of ours is down, and why."""
        self._threads = [
            threading.Thread(target=self._each, args=(seconds, work), name="page", daemon=True)
            for seconds, work in (
                (_DESK_SECONDS, house.desk.learn),
                (_DESK_SECONDS, self._look_at_desk),
                (_LOOK_SECONDS, self._look_at_topics),
                (_PULSE_SECONDS, self._pulse),
            )
        ]

    @property
    def over(self) -> bool:
        """Whether nobody looks any more."""
        return self._over.is_set()

    def start(self) -> None:
        """Look from now on."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let all who look go."""
        self._over.set()
        for viewer in [*self._viewers]:
            viewer.wake()

    def close(self) -> None:
        """Look no more."""
        self.end()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_PATIENCE_SECONDS)  # history may be slow to answer it

    def book(self, run: str, market: str) -> dict[str, Any] | None:
        """Return the book that was seen last in the log, if somebody looks at its market."""
        with self._lock:
            topics = [*self._topics.values()]
        for topic in topics:
            if topic.key[:2] == (run, market) and topic.latest is not None:
                return topic.latest.book()
        return None

    @contextmanager
    def watched(self, viewer: Viewer, key: Key | None) -> Iterator[None]:
        """Let a viewer look at the desk, and at a market of a run if it is named.

        Raises
        ------
        Refusal
            When there are too many already.

        """
        topic = self._enter(viewer, key)
        try:
            yield
        finally:
            self._leave(viewer, topic)

    def _enter(self, viewer: Viewer, key: Key | None) -> Topic | None:
        with self._lock:
            if len(self._viewers) >= _VIEWERS:
                raise Refusal(BUSY, f"{_VIEWERS} pages look already: close one")
            topic = self._topics.get(key) if key is not None else None
            if key is not None and topic is None:
                if len(self._topics) >= _TOPICS:
                    raise Refusal(BUSY, f"{_TOPICS} markets are looked at already: close a page")
                topic = self._topics[key] = Topic(key, self._house)
            if not self._viewers:
                self._desk = b""  # of when somebody looked last: that may be long ago
            self._viewers.add(viewer)
            if topic is not None:
                topic.viewers.add(viewer)
                viewer.fresh = topic.fresh()
            told = {} if topic is None else dict(topic.told)
        for name, body in {**({"desk": self._desk} if self._desk else {}), **told}.items():
            viewer.put(name, body)
        for what, why in [*self.troubles.items()]:
            viewer.put(f"trouble {what}", _trouble(what, why))
        return topic

    def _leave(self, viewer: Viewer, topic: Topic | None) -> None:
        with self._lock:
            self._viewers.discard(viewer)
            if topic is None:
                return
            topic.viewers.discard(viewer)
            gone = not topic.viewers
            if gone:
                self._topics.pop(topic.key, None)
        if gone:
            self._house.tails.forget(topic)

    def _each(self, seconds: float, work: Callable[[], None]) -> None:
        said = ""
        while not self._over.wait(seconds):
            if not self._viewers:
                continue
            try:
                work()
            except Exception as error:  # noqa: BLE001 - a page that stands still would tell nobody
                # Once, not each second; and not what is cut off at the end.
                if said != (said := repr(error)) and not self._over.is_set():
                    _log.error("%s", scrubbed(error))

    def _look_at_desk(self) -> None:
        desk = self._house.desk.now()
        del desk["now"]  # lest it differ each time
        for what in ("history", "log"):
            self._trouble(what, desk[what]["why"])
        self._trouble("flow", self._bad_flows())
        text = packed({**desk, "csrf": self._house.keys.csrf})
        if text != self._desk:
            self._desk = text
            for viewer in [*self._viewers]:
                viewer.put("desk", text)

    def _look_at_topics(self) -> None:
        with self._lock:
            topics = [*self._topics.values()]
        for topic in topics:
            try:
                topic.look(time.monotonic())
            except Refusal as refusal:
                if refusal.code not in (HISTORY_DOWN, NOT_FOUND, BUSY):
                    raise

    def _pulse(self) -> None:
        with self._lock:
            topics = [*self._topics.values()]
        for topic in topics:
            topic.pulse()

    def _bad_flows(self) -> str:
        """Return what is wrong with the flows that are looked at."""
        with self._lock:
            runs = {key.run for key in self._topics}
        found = [flow for run in runs if (flow := self._house.desk.of(run)) is not None]
        return "; ".join(
            f"{flow.deployment.name} is {flow.state}: {flow.why}" for flow in found if flow.bad
        )

    def _trouble(self, what: str, why: str) -> None:
        if self.troubles.get(what, "") == why:
            return
        if why:
            self.troubles[what] = why
        else:
            self.troubles.pop(what, None)
        for viewer in [*self._viewers]:
            viewer.put(f"trouble {what}", _trouble(what, why))


def _trouble(what: str, why: str) -> bytes:
    return packed({"what": what, "up": not why, "message": why})
