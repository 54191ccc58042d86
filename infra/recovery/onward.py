"""The options that say what becomes of what a store has kept, if the flow is another one now."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.recovery.store import Onward
from infra.screen import Misused

Adopt = Annotated[
    bool,
    typer.Option(
        "--adopt",
        help="The flow has changed: take its open positions over, and let the rest begin anew.",
    ),
]
Afresh = Annotated[
    bool,
    typer.Option(
        "--afresh", help="Forget what was kept and begin anew, if no position is open there."
    ),
]


def onward(*, adopt: bool, afresh: bool) -> Onward:
    """Return what was chosen.

    Examples
    --------
    >>> onward(adopt=True, afresh=False).value
    'adopt'

    """
    if adopt and afresh:
        raise Misused("--adopt and --afresh: give one of them")
    return Onward.ADOPT if adopt else Onward.AFRESH if afresh else Onward.SAME
