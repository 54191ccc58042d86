"""What somebody asks for, made into a deployment: its markets, its code, who and when."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path

from connectors.recordings.files import find
from connectors.venue.venue import split
from infra.deploy import simulated
from infra.deploy.deployment import EXCHANGE, KAFKA, REPLAY, SIMULATE, DeployError
from infra.listed import listed
from infra.running import flowfile
from infra.trading.switches import Broker

_GIT_SECONDS = 5.0


def source_of(text: str, broker: Broker) -> str:
    """Return a source as it is kept: a file by its whole path.

    Raises
    ------
    DeployError
        When it is none, or does not go together with the broker.
    DataError
        When there is no such recording.

    """
    kind, _, detail = text.partition(":")
    if kind not in (SIMULATE, REPLAY, EXCHANGE, KAFKA) or bool(detail) != (
        kind in (REPLAY, EXCHANGE)
    ):
        raise DeployError(
            f"--source {text}: say simulate, replay:FILE, exchange:NAME such as exchange:binance, "
            f"or kafka"
        )
    if broker is not Broker.PAPER and kind in (SIMULATE, REPLAY):
        raise DeployError(
            f"--source {text} --broker {broker.value}: what is {kind}d is no market to send orders "
            f"to: leave --broker out, or say --source exchange:NAME"
        )
    if kind == REPLAY:
        find([detail])
        return f"{REPLAY}:{Path(detail).absolute()}"
    return text


def markets_of(text: str, source: str, flow: Path) -> tuple[str, ...]:
    """Return the markets that are asked for: named, else those of the flow file, else the source's.

    Raises
    ------
    DeployError
        When an exchange should be asked for markets that nobody names, or that it has not.

    """
    kind, _, exchange = source.partition(":")
    named = set(listed(text))
    if not named and kind in (SIMULATE, EXCHANGE):
        known = _own(flow)
        named = known if kind == SIMULATE else {m for m in known if _of(m, exchange)}
    if kind == SIMULATE:  # never under a real one's name: they share a log
        own = {f"sim:{name.partition(':')[2] or name}" for name in named}
        return tuple(sorted(own)) or simulated.MARKETS
    if kind != EXCHANGE:
        return tuple(sorted(named))
    full = {name if ":" in name.partition("/")[0] else f"{exchange}:{name}" for name in named}
    if not full:
        raise DeployError(
            f"--source {source}: which markets? Name them, such as --markets {exchange}:BTC/USDT, "
            f"or write MARKETS = [...] into {flow}"
        )
    if strange := sorted(name for name in full if split(name)[0] != exchange):
        raise DeployError(f"--markets {', '.join(strange)}: not of {exchange}; leave them out")
    return tuple(sorted(full))


def code_of(flow: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return which code it is: the flow file's, ours, and git's revision if there is one."""
    known = environment.get("TAPEDECK_REVISION", "")
    revision = known or _git(flow.parent, "rev-parse", "HEAD")
    dirty = bool(revision and not known and _git(flow.parent, "status", "--porcelain"))
    return {
        "flow": flowfile.load(flow).code_version,
        "package": version("tapedeck"),
        "revision": revision,
        "dirty": "yes" if dirty else "no",
    }


def who() -> str:
    """Return who asks."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


def _own(flow: Path) -> set[str]:
    """Return the markets that a flow file names."""
    flowfile.load(flow)
    found = getattr(sys.modules[f"flows.{flow.stem}"], "MARKETS", ())
    if isinstance(found, str) or not isinstance(found, Iterable):
        raise DeployError(f"{flow}: MARKETS must be a list of names, not {found!r}")
    return {str(name) for name in found}


def _of(market: str, exchange: str) -> bool:
    return market.partition(":")[0] == exchange


def _git(directory: Path, *words: str) -> str:
    try:
        said = subprocess.run(  # noqa: S603 - git reads, and changes nothing
            ["git", "-C", str(directory), *words],  # noqa: S607 - whichever git there is
            capture_output=True, text=True, timeout=_GIT_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip() if said.returncode == 0 else ""
