"""Whether a deployment runs: `python -m infra.deploy.alive [NAME]` ends with 0 if it does.

With `--parent` it ends with 0, too, while the parent waits to start its flow again: whoever kills
what does not live must not kill that.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from infra.deploy.deployment import DeployError, Place, places
from infra.deploy.status import UP, Status, load
from infra.settings import Settings

_DEAD_SECONDS = 60.0


def main(arguments: Sequence[str]) -> int:
    """Return 0 if it runs, as its parent said just now; else say why it is 1."""
    asked = _options(arguments)
    try:
        place = _place(asked.name)
    except DeployError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    said = load(place.status)
    if said is not None and (_lives(said) if asked.parent else said.alive):
        return 0
    sys.stderr.write(f"{place.name}: {said.state if said else 'nothing was said yet'}\n")
    return 1


def _place(name: str) -> Place:
    """Return the deployment's place; without a name, that of the only one."""
    home = Settings.from_environment().home
    if name:
        return Place(home, name)
    found = list(places(home))
    if len(found) != 1:
        names = ", ".join(place.name for place in found) or "none"
        raise DeployError(f"{home}: which deployment? There are: {names}")
    return found[0]


def _lives(said: Status) -> bool:
    return said.state in UP and time.time_ns() - said.said < _DEAD_SECONDS * 1e9


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.deploy.alive", description=__doc__)
    parser.add_argument("name", nargs="?", default="", help="if there is more than one")
    parser.add_argument("--parent", action="store_true", help="whether its parent lives")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
