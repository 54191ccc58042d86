"""`make docs`: writes the pages that are made from the code."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.authors.event_pages import event_pages
from infra.authors.operator_pages import operator_pages
from infra.authors.room_pages import rooms_page

ROOMS = {"operators": operator_pages, "events": event_pages}


def made() -> dict[Path, str]:
    """Return the text of each page, by where it stands under docs/."""
    pages = {
        Path(room, f"{name}.md"): text
        for room, made_of in ROOMS.items()
        for name, text in made_of().items()
    }
    pages[Path("rooms.md")] = rooms_page()
    return {path: text.rstrip() + "\n" for path, text in pages.items()}


def write(docs: Path) -> None:
    """Write all pages, and remove those of what is there no more."""
    pages = made()
    for room in ROOMS:
        (docs / room).mkdir(exist_ok=True)
        for old in (docs / room).glob("*.md"):
            if old.relative_to(docs) not in pages:
                old.unlink()
    for path, text in pages.items():
        (docs / path).write_text(text, "utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
