"""What becomes of positions whose flow cannot be kept running: as was chosen, held or sold."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from connectors.scrub import scrub
from infra.deploy.deployment import KAFKA, Deployment

HOLD, FLATTEN = "hold", "flatten"
_SECONDS = 60.0


def leave(deployment: Deployment) -> str:
    """Tell the executor of a flow that is given up what to do; return what came of it.

    Examples
    --------
    >>> words(Deployment("x", "/flows/cross.py", account="main", options={"on_failure": "flatten"}))
    ['flatten', '--flow', 'cross', '--account', 'main', '--no-wait']

    """
    try:
        said = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "infra", *words(deployment)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_SECONDS,
            check=False, cwd=Path(__file__).parents[2],
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"its executor could not be told: {error}"
    return scrub(" ".join(f"{said.stdout} {said.stderr}".split()))


def words(deployment: Deployment) -> list[str]:
    """Return what is said: nothing more is entered, and what is held is held, or sold."""
    sells = deployment.options.get("on_failure", HOLD) == FLATTEN
    command = ["flatten"] if sells else ["halt"]
    meant = ["--flow", Path(deployment.flow).stem, "--account", deployment.account]
    kafka = ["--kafka"] if deployment.kind == KAFKA else []
    return [*command, *meant, *kafka, *(["--no-wait"] if sells else [])]
