"""Which run is meant: by its id, how that begins, a deployment's name or a flow's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client

from infra.deploy.deployment import DeployError, Place
from infra.history.home import HistoryError

SHORTEST = 8
"""Characters of an id that are enough."""
_SHOWN = 5
_RUNS = """
SELECT run, flow, mode, source, code_version, toUnixTimestamp64Nano(started) AS started
FROM runs FINAL WHERE {where} ORDER BY started DESC, run
"""
_BY_ID = "startsWith(run, {said:String})"
_BY_FLOW = "flow = {said:String} AND mode NOT IN ('fork', 'sweep')"


@dataclass(frozen=True)
class Run:
    """A run, as history notes it.

    Parameters
    ----------
    run, flow
        Its id, and the name of its flow.
    mode
        `replay`, or who filled its orders: `paper`, `sandbox`, `live`.
    source
        Where its tape came from.
    code_version
        A hash of its flow file.
    started
        When it first began, in nanoseconds.

    """

    run: str
    flow: str
    mode: str
    source: str
    code_version: str
    started: int


def which(said: str, client: Client, home: Path) -> Run:
    """Return the run that is meant.

    Parameters
    ----------
    said
        The name of a deployment, whose present run it is; of a flow, whose latest run it is; or a
        run's id, of which the first eight characters are enough.
    client
        Reads history.
    home
        The directory of everything local, where deployments are known.

    Raises
    ------
    HistoryError
        When history knows none, or more than one.

    """
    deployed = _deployed(said, home)
    if deployed and (found := _asked(client, _BY_ID, deployed)):
        return found[0]
    if found := _asked(client, _BY_FLOW, said):
        return found[0]
    found = _asked(client, _BY_ID, said) if len(said) >= SHORTEST else []
    if len(found) == 1:
        return found[0]
    if deployed:
        raise HistoryError(f"{said}: history keeps nothing of its run {deployed[:SHORTEST]}")
    raise HistoryError(_unknown(said, found, client))


def _deployed(said: str, home: Path) -> str:
    """Return the run of a deployment, if there is one of that name."""
    try:
        return Place(home, said).run
    except DeployError:  # no deployment can have such a name
        return ""


def _asked(client: Client, where: str, said: str) -> list[Run]:
    rows = client.query(_RUNS.replace("{where}", where), {"said": said}).result_rows
    return [Run(*row) for row in rows]


def _unknown(said: str, found: list[Run], client: Client) -> str:
    what = "is the beginning of several runs" if found else "is no run, flow or deployment"
    known = found or _asked(client, "startsWith(run, '')", "")
    named = ", ".join(f"{one.run[:SHORTEST]} of {one.flow}" for one in known[:_SHOWN])
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"run {said!r}: {what}; history has {named or 'none'}{more}"
