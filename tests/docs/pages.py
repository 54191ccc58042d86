"""Read the pages of the documentation as somebody who types along does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Command(NamedTuple):
    """A line to type, and what the page says it prints; `...` stands for anything."""

    line: str
    prints: str


def blocks(page: Path, language: str) -> list[str]:
    """Return the blocks of a language on a page."""
    return [text for found, text in _BLOCK.findall(page.read_text("utf-8")) if found == language]


def commands(page: Path) -> Iterator[Command]:
    """Yield what is typed on a page, in order."""
    for block in blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, prints = part.partition("\n")
            yield Command(line, prints.rstrip())
