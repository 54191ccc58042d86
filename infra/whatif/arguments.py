"""What the commands of this room share of their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from infra.screen import Misused

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="What is set otherwise, such as stop_loss=0.005; once for each.",
        show_default=False,
    ),
]
FlowFile = Annotated[
    Path | None,
    typer.Option("--flow", help="The flow file, if it is not where it was.", show_default=False),
]
Picture = Annotated[
    Path | None,
    typer.Option(help="Draw it there, as .png or .svg.", show_default=False),
]
Json = Annotated[bool, typer.Option("--json", help="Print it as one JSON object.")]
Listing = Annotated[
    bool, typer.Option("--settings", help="List what can be set, and what it is; do nothing.")
]


def given(settings: list[str] | None) -> dict[str, str]:
    """Return what is set, by name.

    Examples
    --------
    >>> given(["stop_loss=0.005", "MODEL=forest"])
    {'stop_loss': '0.005', 'MODEL': 'forest'}

    """
    found: dict[str, str] = {}
    for text in settings or []:
        name, is_, value = (part.strip() for part in text.partition("="))
        if not (name and is_ and value):
            raise Misused(f"--set {text}: write it as NAME=VALUE, such as stop_loss=0.005")
        if name in found:
            raise Misused(f"--set {text}: {name} is set twice")
        found[name] = value
    return found
