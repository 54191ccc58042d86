"""Take the pictures of docs/pictures anew: `python -m tests.docs.pictures`, some five minutes.

Everything is simulated, in a home of its own that is gone afterwards.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.conftest import ROOT
from tests.infra.page.browser import chromium

_FLOW = str(ROOT / "flows" / "learned_cross.py")
_SPEED = 300
"""How fast the market runs: a position is open for some seconds, and half a day takes minutes."""
_PATIENCE = 900_000
_HIDE = """(directory) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let text;
  while ((text = texts.nextNode())) text.data = text.data.replaceAll(directory, "");
}"""
_WORTH_A_LOOK = """() => document.querySelectorAll('#positions-table tr').length > 8 &&
    document.querySelector('#positions-open dl') && document.querySelector('#book-bids tr')"""


def main() -> None:
    """Take all of them."""
    with tempfile.TemporaryDirectory() as directory, chromium() as browser:
        deck = Deck({**os.environ, "TAPEDECK_HOME": ".tapedeck"}, Path(directory).resolve())
        try:
            take_report(browser, deck)
            take_page(browser, deck)
        finally:
            deck("shutdown")


class Deck:
    """The `deck` command in a home of its own.

    Parameters
    ----------
    environment
        Names the home.
    directory
        Where it stands.

    """

    def __init__(self, environment: dict[str, str], directory: Path) -> None:
        self._environment, self.directory = environment, directory

    def __call__(self, *arguments: str) -> None:
        """Run it to its end."""
        subprocess.run(
            [*self._command, *arguments],
            cwd=self.directory, env=self._environment, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    @contextmanager
    def dashboard(self) -> Iterator[str]:
        """Serve the page until the end of the block; return its address."""
        with subprocess.Popen(
            [*self._command, "dashboard", "--port", "0"],
            cwd=self.directory, env=self._environment, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                yield process.stdout.readline().strip()
            finally:
                process.terminate()

    @property
    def _command(self) -> list[str]:
        return [str(Path(sys.executable).with_name("deck"))]


def take_report(browser: Browser, deck: Deck) -> None:
    """Show the report of a simulated week."""
    deck("run", _FLOW)
    [report] = (deck.directory / ".tapedeck" / "reports").glob("*.html")
    page = browser.new_page(viewport={"width": 1100, "height": 1310})
    page.goto(report.as_uri())
    page.evaluate(_HIDE, f"{deck.directory}/")  # no picture shows where it was taken
    _keep(page, "report")


def take_page(browser: Browser, deck: Deck) -> None:
    """Show the page of a deployment that has traded for half a day and holds something."""
    deck("deploy", _FLOW, "--speed", str(_SPEED))
    with deck.dashboard() as address:
        page = browser.new_page(viewport={"width": 1440, "height": 1320})
        page.goto(address)
        page.wait_for_function(_WORTH_A_LOOK, timeout=_PATIENCE)
        _keep(page, "page")


def _keep(page: Page, name: str) -> None:
    """Keep what is seen in 256 colours: a third of the room, and no eye can tell."""
    seen = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = ROOT / "docs" / "pictures" / f"{name}.png"
    seen.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path}: {path.stat().st_size // 1_000} kB\n")


if __name__ == "__main__":
    main()
