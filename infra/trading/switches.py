"""The switches in front of an exchange: which broker, whose account, and whether money is real."""

from __future__ import annotations

from enum import Enum

from infra.screen import Misused
from infra.settings import Settings

VARIABLE, WORD = "TAPEDECK_LIVE", "I-understand"


class Broker(str, Enum):
    """Who fills the orders of a run."""

    PAPER = "paper"
    SANDBOX = "sandbox"
    LIVE = "live"


class Ground(str, Enum):
    """Where an account trades: where money is for trying, or where it is real."""

    SANDBOX = "sandbox"
    LIVE = "live"

    @property
    def broker(self) -> Broker:
        """Who fills its orders."""
        return Broker(self.value)


class Locked(Misused):
    """A switch that was not thrown, or only half; its text says which, and what it does."""

    status = 2


def check(broker: Broker, account: str, settings: Settings) -> None:
    """See that nobody trades with real money who did not say so twice.

    Parameters
    ----------
    broker
        What `--broker` says.
    account
        What `--account` says; empty if it was left out.
    settings
        Hold what the environment says.

    Raises
    ------
    Locked
        When it is not said, or says something else.
    Misused
        When the broker and the account do not go together.

    Examples
    --------
    >>> from pathlib import Path
    >>> check(Broker.LIVE, "main", Settings(Path(), live=WORD))
    >>> check(Broker.LIVE, "main", Settings(Path()))
    Traceback (most recent call last):
    infra.trading.switches.Locked: --broker live sends orders with real money, and ...

    """
    if broker is Broker.PAPER:
        if account:
            raise Misused(
                f"--broker paper has no account: leave --account {account} out, or say --broker "
                f"sandbox, which trades there with the exchange's test money"
            )
        return
    if not account:
        raise Misused(
            f"--broker {broker.value} trades for an account: name it, such as --account main; "
            f"deck accounts lists those whose keys are known"
        )
    if broker is Broker.LIVE and settings.live != WORD:
        said = f"is {settings.live!r}" if settings.live else "is not set"
        raise Locked(
            f"--broker live sends orders with real money, and {VARIABLE} {said}: if you want that, "
            f"set {VARIABLE}={WORD}; --broker sandbox does the same with the exchange's test money"
        )


def purse(account: str, broker: Broker) -> str:
    """Return the name under which orders are queued, so that none for a sandbox reaches money.

    Examples
    --------
    >>> purse("main", Broker.SANDBOX)
    'main:sandbox'

    """
    return f"{account}:{broker.value}"
