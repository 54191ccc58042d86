"""`deck dashboard` itself, from its address to Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from infra.history.history import History
from infra.settings import Settings
from tests.infra.rig import Rig, until


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    yield Rig(tmp_path)
    History(Settings(tmp_path)).stop()


def test_it_prints_the_address_that_lets_in_and_ends_with_ctrl_c(rig: Rig) -> None:
    opened, browses = rig.home / "opened", rig.home / "browser"
    browses.write_text(f"#!/bin/sh\necho $1 > {opened}\n")
    browses.chmod(0o700)
    rig.environment["BROWSER"] = f"{browses} %s"
    with rig.started("dashboard", "--port", "0", "--read-only", "--open") as process:
        assert until(process, lambda: "\n" in process.out)
        address = process.out.strip()
        with httpx.Client(follow_redirects=True, timeout=60) as browser:
            page = browser.get(address)
            assert page.status_code == 200
            assert "<title>Tapedeck" in page.text
            desk = browser.get(address.replace("/?token=", "/api/desk?token=")).json()
        assert (desk["flows"], desk["runs"], desk["read_only"]) == ([], [], True)
        assert desk["history"]["up"]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    token = urlsplit(address).query.removeprefix("token=")
    assert (rig.home / "dashboard" / "token").read_text() == token
    assert token not in err
    assert token not in opened.read_text()  # it stands on a command line, for all to see
    assert "/?token=" in opened.read_text()
    assert "Traceback" not in err
