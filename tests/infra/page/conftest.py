"""A browser for the tests of one file: its event loop must not outlast them. A run to look at."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from infra.history.history import History
from tests.infra.page.browser import Visit, chromium
from tests.infra.page.kept_run import Kept, keep


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


@pytest.fixture(scope="session")
def kept(history: History, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Give a finished run of two markets in a real history."""
    return keep(history, tmp_path_factory.mktemp("kept"))
