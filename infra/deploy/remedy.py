"""What to do about an error, as somebody can who deploys a flow."""

from __future__ import annotations

from infra.running.problems import AFRESH


def remedied(text: str) -> str:
    """Return an error's text for a deployment, whose store is chosen by its name.

    Examples
    --------
    >>> remedied(f"run.json is damaged: {AFRESH}")
    'run.json is damaged: deploy it under another --name'

    """
    return text.replace(AFRESH, "deploy it under another --name")
