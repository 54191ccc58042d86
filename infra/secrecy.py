"""Lets no secret out of a process: the first thing that each of ours does."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.scrub import install, keep_secret
from infra.settings import Settings

_ACCOUNTS = "TAPEDECK_ACCOUNT_"


def keep_secrets() -> None:
    """Hide what the environment holds of keys and passwords in logs and tracebacks from now on."""
    install()
    keep_secret(*Settings.from_environment().secrets)


def without_keys(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for what sends no orders: without the keys of accounts.

    Examples
    --------
    >>> without_keys({"TAPEDECK_ACCOUNT_MAIN_SECRET": "...", "HOME": "/me"})
    {'HOME': '/me'}

    """
    return {name: said for name, said in environment.items() if not name.startswith(_ACCOUNTS)}
