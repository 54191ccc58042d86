"""A deployment: a flow that runs unattended under a name, and what was asked for."""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import orjson

from connectors.disk import kept
from infra.lock import Busy, Lock
from infra.recovery.layout import RUN
from schemas.mendable import Mendable

FILE, LOCK, STORE = "deployment.json", "lock", "store"
SIMULATE, REPLAY, EXCHANGE, KAFKA = "simulate", "replay", "exchange", "kafka"
WARM_UP = "6h"
"""How much of the log is read first, if nobody says otherwise."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class DeployError(Mendable, ValueError):
    """A deployment that cannot be; the text says why, and what to do."""


@dataclass(frozen=True)
class Deployment:
    """What was asked for; no secrets.

    Parameters
    ----------
    name
        What it is called.
    flow
        The flow file, absolute.
    source
        Where its tape comes from: `simulate`, `replay:FILE`, `exchange:NAME` or `kafka`.
    broker, account, markets, processes, warm_up
        As `deck trade` takes them.
    options
        What else was chosen, such as the speed of what is simulated.
    code
        Which code it was asked for with.
    who, when
        Whose wish it was, and since when, in nanoseconds.

    """

    name: str
    flow: str
    source: str = SIMULATE
    broker: str = "paper"
    account: str = ""
    markets: tuple[str, ...] = ()
    processes: int = 1
    warm_up: str = WARM_UP
    options: dict[str, str] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    who: str = ""
    when: int = field(default_factory=time.time_ns)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def kind(self) -> str:
        """The kind of its source.

        Examples
        --------
        >>> Deployment("x", "/x.py", "exchange:binance").kind
        'exchange'

        """
        return self.source.partition(":")[0]

    @property
    def detail(self) -> str:
        """What its source is of its kind.

        Examples
        --------
        >>> Deployment("x", "/x.py", "exchange:binance").detail
        'binance'

        """
        return self.source.partition(":")[2]

    @property
    def history(self) -> bool:
        """Whether history keeps what it concludes.

        Examples
        --------
        >>> Deployment("x", "/x.py", options={"history": "no"}).history
        False

        """
        return self.options.get("history") != "no"

    def changes(self, other: Deployment) -> dict[str, tuple[str, str]]:
        """Return what another one was asked for that this one was not: name, here and there.

        Examples
        --------
        >>> Deployment("x", "/x.py").changes(Deployment("x", "/x.py", processes=2))
        {'processes': ('1', '2')}
        >>> Deployment("x", "/x.py", code={"flow": "ab", "package": "1"}).changes(
        ...     Deployment("x", "/x.py", code={"flow": "cd", "package": "1"})
        ... )
        {'code': ('flow ab', 'flow cd')}

        """
        own, others = asdict(self), asdict(other)
        told = ("id", "when", "who", "name")
        return {
            name: (_text(own[name], others[name]), _text(others[name], own[name]))
            for name in own
            if name not in told and own[name] != others[name]
        }


class Place:
    """The directory of one deployment.

    Parameters
    ----------
    home
        The directory of everything local.
    name
        The deployment's.

    Raises
    ------
    DeployError
        When it cannot be a name.

    """

    def __init__(self, home: Path, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise DeployError(
                f"name {name!r}: letters, digits, - and _, such as cross_2; give one with --name"
            )
        self.name = name
        self.directory = home / "deployments" / name

    @property
    def store(self) -> Path:
        """Its recovery store."""
        return self.directory / STORE

    @property
    def run(self) -> str:
        """The id of its run; empty as long as none has begun."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            return str(orjson.loads((self.store / RUN).read_bytes())["run"])
        return ""

    @property
    def log(self) -> Path:
        """What it says."""
        return self.directory / "logs" / "flow.log"

    @property
    def status(self) -> Path:
        """What its parent says of it."""
        return self.directory / "status.json"

    @property
    def tape(self) -> Path:
        """The log of a recording, which is its own: nothing past comes to stand in the market's."""
        return self.directory / "tape"

    @property
    def fed(self) -> Path:
        """The file that is there when all of a recording is in its log."""
        return self.directory / "fed"

    def load(self) -> Deployment | None:
        """Return what was asked for, if there is such a deployment.

        Raises
        ------
        DeployError
            When its file is damaged.

        """
        path = self.directory / FILE
        try:
            found = orjson.loads(path.read_bytes())
            known = {one.name for one in fields(Deployment)}
            found = {name: value for name, value in found.items() if name in known}
            return Deployment(**{**found, "markets": tuple(found["markets"])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DeployError(f"{path} is damaged ({error}): deck deploy makes it anew") from error

    def asked(self) -> Deployment:
        """Return what was asked for.

        Raises
        ------
        DeployError
            When nothing was, or its file is damaged.

        """
        found = self.load()
        if found is None:
            raise DeployError(f"{self.name}: nothing was asked for: deck deploy FLOW")
        return found

    def save(self, deployment: Deployment) -> None:
        """Keep what is asked for."""
        write(self.directory / FILE, orjson.dumps(asdict(deployment), option=orjson.OPT_INDENT_2))

    def forget(self) -> None:
        """Remove what it knows of its tape, and the tape if it is its own: it begins anew."""
        for directory in (self.store, self.tape):
            shutil.rmtree(directory, ignore_errors=True)
        self.fed.unlink(missing_ok=True)

    def alone(self) -> Lock | None:
        """Take the right to be its parent; None if another has it."""
        with kept("a deployment", self.directory):
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            with suppress(Busy):
                return Lock(self.directory / LOCK)
        return None

    def runs(self) -> bool:
        """Tell whether a parent has it."""
        if not (self.directory / LOCK).exists():
            return False
        held = self.alone()
        if held is not None:
            held.close()
        return held is None


def places(home: Path) -> Iterator[Place]:
    """Yield the places of all deployments of a home, by name."""
    for path in sorted((home / "deployments").glob(f"*/{FILE}")):
        with suppress(DeployError):  # not one of ours
            yield Place(home, path.parent.name)


def write(path: Path, content: bytes) -> None:
    """Write a file whole, for its owner's eyes: whoever reads it sees the old or the new."""
    with kept("a deployment", path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = path.with_name(f"{path.name}.partial")
        partial.touch(mode=0o600)
        partial.write_bytes(content)
        partial.replace(path)


def _text(value: object, other: object) -> str:
    """Return a value as text; of names and values, those that another one has not."""
    if isinstance(value, dict) and isinstance(other, dict):
        own = [f"{name} {found}" for name, found in value.items() if other.get(name) != found]
        return ", ".join(own) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "–"
    return str(value) or "–"
