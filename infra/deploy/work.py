"""The process that runs a deployment's flow, as `deck trade` would; its parent starts it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from multiprocessing import active_children
from multiprocessing.connection import Connection
from pathlib import Path

from connectors.disk import DiskError
from connectors.log.log import LogError, LostError
from connectors.scrub import scrubbed
from infra.deploy.crashes import Crashes
from infra.deploy.deployment import KAFKA, REPLAY, DeployError, Place
from infra.deploy.job import job_of
from infra.deploy.remedy import remedied
from infra.deploy.told import CRASHED, At, Failed, Over, Ready, Said
from infra.lock import Busy, Lock
from infra.log.places import place as place_of
from infra.recovery.reached import reached
from infra.recovery.starts import Start
from infra.recovery.store import StoreError
from infra.running import flowfile, report
from infra.running.far import Far
from infra.running.flowfile import FlowError
from infra.running.problems import ReplayError, explained
from infra.running.replay import replay
from infra.screen import Misused
from infra.secrecy import keep_secrets
from infra.settings import Settings
from infra.verify.regular import keep_end

_SAY_SECONDS = 0.5
_PREDECESSOR_SECONDS = 30.0
_ORPHAN_SECONDS = 15.0
"""How long one whose parent died has to drain."""


class Teller:
    """Tells the parent how far the flow is, now and then, and at once what else there is.

    Parameters
    ----------
    pipe
        The parent's.
    place
        Knows the run.

    """

    def __init__(self, pipe: Connection, place: Place) -> None:
        self._pipe, self._place = pipe, place
        self._lock, self._next = threading.Lock(), 0.0

    def watch(self, fars: list[Far]) -> None:
        """Take note of how far it is."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _SAY_SECONDS
            self.at(fars)

    def at(self, fars: list[Far]) -> None:
        """Tell how far it is."""
        pids = (child.pid for child in active_children())
        own = (os.getpid(), *(pid for pid in pids if pid is not None))
        self.tell(At(self._place.run, fars, own))

    def tell(self, message: Ready | At | Said | Over | Failed) -> None:
        """Tell it."""
        with self._lock, suppress(OSError):  # the parent is dead, and we are ending
            self._pipe.send(message)


def main(name: str, descriptor: int) -> int:
    """Run a deployment's flow until TERM, or until its tape ends; return how it went.

    Parameters
    ----------
    name
        The deployment's.
    descriptor
        The pipe to the parent.

    """
    keep_secrets()
    settings = Settings.from_environment()
    place = Place(settings.home, name)
    with closing(Connection(descriptor, readable=False)) as pipe:
        teller = Teller(pipe, place)
        word = _ready(place, teller)
        if not word:
            return 1  # the parent is dead
        crashed = word == CRASHED
        threading.Thread(target=_outlive_nobody, daemon=True).start()
        try:
            with explained(resumable=True), closing(_alone(place)):
                if crashed:
                    _check_crashes(place)
                over = _run(place, settings, teller)
        except (ReplayError, Misused) as error:
            teller.tell(_failed(error))
            return 1
        except BaseException as error:  # noqa: BLE001 - the parent tells it
            teller.tell(Failed(scrubbed(error), crash=True))
            return 1
        teller.tell(over)
    return 0


def _ready(place: Place, teller: Teller) -> bytes:
    """Import what the flow needs, say so, and wait until the one before has made room."""
    with suppress(FlowError, DeployError):  # it is told when it is to run
        flowfile.load(Path(place.asked().flow))
    teller.tell(Ready())
    return os.read(0, 1)


def _run(place: Place, settings: Settings, teller: Teller) -> Over:
    deployment = place.asked()
    job = job_of(deployment, place, settings)
    if deployment.kind != REPLAY:
        place_of(
            settings, deployment.kind == KAFKA
        ).log().close()  # whoever feeds it may come later
    latest: list[list[Far]] = [[]]

    def watch(fars: list[Far]) -> None:
        latest[0] = fars
        teller.watch(fars)

    tell: Callable[[str], None] = lambda line: teller.tell(Said(line))  # noqa: E731
    keep_end(place.store, Start.now(flowfile.load(job.flow).code_version, "").code)
    done = replay(job, place.store, None, watch, tell)
    teller.at(latest[0])
    finished = done.finished and not job.origin.endless
    return Over(finished, report.troubles(done, kept=job.history))


def _check_crashes(place: Place) -> None:
    """See that it does not die of the same events again and again.

    Raises
    ------
    DeployError
        When it does.

    """
    asked = place.asked()
    positions: dict[str, int] = {}
    with suppress(StoreError):  # whoever opens the store tells what is wrong with it
        flow = Path(asked.flow).stem
        found = reached(place.store, flow, asked.processes) if place.run else {}
        positions = {part: state["first"] for part, state in found.items()}
    if Crashes(place.directory).note(positions):
        raise DeployError(
            f"{place.name} crashed again and again at one place of its log: deck logs {place.name} "
            f"says how; mend it, then deck restart {place.name}"
        )


def _failed(error: BaseException) -> Failed:
    """Return what to tell of an error: whether it may be over at the next start."""
    if isinstance(error, ReplayError) and error.__cause__ is None:
        return Failed(str(error), crash=True)  # one of its processes died
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, DiskError | LogError):
        cause = cause.__cause__ or cause.__context__
    again = cause is not None and not isinstance(cause, LostError)
    return Failed(remedied(str(error)), again)


def _alone(place: Place) -> Lock:
    """Wait for the one before, whose parent may have died: it is ending."""
    deadline = time.monotonic() + _PREDECESSOR_SECONDS
    while True:
        with suppress(Busy):
            return Lock(place.directory / "work.lock")
        if time.monotonic() > deadline:
            raise ReplayError(f"{place.name}: another process still runs it")
        time.sleep(0.02)


def _outlive_nobody() -> None:
    """Drain when the parent dies: it holds the other end of our input."""
    with suppress(OSError):
        while os.read(0, 1):
            pass
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)  # nobody reads it, and it must not fill
    os.dup2(nowhere, 2)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_ORPHAN_SECONDS)
    os._exit(1)
