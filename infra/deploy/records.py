"""The table of deployments in history: what was asked for, with which code, by whom and when."""

from __future__ import annotations

from contextlib import closing

import orjson

from infra.deploy.deployment import Deployment
from infra.history.history import client
from infra.settings import Settings

_COLUMNS = (
    "id", "name", "flow", "source", "broker", "account", "markets", "code_version", "settings",
    "who", "at",
)  # fmt: skip


def record(deployment: Deployment, settings: Settings) -> None:
    """Keep it in history.

    Raises
    ------
    HistoryError
        When history cannot be reached.

    """
    chosen = {
        "processes": deployment.processes, "warm_up": deployment.warm_up, **deployment.options,
    }  # fmt: skip
    row = (
        deployment.id, deployment.name, deployment.flow, deployment.source, deployment.broker,
        deployment.account, ",".join(deployment.markets), orjson.dumps(deployment.code).decode(),
        orjson.dumps(chosen).decode(), deployment.who, deployment.when,
    )  # fmt: skip
    with closing(client("writer", settings)) as writer:
        writer.insert("deployments", [row], column_names=_COLUMNS)
