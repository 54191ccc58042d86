"""Lets no secret out of a process: the first thing that each of ours does."""

from __future__ import annotations

from connectors.scrub import install, keep_secret
from infra.settings import Settings


def keep_secrets() -> None:
    """Hide what the environment holds of keys and passwords in logs and tracebacks from now on."""
    install()
    keep_secret(*Settings.from_environment().secrets)
