"""Whether a deployment runs: `python -m infra.deploy.alive NAME` ends with 0 if it does."""

from __future__ import annotations

import sys

from infra.deploy.deployment import DeployError, Place
from infra.deploy.status import load
from infra.settings import Settings


def main(name: str) -> int:
    """Return 0 if its flow runs, as its parent said just now; else say why it is 1."""
    try:
        said = load(Place(Settings.from_environment().home, name).status)
    except DeployError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if said is not None and said.alive:
        return 0
    sys.stderr.write(f"{name}: {said.state if said else 'nothing was said yet'}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
