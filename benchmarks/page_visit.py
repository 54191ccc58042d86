"""The page as a user has it: `deck dashboard` in a process of its own, and a browser before it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psutil
from playwright.sync_api import Browser, BrowserContext, Page

from benchmarks.runs import ROOT
from infra.settings import Settings

_PATIENCE = 60_000
_FIRST = """() => Number(document.querySelector('#candles-chart')?.dataset.many) > 0
    && performance.now()"""
_SEEN = """
window.ages = [];
window.EventSource = class extends EventSource {
  constructor(path) {
    super(path);
    this.addEventListener("tick", ({ data }) => requestAnimationFrame(() =>
      window.ages.push(Date.now() - JSON.parse(data).last_event)));
  }
};
"""
"""Notes how old the newest price is when it is drawn."""


class Size(NamedTuple):
    """What the page has in the browser."""

    heap: float
    """MB of JavaScript, behind a collection of garbage."""
    nodes: int
    candles: int


class Dashboard:
    """A `deck dashboard` that runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        self.process = psutil.Process(process.pid)
        self.address = process.stdout.readline().strip()
        if not self.address:
            raise RuntimeError("deck dashboard ended: see what it said above")


@contextmanager
def dashboard(settings: Settings) -> Iterator[Dashboard]:
    """Serve the page of a home until the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "infra", "dashboard", "--port", "0"], cwd=ROOT, text=True,
        env={**os.environ, "TAPEDECK_HOME": str(settings.home)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield Dashboard(process)
        finally:
            process.terminate()


class Visit:
    """One who looks.

    Parameters
    ----------
    browser
        Where.
    address
        What is opened.

    """

    def __init__(self, browser: Browser, address: str) -> None:
        self.context: BrowserContext = browser.new_context(viewport={"width": 1280, "height": 900})
        self.context.add_init_script(_SEEN)
        self.page: Page = self.context.new_page()
        self.page.goto(address)
        self._first = self.first()

    def first(self) -> float:
        """Return how many ms the page took from when it was opened to its first candle."""
        found = self.page.wait_for_function(_FIRST, timeout=_PATIENCE)
        return float(found.json_value())

    def again(self) -> float:
        """Load the page once more, and return how many ms it took."""
        self.page.reload()
        return self.first()

    @property
    def took(self) -> float:
        """Milliseconds to the first candle when it was opened."""
        return self._first

    def ages(self) -> list[float]:
        """Return how old prices were when they were drawn since the last call, ms."""
        found: list[float] = self.page.evaluate("() => window.ages.splice(0)")
        return found

    def size(self) -> Size:
        """Return what the page has at hand."""
        session = self.context.new_cdp_session(self.page)
        session.send("Performance.enable")
        session.send("HeapProfiler.collectGarbage")
        told = session.send("Performance.getMetrics")["metrics"]
        found = {metric["name"]: metric["value"] for metric in told}
        session.detach()
        many = self.page.evaluate("() => document.querySelector('#candles-chart').dataset.many")
        return Size(found["JSHeapUsedSize"] / 1e6, int(found["Nodes"]), int(many))

    def close(self) -> None:
        """Look no more."""
        self.context.close()


def browsers() -> list[psutil.Process]:
    """Return the processes of the browser that we have started."""
    found = psutil.Process().children(recursive=True)
    return [process for process in found if "chrom" in process.name()]


def renderer() -> psutil.Process:
    """Return the one of them that has the page."""
    found = [process for process in browsers() if "--type=renderer" in process.cmdline()]
    return max(found, key=lambda process: process.memory_info().rss)
