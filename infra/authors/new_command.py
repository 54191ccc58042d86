"""`deck new`: writes a flow that runs as it is."""

from __future__ import annotations

import keyword
from pathlib import Path
from typing import Annotated

import typer

from connectors.disk import kept
from infra import screen
from infra.authors.templates import template
from infra.screen import Misused, told


def new(
    name: Annotated[str, typer.Argument(help="The flow's name.", show_default=False)],
    to: Annotated[Path, typer.Option(help="The directory it is written to.")] = Path("flows"),
    learned: Annotated[bool, typer.Option("--learned", help="One with a model.")] = False,
) -> None:
    """Write a commented flow that runs as it is, to begin with."""
    with told():
        path = written(name, to, learned=learned)
    screen.out.print(f"{path} is written. What next:", style="bold", highlight=False)
    for command, what in (
        (f"$EDITOR {path}", "change its rule"),
        (f"deck check {path}", "see that nothing is wrong with it"),
        (f"deck run {path}", "a simulated week, on paper"),
        (f"deck replay {path} --data FILE", "your own ticks"),
        (f"deck deploy {path}", "unattended, on paper"),
    ):
        screen.out.print(f"  {command}  [dim]# {what}[/dim]", highlight=False, soft_wrap=True)


def written(name: str, to: Path, *, learned: bool = False) -> Path:
    """Write a flow of this name, and return where it is.

    Raises
    ------
    Misused
        When it can have no such name, or there is one already.

    """
    name = name.removesuffix(".py")
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise Misused(
            f"{name!r}: a flow is called as a Python module is, such as my_cross; where it is "
            f"written is said with --to"
        )
    path = to / f"{name}.py"
    with kept("the flow", path):
        to.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(template(name, learned=learned))
        except FileExistsError:
            raise Misused(f"{path} is there already: choose another name, or remove it") from None
    return path
