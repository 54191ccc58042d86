"""The ends of logs that are followed: of each log one, as long as somebody looks at its markets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from connectors.log.log import Log
from connectors.log.sqlite_log import SqliteLog
from infra.deploy.deployment import KAFKA, REPLAY, Place
from infra.log.places import place
from infra.page.desk import Desk
from infra.page.forming import Latest
from infra.page.runs import Runs, width
from infra.page.tail import Tail
from infra.settings import Settings

if TYPE_CHECKING:
    from infra.page.topic import Topic


class Tails:
    """The ends of this installation's logs.

    Parameters
    ----------
    settings
        Know where they are.
    desk, runs
        Know which run reads which.

    """

    def __init__(self, settings: Settings, desk: Desk, runs: Runs) -> None:
        self._settings, self._desk, self._runs = settings, desk, runs
        self._tails: dict[str, Tail] = {}
        self._lock = Lock()

    def follow(self, topic: Topic) -> None:
        """Have a topic know what comes in its market, if a log tells that."""
        if topic.tail is not None or (name := self._name(topic.key.run)) is None:
            return
        with self._lock:
            if not topic.viewers:
                return  # they went meanwhile
            tail = self._tails.get(name)
            if tail is None:
                tail = self._tails[name] = Tail(self._opener(name))
                tail.start()
            topic.latest = Latest(topic.key.market, width(topic.kind or ""))
            tail.watch(topic.latest)
            topic.tail = tail

    def forget(self, topic: Topic) -> None:
        """Let a topic be: nobody looks at it any more."""
        with self._lock:
            tail = topic.tail
            if tail is None or topic.latest is None or not tail.forget(topic.latest):
                return
            self._tails = {name: one for name, one in self._tails.items() if one is not tail}
        tail.close()

    def troubles(self) -> str:
        """Return why logs cannot be read, if they cannot."""
        with self._lock:
            return "; ".join(tail.trouble for tail in self._tails.values() if tail.trouble)

    def close(self) -> None:
        """Follow none any more."""
        with self._lock:
            tails, self._tails = self._tails, {}
        for tail in tails.values():
            tail.close()

    def _name(self, run: str) -> str | None:
        """Return where the tape of a run is told, if it goes on."""
        market_log = str(self._settings.home / "log")
        flow = self._desk.of(run)
        if flow is None:  # not deployed: somebody may have it in a terminal
            return market_log if self._runs.trades(run) else None
        if not flow.runs:
            return None
        if flow.deployment.kind == REPLAY:
            return str(Place(self._settings.home, flow.deployment.name).tape)
        return KAFKA if flow.deployment.kind == KAFKA else market_log

    def _opener(self, name: str) -> Callable[[], Log]:
        if name == KAFKA:
            return place(self._settings, kafka=True).log
        return lambda: SqliteLog(Path(name))
