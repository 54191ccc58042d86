"""The image: what goes into it, read from its files; no engine builds it here."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from importlib.metadata import requires, version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.settings import Settings
from tests.infra.containers import CHART, ROOT

DOCKERFILE = (ROOT / "infra" / "image" / "Dockerfile").read_text("utf-8")
ROOMS = {"schemas", "operators", "connectors", "flows", "infra"}


def pins(lock: Path) -> dict[str, set[str]]:
    """Return the hashes of each pin."""
    entries = re.split(r"^(?=\w)", lock.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {entry.split()[0]: set(re.findall(r"sha256:\w+", entry)) for entry in entries}


@pytest.fixture(scope="module")
def locked() -> dict[str, set[str]]:
    return pins(ROOT / "infra" / "image" / "requirements.lock")


def test_the_image_has_the_very_packages_that_the_tests_have(locked: dict[str, set[str]]) -> None:
    everything = pins(ROOT / "requirements.lock")
    assert locked.items() <= everything.items(), "make lock"
    assert all(locked.values())


def test_it_has_what_is_needed_to_run_and_nothing_to_develop(locked: dict[str, set[str]]) -> None:
    names = {pin.partition("==")[0] for pin in locked}
    asked = [Requirement(text) for text in requires("tapedeck") or []]
    needed = {canonicalize_name(one.name) for one in asked if not one.marker}
    assert needed | {"setuptools"} <= names, "make lock"
    assert not names & {"pytest", "mypy", "ruff", "hypothesis", "kubernetes-validate", "uv"}


def test_all_rooms_and_no_more_are_copied_and_none_is_ignored() -> None:
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for words in copies for source in words.split()}
    assert {source for source in sources if (ROOT / source).is_dir()} == ROOMS
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_in = {line[1:] for line in lines if line.startswith("!")}
    left_out = [line for line in lines if (line and line[0] not in "#!*") or line.startswith("**")]
    for source in sources:
        assert (ROOT / source).exists()
        assert source.partition("/")[0] in let_in
    for secret in ("infra/compose/.env", "infra/compose/keys.env", "infra/x/__pycache__"):
        assert any(fnmatch(secret, pattern.replace("**", "*")) for pattern in left_out)


def test_it_runs_as_nobody_in_particular_below_an_init() -> None:
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in last
    assert '\nENTRYPOINT ["tini", "--"]\n' in last


def test_what_it_sets_is_what_we_read() -> None:
    environment = dict(re.findall(r"\b(TAPEDECK_[A-Z_]+)=(\S+)", DOCKERFILE))
    settings = Settings.from_environment(environment)
    assert settings.home == Path("/data/tapedeck")
    assert settings.metrics_host == "0.0.0.0"
    assert environment.keys() == {"TAPEDECK_HOME", "TAPEDECK_METRICS_HOST", "TAPEDECK_REVISION"}


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert chart["appVersion"] == version("tapedeck")
