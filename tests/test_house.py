"""The house's own laws: who may import whom, what a lock pins, which doors there are."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from importlib.machinery import PathFinder
from importlib.metadata import requires
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent

MAY_IMPORT = {
    "schemas": set(),
    "operators": {"schemas"},
    "connectors": {"schemas"},
    "flows": {"operators", "connectors", "schemas"},
    "infra": {"operators", "connectors", "schemas", "flows"},
}
PURE = {"operators", "flows"}
IMPURE_MODULES = {
    "asyncio", "multiprocessing", "os", "random", "secrets", "socket", "subprocess", "threading",
    "time", "uuid",
}  # fmt: skip
IMPURE_ATTRIBUTES = {
    "default_rng", "monotonic", "monotonic_ns", "now", "perf_counter", "perf_counter_ns", "random",
    "time_ns", "today", "utcnow",
}  # fmt: skip
IMPURE_CALLS = {"input", "open"}  # by name: `candle.open` is a price


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name.partition(".")[0] for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [(node.module or "").partition(".")[0]]
    return []


def _reached(node: ast.AST) -> str | None:
    match node:
        case ast.Attribute(attr=name) if name in IMPURE_ATTRIBUTES:
            return name
        case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
            return name
    return None


def breaches(room: str, source: str) -> Iterator[str]:
    """Tell each place where a file of `room` reaches for what it must not know."""
    forbidden = {*MAY_IMPORT, "tests", "benchmarks"} - MAY_IMPORT[room] - {room}
    for node in ast.walk(ast.parse(source)):
        for name in _imported(node):
            if name in forbidden or (room in PURE and name in IMPURE_MODULES):
                yield f"{room} may not import {name}"
        if room in PURE and (reached := _reached(node)):
            yield f"{room} may not use {reached}"


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_knows_only_the_rooms_below_it(room: str) -> None:
    files = {path: path.read_text("utf-8") for path in (ROOT / room).rglob("*.py")}
    found = [f"{path}: {breach}" for path, code in files.items() for breach in breaches(room, code)]
    assert files
    assert not found


@pytest.mark.parametrize(
    ("room", "source", "breach"),
    [
        ("schemas", "import operators.tape", "schemas may not import operators"),
        ("operators", "from connectors.rest import x", "operators may not import connectors"),
        ("connectors", "def f():\n import operators", "connectors may not import operators"),
        ("flows", "from infra import run", "flows may not import infra"),
        ("infra", "import tests", "infra may not import tests"),
        ("operators", "from time import time", "operators may not import time"),
        ("operators", "datetime.now(UTC)", "operators may not use now"),
        ("flows", "np.random.default_rng(1)", "flows may not use default_rng"),
        ("flows", "open('ticks')", "flows may not use open"),
    ],
)
def test_a_breach_is_seen(room: str, source: str, breach: str) -> None:
    assert breach in list(breaches(room, source))


def test_what_a_room_may_do_is_no_breach() -> None:
    assert not list(breaches("flows", "def cross(now):\n return now.before, candle.open"))
    assert not list(breaches("connectors", "import time, schemas\ntime.time_ns()"))


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_no_installed_package_shadows_a_room(room: str) -> None:
    elsewhere = [entry for entry in sys.path if Path(entry).resolve() != ROOT.resolve()]
    shadow = PathFinder.find_spec(room, elsewhere)
    assert shadow is None
    ours = importlib.util.find_spec(room)
    assert ours is not None
    assert ours.origin == str(ROOT / room / "__init__.py")


def test_the_rooms_are_packages_and_the_root_is_none() -> None:
    assert not (ROOT / "__init__.py").exists()
    assert all((ROOT / room / "__init__.py").is_file() for room in MAY_IMPORT)


@pytest.mark.parametrize("room", ["schemas", "operators", "connectors"])
def test_every_file_has_its_test(room: str) -> None:
    files = (path.relative_to(ROOT) for path in (ROOT / room).rglob("*.py"))
    twins = (
        ROOT / "tests" / path.with_name(f"test_{path.name}")
        for path in files
        if path.name != "__init__.py"
    )
    assert not [str(twin.relative_to(ROOT)) for twin in twins if not twin.exists()]


def test_make_help_lists_every_door() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):(?!=)", makefile, re.MULTILINE))
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    listed = set(re.findall(r"^make (\S+) +\S", shown, re.MULTILINE))
    assert listed == targets
    assert listed >= {"run", "test", "check", "bench", "help"}


@pytest.mark.skipif(not (ROOT / "infra" / "deck.py").exists(), reason="the command is not written")
def test_the_command_has_every_door() -> None:
    deck = Path(sys.executable).with_name("deck")
    shown = subprocess.run([deck, "--help"], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"\w+", shown)) >= {"run", "replay", "simulate", "sql"}


def test_the_lock_pins_what_the_project_names() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE))
    for requirement in map(Requirement, requires("tapedeck") or []):
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement} is not in the lock: make lock"
        assert pin in requirement.specifier, f"{requirement} is locked at {pin}: make lock"


def test_every_pin_has_a_hash_and_names_no_place() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    entries = re.split(r"^(?=\w)", lock, flags=re.MULTILINE)[1:]
    assert entries
    assert all("==" in entry and "--hash=sha256:" in entry for entry in entries)
    assert "://" not in lock
    assert "file:" not in lock
