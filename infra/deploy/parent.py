"""The parent of a deployment: runs its flow, starts it again when it dies, and says how it stands.

    python -m infra.deploy.parent NAME

It is small, for there is one for each deployment: what is heavy is in its child.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from connectors.scrub import scrub
from infra.deploy.deployment import SIMULATE, WARM_UP, DeployError, Deployment, Place
from infra.deploy.keeper import GAVE_UP, Keeper
from infra.deploy.logbook import open_book
from infra.deploy.patience import DEATHS, Patience
from infra.deploy.unattended import FLATTEN, HOLD, leave
from infra.listed import listed
from infra.lock import Lock
from infra.metrics.exporter import Exporter
from infra.notices.notify import Notifier
from infra.running.problems import ReplayError
from infra.secrecy import keep_secrets
from infra.settings import Settings
from infra.times import parse_time
from infra.verify.regular import EVERY, MOST, Regular

_LOOKS, _LOOK_SECONDS = 20, 0.05


def main(arguments: Sequence[str]) -> int:
    """Be the parent of a deployment until it is over; return the exit code."""
    keep_secrets()
    asked = _options(arguments)
    try:
        place = Place(Settings.from_environment().home, asked.name)
        with closing(_alone(place)):
            deployment = _deployment(asked, place)
            # By itself, as in a container: whoever started it looks at its output.
            log = open_book(place.log, place.name, sys.stdout if asked.flow else None)
            log.info("starts: %s, %s, %s", deployment.flow, deployment.source, deployment.broker)
            return _run(deployment, place, log, asked.metrics_port)
    except (DeployError, ReplayError, OSError) as error:
        sys.stderr.write(f"error: {scrub(str(error))}\n")
        return GAVE_UP


def _run(deployment: Deployment, place: Place, log: logging.Logger, port: int) -> int:
    """Keep it running, publish it, and do as was chosen if it cannot be kept running."""
    patience = Patience(int(deployment.options.get("deaths", DEATHS)))
    notifier = Notifier.from_environment(place.name)
    every = -parse_time(deployment.options.get("checkpoint_every", EVERY), 0)
    most = int(deployment.options.get("checkpoints", MOST))
    checkpoints = Regular(place.store, every, most, log)
    with closing(Exporter(place.name, port)) as exporter, closing(notifier):
        ended = Keeper(place, patience, log, exporter, notifier, checkpoints).run()
    if ended == GAVE_UP and deployment.account:
        log.warning(leave(deployment))
    return ended


def _alone(place: Place) -> Lock:
    """Take the right to be the parent; whoever looks whether one runs has it for a moment."""
    for _ in range(_LOOKS):
        held = place.alone()
        if held is not None:
            return held
        time.sleep(_LOOK_SECONDS)
    raise DeployError(f"{place.name} runs already: deck flows shows it")


def _deployment(asked: argparse.Namespace, place: Place) -> Deployment:
    """Return what was asked for: kept from before, or told on the command line."""
    known = place.load()
    if not asked.flow:
        if known is None:
            raise DeployError(f"{place.name}: nothing was asked for: deck deploy FLOW, or --flow")
        return known
    markets = tuple(sorted(listed(asked.markets)))
    deployment = Deployment(
        place.name, str(Path(asked.flow).absolute()), asked.source, asked.broker, asked.account,
        markets, asked.processes, asked.warm_up,
        {
            "deaths": str(asked.deaths), "on_failure": asked.on_failure,
            **({"history": "no"} if asked.no_history else {}),
        },
    )  # fmt: skip
    if known is None or known.changes(deployment):
        place.save(deployment)
    return deployment


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.deploy.parent", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--flow", help="the flow file, if nobody asked for it before")
    parser.add_argument("--source", default=SIMULATE)
    parser.add_argument("--broker", default="paper")
    parser.add_argument("--account", default="")
    parser.add_argument("--markets", default="")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--warm-up", default=WARM_UP)
    parser.add_argument("--deaths", type=int, default=DEATHS, help="in a row, and it is given up")
    parser.add_argument("--on-failure", default=HOLD, choices=(HOLD, FLATTEN))
    parser.add_argument("--no-history", action="store_true", help="keep nothing in ClickHouse")
    parser.add_argument("--metrics-port", type=int, default=0, help="0 is any that is free")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
