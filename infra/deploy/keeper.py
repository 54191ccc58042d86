"""Keeps a flow running: starts it again when it dies, and says each second how it stands."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from multiprocessing.connection import Connection, wait

from connectors.disk import DiskError
from connectors.scrub import scrub
from infra.deploy import status as states
from infra.deploy.child import Child, cause
from infra.deploy.deployment import Place
from infra.deploy.patience import Patience
from infra.deploy.status import Status
from infra.deploy.told import RESTART, At, Failed, Over, Said
from infra.metrics.exporter import Exporter
from infra.notices.notify import Notifier
from infra.running.far import Far
from infra.verify.regular import Regular

GAVE_UP = 3
"""The exit code that asks nobody to start it again."""
_SAY_SECONDS = 1.0
_HANGS_SECONDS = 20.0
"""A process tells how far it is each second, also while it drains."""


class Keeper:
    """Keeps the flow of one deployment running.

    Parameters
    ----------
    place
        The deployment's.
    patience
        How often, and after which delays, it is started again.
    log
        Takes what there is to say.
    exporter
        Publishes how it is.
    notifier
        Tells people what they should know.
    checkpoints
        Keeps what the flow has kept, every so often.

    """

    def __init__(
        self, place: Place, patience: Patience, log: logging.Logger, exporter: Exporter,
        notifier: Notifier, checkpoints: Regular,
    ) -> None:  # fmt: skip
        self.place, self.log = place, log
        self._patience, self._exporter, self._notifier = patience, exporter, notifier
        self._checkpoints = checkpoints
        self._fars: Sequence[Far] = ()
        port = exporter.start()
        self._status = replace(
            _before(place), pid=os.getpid(), metrics_port=port, version=version("tapedeck")
        )
        self._signals = 0
        self._child: Child | None = None
        self._next_child: Child | None = None
        """Gets ready while the present one goes on: it is to take its place."""
        self._leaves = self._began = False
        self._silent_since: float | None = None
        """When the child was told to drain, or spoke last since; None if it was not told."""
        self._next = 0.0
        self._woken = self._hear_signals()

    def run(self) -> int:
        """Run it until it is stopped, finishes or cannot be kept running; return the exit code."""
        self._say(states.STARTING)
        crashed = False
        while True:
            begun = time.monotonic()
            end = self._live(crashed)
            if isinstance(end, Over) and (end.finished or self._signals):
                return self._end(states.FINISHED if end.finished else states.STOPPED)
            if self._signals:
                return self._end(states.STOPPED)
            if isinstance(end, Over) and self._next_child is not None:
                crashed = False
                continue  # it has made room
            failed = end if isinstance(end, Failed) else Failed("somebody else stopped it")
            why, crashed = failed.why, failed.crash
            delay = self._patience.delay(time.monotonic() - begun) if failed.again else None
            if delay is None:
                return self._end(states.FAILED, why)
            self.log.warning("starts again in %g s: %s", delay, why)
            self._notifier.tell("restart", f"starts again: {_short(why)}")
            self._say(states.RESTARTING, why=_short(why), restarts=self._status.restarts + 1)
            if self._paused(delay):
                return self._end(states.STOPPED)

    def _live(self, crashed: bool) -> Over | Failed:
        """Let a child run the flow to its end."""
        child = self._child = self._next_child or Child(self.place.name)
        self._next_child, self._leaves, self._began = None, False, False
        self._silent_since = None
        child.go(crashed)
        end: Over | Failed | None = None
        try:
            while True:
                self._await([*child.watched, *self._awaited(), self._woken])
                self._make_room(child)
                self._end_if_it_hangs(child)
                for line in child.printed():
                    self.log.info(line)
                for message in child.heard():
                    if isinstance(message, Over | Failed):
                        end = message
                    elif isinstance(message, At):
                        self._at(message)
                    elif isinstance(message, Said):
                        self.log.warning(message.text)
        except EOFError:
            for line in child.printed():
                self.log.info(line)
        finally:
            self._child = None
            ended = child.bury()
        for line in end.lines if isinstance(end, Over) else ():
            self.log.warning(line)
        return end or Failed(f"it died: {cause(ended)}", crash=True)

    def _awaited(self) -> list[Connection]:
        """Return what tells that the next process is ready, as long as nobody made room for it."""
        return [] if self._leaves or self._next_child is None else [self._next_child.told]

    def _make_room(self, child: Child) -> None:
        """Let the present process drain as soon as the next one is ready."""
        if self._awaited() and self._next_child is not None and self._next_child.ready:
            self._leaves = True
            self.log.info("makes room for another process")
            self._say(states.RESTARTING)
            self._drain(child)

    def _drain(self, child: Child) -> None:
        child.stop()
        self._silent_since = time.monotonic()

    def _end_if_it_hangs(self, child: Child) -> None:
        """Kill a process that was to drain and says nothing: what it kept is whole."""
        if self._silent_since is None or time.monotonic() - self._silent_since < _HANGS_SECONDS:
            return
        self._silent_since = None
        self.log.warning("hangs: it was to drain and said nothing for %g s; killed", _HANGS_SECONDS)
        child.kill()

    def _at(self, at: At) -> None:
        at_work = states.RESTARTING if self._leaves else states.RUNNING
        state = states.STOPPING if self._signals else at_work
        if not self._began:
            self._began = True
            self._status = replace(self._status, begun=time.time_ns())
        if state != self._status.state:
            self.log.info("run %s, process %s", at.run, ", ".join(map(str, at.processes)))
        self._fars = at.fars
        if self._silent_since is not None:
            self._silent_since = time.monotonic()
        told = {**states.standing(at.fars), "heard": time.time_ns()}
        self._status = replace(self._status, run=at.run, processes=at.processes, **told)  # type: ignore[arg-type]
        if state != self._status.state:
            self._say(state)
        self._checkpoints.look()

    def _await(self, watched: Sequence[object]) -> None:
        """Wait until something is to be looked at; say meanwhile that we live."""
        left = self._next - time.monotonic()
        if left <= 0:
            self._say(self._status.state)
            left = _SAY_SECONDS
        if self._woken in wait(watched, left):  # type: ignore[arg-type]
            self._obey(os.read(self._woken, 1)[0])

    def _obey(self, number: int) -> None:
        """Drain at the first signal, end at once at the second; but one asks for a new start."""
        if number == RESTART:
            if self._child is not None and self._next_child is None:
                self._next_child = Child(self.place.name)
            return
        self._signals += 1
        if self._signals == 1:
            self.log.info("stops")
            self._say(states.STOPPING)
        if self._child is not None:
            self._drain(self._child) if self._signals == 1 else self._child.kill()

    def _paused(self, seconds: float) -> bool:
        """Wait; whether it is to stop meanwhile."""
        until = time.monotonic() + seconds
        while not self._signals and time.monotonic() < until:
            self._next = min(self._next, until)
            self._await([self._woken])
        return bool(self._signals)

    def _say(self, state: str, **told: object) -> None:
        now = time.time_ns()
        since = self._status.since if state == self._status.state else now
        self._status = replace(self._status, state=state, since=since, said=now, **told)  # type: ignore[arg-type]
        self._next = time.monotonic() + _SAY_SECONDS
        with suppress(DiskError):  # a full disk stops the flow, if anything does
            states.save(self.place.status, self._status)
        self._exporter.show(self._status, self._fars)

    def _end(self, state: str, why: str = "") -> int:
        self._fars = ()
        if self._next_child is not None:
            self._next_child.bury()
        self._say(state, processes=(), why=_short(why) if why else self._status.why)
        failed = state == states.FAILED
        self.log.log(logging.ERROR if failed else logging.INFO, f"{state} {why}".strip())
        if state in (states.FAILED, states.FINISHED):
            self._notifier.tell(state, f"{state} {_short(why)}".strip())
        return GAVE_UP if failed else 0

    def _hear_signals(self) -> int:
        """Return what can be waited for: a byte comes with each signal."""
        heard, told = os.pipe()
        os.set_blocking(told, False)
        signal.set_wakeup_fd(told)
        for number in (signal.SIGTERM, signal.SIGINT, RESTART):
            signal.signal(number, lambda _number, _frame: None)
        return heard


def _before(place: Place) -> Status:
    """Return how it begins: if the parent before died, that counts as one more start."""
    before = states.load(place.status)
    if before is None or before.state not in states.UP:
        return Status(states.STARTING)
    return Status(states.STARTING, restarts=before.restarts + 1, why="its parent died")


def _short(why: str) -> str:
    """Return the last line of a text, which of a traceback is what happened."""
    return scrub(why.strip().splitlines()[-1]) if why.strip() else ""
