"""`deck compare`: two runs side by side."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from infra import screen
from infra.history.history import History
from infra.screen import Misused
from infra.settings import Settings
from infra.verify.which import which
from infra.whatif.arguments import Json, Picture
from infra.whatif.laid import SENT, as_run, show, sides_of

_MOST = 3


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            help="Two runs, or three: ids or how those begin, deployments, or flows for their "
            "latest.",
            show_default=False,
        ),
    ],
    picture: Picture = None,
    as_json: Json = False,
) -> None:
    """Show runs side by side: settings, figures, and the positions that are not the same."""
    with screen.told(), screen.output(alone=as_json) as out:
        if not 1 < len(runs) <= _MOST:
            raise Misused(f"{' '.join(runs)}: give two runs, or three")
        home = Settings.from_environment()
        with closing(History(home).client("reader")) as client:
            found = [which(run, client, home.home) for run in runs]
            labels: list[str] = []
            if len(found) < _MOST and found[0].mode in SENT and found[1].mode == "fork":
                between = as_run(found[0], client)
                if between is not None and between != found[1]:
                    found.insert(1, between)
                    labels = [found[0].mode, "paper as run", "paper changed"]
            show(sides_of(found, client, labels), picture, out if as_json else None)
