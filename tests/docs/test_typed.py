"""What pages let people type can be typed: each command is there, and takes what it is given."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from infra.arguments import spread
from infra.deck import command_line
from tests.docs.pages import DOCS, ROOT, blocks

PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
_MISUSED: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises for an option or a command that there is not; it has no public name."""
_ENDS = {"|", ";", "&&", "||", "&", ">", "#"}


def typed(page: Path) -> Iterator[str]:
    """Yield the lines of a page that begin with `deck`, also behind a pipe."""
    for block in [*blocks(page, "console"), *blocks(page, "sh")]:
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"[|;] ", line.removeprefix("$ ").partition(" #")[0]):
                if part.strip().startswith("deck "):
                    yield part.strip()


def arguments(line: str) -> list[str]:
    words = shlex.split(line, comments=True)[1:]
    return spread(words[: next((n for n, word in enumerate(words) if word in _ENDS), len(words))])


def read(words: list[str]) -> None:
    """Let a command read its arguments, and do nothing."""
    command = get_command(command_line(words))
    context = command.context_class(command, info_name="deck")
    while (resolve := getattr(command, "resolve_command", None)) is not None:
        name, command, words = resolve(context, words)
        context = command.context_class(command, context, name)
    command.parse_args(context, words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_a_page_take_what_it_gives_them(page: Path) -> None:
    for line in typed(page):
        try:
            read(arguments(line))
        except _MISUSED as error:
            pytest.fail(f"{line}: {error}")


def test_what_a_command_does_not_take_is_found() -> None:
    read(arguments("deck replay flow.py --data a b  # both"))
    with pytest.raises(_MISUSED):
        read(arguments("deck replay flow.py --dato a"))
    with pytest.raises(_MISUSED):
        read(arguments("deck history shows positions"))
