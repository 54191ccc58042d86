"""A real browser without a screen, and what a test does in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Error,
    Page,
    TimeoutError,  # noqa: A004 - what its waiting raises
    sync_playwright,
)

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-precise-memory-info",
    "--js-flags=--expose-gc",
)
_SHOWS = """([at, text]) => {
  const found = document.querySelector(at);
  return found?.checkVisibility() && found.innerText.includes(text);
}"""
PATIENCE = 60_000
"""Milliseconds until something surely should have shown."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser of this machine until the end of the block."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(f"none of {', '.join(_NAMES)} is installed: the page is not tried")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


class Visit:
    """One look at the page.

    Parameters
    ----------
    browser
        Where.
    options
        Such as `color_scheme`, or a `viewport`.

    """

    def __init__(self, browser: Browser, **options: object) -> None:
        size = {"width": 1440, "height": 1000}
        self.context = browser.new_context(**({"viewport": size} | options))  # type: ignore[arg-type] # as given
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.complaints: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", self._broke)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _broke(self, error: Error) -> None:
        self.complaints.append(str(error))

    def until(self, condition: str, argument: object = None) -> None:
        """Wait until a condition of the page holds; say what it shows if it never does."""
        try:
            self.page.wait_for_function(condition, arg=argument, timeout=PATIENCE)
        except TimeoutError as error:
            wanted = f"{argument or condition} never came; {self.complaints}"
            raise AssertionError(f"{wanted}; shown is:\n{self.text('body')}") from error

    def text(self, selector: str) -> str:
        """Return what an element says, as it is shown."""
        return self.page.inner_text(selector)

    def says(self, selector: str, text: str) -> None:
        """Wait until an element that is seen says something."""
        self.until(_SHOWS, [selector, text])

    def run(self, script: str, argument: object = None) -> Any:  # noqa: ANN401 - whatever it says
        """Return what a script says that runs beside the page's own."""
        return self.page.evaluate(script, argument)
