"""What a run that trades has beside a replay: its broker, and where its orders go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.deploy.deployment import places
from infra.lock import Busy, Lock
from infra.log.places import Place
from infra.settings import Settings
from infra.trading.switches import Broker, purse


@dataclass(frozen=True)
class Trading:
    """Who fills a run's orders. It pickles, so that each process can be told.

    Parameters
    ----------
    broker
        Paper, the exchange's sandbox, or the exchange.
    account
        Whose orders they are; empty on paper.
    queue
        Where orders go; None on paper.

    Examples
    --------
    >>> Trading(Broker.SANDBOX, "main").purse
    'main:sandbox'

    """

    broker: Broker = Broker.PAPER
    account: str = ""
    queue: Place | None = None

    @property
    def real(self) -> bool:
        """Whether orders go out."""
        return self.broker is not Broker.PAPER

    @property
    def purse(self) -> str:
        """The name under which orders are queued."""
        return purse(self.account, self.broker) if self.real else ""

    def options(self) -> Mapping[str, str]:
        """Return what a run that goes on must be given again."""
        return {"--broker": self.broker.value, "--account": self.account}


def default_store(settings: Settings, flow: Path, trading: Trading) -> Path:
    """Return where a run keeps its snapshots, if nobody says where.

    Examples
    --------
    >>> default_store(Settings(Path("home")), Path("flows/cross.py"), Trading()).as_posix()
    'home/trading/cross-paper'

    """
    parts = (flow.stem, trading.broker.value, trading.account)
    return settings.home / "trading" / "-".join(part for part in parts if part)


def known_flows(settings: Settings) -> set[str]:
    """Return the flows that traded or were deployed here, but for those with a store of their own.

    Examples
    --------
    >>> known_flows(Settings(Path("nowhere")))
    set()

    """
    brokers = "|".join(broker.value for broker in Broker)
    named = re.compile(rf"(.+)-(?:{brokers})(?:-[\w-]+)?")
    stores = (settings.home / "trading").glob("*-*")
    traded = {found[1] for store in stores if (found := named.fullmatch(store.name))}
    asked = (place.load() for place in places(settings.home))
    return traded | {Path(found.flow).stem for found in asked if found is not None}


def executor_home(settings: Settings, name: str) -> Path:
    """Return where the executor of a purse keeps what it must not forget.

    Examples
    --------
    >>> executor_home(Settings(Path("home")), "main:live").as_posix()
    'home/executor/main-live'

    """
    return settings.home / "executor" / name.replace(":", "-")


def executes(settings: Settings, name: str) -> bool:
    """Tell whether an executor of a purse runs on this machine."""
    lock = executor_home(settings, name) / "lock"
    if not lock.exists():
        return False
    with suppress(Busy):
        Lock(lock).close()
        return False
    return True
