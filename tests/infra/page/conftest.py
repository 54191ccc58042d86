"""A browser for the tests of one file: its event loop must not outlast them."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.infra.page.browser import Visit, chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Visit]]:
    """Give what opens the page; whoever visits is gone behind the test."""
    visits: list[Visit] = []

    def opened(address: str, **options: object) -> Visit:
        visits.append(Visit(browser, **options))
        visits[-1].page.goto(address)
        return visits[-1]

    yield opened
    for each in visits:
        each.context.close()
