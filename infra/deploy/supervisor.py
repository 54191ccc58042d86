"""Keeps programs running when nobody is logged in: PyPI's supervisor, with a home of its own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import xmlrpc.client
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import cast

import orjson
from supervisor.xmlrpc import SupervisorTransport

from connectors.disk import kept
from infra.background import end, ended
from infra.deploy.deployment import DeployError, write
from infra.deploy.launch import LOCK, holder
from infra.deploy.supervisor_files import DRAIN_SECONDS, Program, own, section
from infra.secrecy import without_keys

_PATH_BYTES = 90
"""Some systems take no longer path of a socket, and the supervisor adds to it."""
_START_SECONDS = 30.0
_BAD_NAME, _ALREADY, _NOT_RUNNING, _STILL_RUNNING = 10, 60, 70, 91
_ASLEEP = "asleep.json"
_UP = {"STARTING", "RUNNING", "BACKOFF"}


class Supervisor:
    """The supervisor of one home.

    Parameters
    ----------
    home
        The directory of everything local.

    """

    def __init__(self, home: Path) -> None:
        self.directory = home / "supervisor"
        self.programs = self.directory / "programs"
        self.logs = self.directory / "logs"
        self._socket = _short(self.directory / "socket")

    def names(self) -> list[str]:
        """Return what is to be kept running, whether the supervisor runs or not."""
        return sorted(path.stem for path in self.programs.glob("*.conf"))

    def asleep(self) -> list[str]:
        """Return what was to be kept running when it was told to stop."""
        content = _read(self.directory / _ASLEEP)
        return [str(name) for name in orjson.loads(content)] if content else []

    def up(self) -> bool:
        """Tell whether it runs."""
        with suppress(OSError, xmlrpc.client.Error):
            self._ask("getState")
            return True
        return False

    def start(self) -> None:
        """Have it run.

        Raises
        ------
        DeployError
            When it does not start.

        """
        if self.up():
            return
        with kept("the supervisor's files", self.directory):
            for path in (self.directory, self.programs, self.logs, self._socket.parent):
                path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._socket.parent.stat().st_uid != os.getuid():
            raise DeployError(f"{self._socket.parent} belongs to another user: remove it")
        conf = self.directory / "supervisord.conf"
        write(conf, own(self.directory, self._socket).encode())
        said = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", str(conf)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_START_SECONDS,
            check=False, cwd=self.directory, env=without_keys(os.environ),
        )  # fmt: skip
        if said.returncode and not self.up():  # of several that start it at once, one does
            raise DeployError(
                f"the supervisor does not start: {said.stderr.strip() or said.stdout}"
            )

    def put(self, program: Program) -> bool:
        """Have a program run as it is described; whether anything was to be done for it.

        Raises
        ------
        DeployError
            When the supervisor does not answer.

        """
        self._wake(program.name)
        if self.keeps(program):
            return False
        path, content, conf = self._files(program)
        state = self.states().get(program.name, "")
        if state:
            self._remove(program.name)
        self._end_orphan(program.name)
        write(path, content)
        write(path.with_suffix(".conf"), conf)
        self._call("reloadConfig")
        self._call("addProcessGroup", program.name, unless=(90,))
        return True

    def keeps(self, program: Program) -> bool:
        """Tell whether a program runs, as it is described.

        Raises
        ------
        DeployError
            When the supervisor does not answer.

        """
        path, content, conf = self._files(program)
        same = _read(path) == content and _read(path.with_suffix(".conf")) == conf
        return same and self.states().get(program.name, "") in _UP

    def again(self, name: str) -> None:
        """End a program, and start it again."""
        self._call("stopProcess", name, unless=(_NOT_RUNNING,))
        self._call("startProcess", name, unless=(_ALREADY,))

    def drop(self, name: str) -> bool:
        """Have a program end, and do not start it again; whether it was to run."""
        known = name in self.names()
        if self.up():
            self._remove(name)
        self._end_orphan(name)
        self._forget(name)
        self._wake(name)
        return known

    def states(self) -> dict[str, str]:
        """Return the states of what it keeps running, in its words."""
        found = self._call("getAllProcessInfo")
        return {info["name"]: info["statename"] for info in cast("list[dict[str, str]]", found)}

    def stop(self, first: Sequence[str] = ()) -> bool:
        """End all programs, those named first before the others, and itself; whether it ran.

        What was to be kept running is started again by nobody but who asks for it.
        """
        names = self.names()
        if names:
            write(self.directory / _ASLEEP, orjson.dumps(sorted({*names, *self.asleep()})))
        ran = self.up() and self._end(first)
        for name in dict.fromkeys((*first, *names)):
            self._end_orphan(name)
            self._forget(name)
        return ran

    def _files(self, program: Program) -> tuple[Path, bytes, bytes]:
        """Return where a program is described, how, and what the supervisor is told of it."""
        content = orjson.dumps(asdict(program), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
        path = self.programs / f"{program.name}.json"
        conf = section(program.name, path, self.logs.name, again=program.again).encode()
        return path, content, conf

    def _end(self, first: Sequence[str]) -> bool:
        running = self.states()
        for name in first:
            if name in running:
                self._call("stopProcess", name, unless=(_NOT_RUNNING, _BAD_NAME))
        pid = int(cast("int", self._call("getPID")))
        self._call("shutdown")
        return ended(pid, DRAIN_SECONDS)

    def _wake(self, name: str) -> None:
        """Forget that a program sleeps: somebody has said what is to become of it."""
        asleep = self.asleep()
        if name in asleep:
            rest = [other for other in asleep if other != name]
            write(self.directory / _ASLEEP, orjson.dumps(rest))

    def _end_orphan(self, name: str) -> None:
        """End what a supervisor that died has left behind."""
        pid = holder(self.programs / f"{name}{LOCK}")
        if pid is not None:
            end(pid, DRAIN_SECONDS)

    def _forget(self, name: str) -> None:
        for suffix in (".conf", ".json", LOCK):
            (self.programs / f"{name}{suffix}").unlink(missing_ok=True)

    def _remove(self, name: str) -> None:
        """End a program and forget it; one that dies just then may have been started once more."""
        while name in self.states():
            self._call("stopProcess", name, unless=(_NOT_RUNNING, _BAD_NAME))
            self._call("removeProcessGroup", name, unless=(_BAD_NAME, _STILL_RUNNING))

    def _call(self, what: str, *arguments: object, unless: tuple[int, ...] = ()) -> object:
        """Ask it something; answers that are as good as none are none."""
        try:
            return self._ask(what, *arguments)
        except xmlrpc.client.Fault as error:
            if error.faultCode in unless:
                return None
            raise DeployError(
                f"the supervisor: {error.faultString}; {self.logs} says more"
            ) from None
        except (OSError, xmlrpc.client.Error) as error:
            raise DeployError(f"the supervisor does not answer ({error}): deck shutdown") from None

    def _ask(self, what: str, *arguments: object) -> object:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport) as server:
                method = getattr(server.supervisor, what)
                return method(*arguments)
        finally:
            transport.close()


def _short(path: Path) -> Path:
    """Return where a socket can be: where it should, or, if that is too long, for us alone."""
    if len(os.fsencode(path)) <= _PATH_BYTES:
        return path
    mark = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    return Path(tempfile.gettempdir(), f"tapedeck-{os.getuid()}-{mark}", "socket")


def _read(path: Path) -> bytes:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return b""
