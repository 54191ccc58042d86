"""Links of the documentation lead somewhere: files, headings, tests."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from infra.deck import DOORS
from tests.docs.pages import DOCS, ROOT

PAGES = [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))]
_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@cache
def text(page: Path) -> str:
    return _CODE.sub("", page.read_text("utf-8"))


@cache
def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings, as the forges make them."""
    marks = re.compile(r"[`*]|\]\([^)]*\)|\[")
    plain = (marks.sub("", heading) for heading in _HEADING.findall(text(page)))
    return {re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in plain}


def defines(file: Path, test: str) -> bool:
    """Tell whether a file has a test; the name of a file is none."""
    return test.endswith(".py") or f"def {test}(" in file.read_text("utf-8")


def broken(page: Path) -> list[str]:
    """Return what links of a page lead nowhere, and tests that it names and there are not."""
    found = []
    for name, target in _LINK.findall(text(page)):
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        where = (page.parent / path).resolve() if path else page
        if not where.exists() or (anchor and anchor not in anchors(where)):
            found.append(target)
        elif name.startswith("`test_") and where.is_file() and not defines(where, name.strip("`")):
            found.append(f"{name} in {path}")
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_what_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_this() -> None: ...\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# A `heading`, here\n[a](gone.md) [b](#a-heading-here) [c](#no) "
        "[`test_this`](test_it.py) [`test_that`](test_it.py) [d](https://example.org)\n"
    )
    assert broken(page) == ["gone.md", "#no", "`test_that` in test_it.py"]


def test_every_page_is_in_the_index() -> None:
    reached, waiting = set[Path](), [DOCS / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            links = (target.partition("#")[0] for _, target in _LINK.findall(text(page)))
            waiting += [
                (page.parent / link).resolve()
                for link in links
                if link and not re.match(r"\w+:", link)
            ]
    assert [str(page) for page in PAGES if page.resolve() not in reached] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_that_pages_name_are_there(page: Path) -> None:
    typed = re.compile(r"(?:^\$ |^|[`|] ?)deck ([a-z]+)", re.MULTILINE)
    assert set(typed.findall(page.read_text("utf-8"))) - DOORS.keys() == set()
