"""The map of the rooms: what each holds, as its package says of itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "operators", "connectors", "flows", "infra")


def rooms_page() -> str:
    """Return the text of the page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Rooms\n"
    yield "Who may import whom stands in [CONTRIBUTING](../CONTRIBUTING.md)."
    yield "This page is made from the docstrings of the packages: `make docs`.\n"
    for room in ROOMS:
        yield f"## {room}\n\n{_says(_ROOT / room)}\n"
        within = [path.parent for path in sorted((_ROOT / room).glob("*/__init__.py"))]
        if within:
            yield "| room | holds |\n|---|---|"
            for one in within:
                name = f"{room}/{one.name}"
                yield f"| [`{name}/`](../{name}) | {_says(one)} |"
            yield ""


def _says(package: Path) -> str:
    """Return the first line of a package's docstring, which is read and not run."""
    tree = ast.parse((package / "__init__.py").read_bytes())
    return (ast.get_docstring(tree) or "").partition("\n")[0].replace("|", "\\|")
