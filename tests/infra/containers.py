"""What the tests of containers share: the files as the programs read them, without any engine."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import typer
import yaml

from infra.deck import command_line
from infra.deploy import parent

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "infra" / "compose" / "compose.yaml"
CHART = ROOT / "infra" / "kubernetes" / "tapedeck"
TOLD = {"CLICKHOUSE_PASSWORD": "a", "GRAFANA_PASSWORD": "b", "MARKETS": "binance:BTC/USDT"}
"""What compose.yaml cannot do without."""
Tree: TypeAlias = "dict[str, Any]"
_MAKE_SECONDS = 290


class Refused(Exception):
    """What a program said of files that it does not take."""


@cache
def need(script: Path) -> None:
    """Skip where the program behind a script cannot be had; CI must have it."""
    done = subprocess.run(
        [script, "--make"], capture_output=True, text=True, timeout=_MAKE_SECONDS, check=False
    )
    if done.returncode:
        said = f"{script.name} --make: {done.stderr.strip()}"
        pytest.fail(said) if os.environ.get("CI") else pytest.skip(said)


def composed(*files: Path, told: Mapping[str, str] = TOLD, profiles: str = "*") -> Tree:
    """Return what compose files come to, as docker compose's own reader reads them."""
    script = ROOT / "infra" / "compose" / "check.sh"
    need(script)
    environment = {**os.environ, "COMPOSE_PROFILES": profiles, **told}
    found: Tree = json.loads(_said(script, *(files or (COMPOSE,)), environment=environment))
    return found


def helm(*words: str | Path) -> str:
    """Return what helm says."""
    script = ROOT / "infra" / "kubernetes" / "helm.sh"
    need(script)
    return _said(script, *words)


def rendered(*words: str | Path) -> list[Tree]:
    """Return the resources that the chart makes of values."""
    text = helm("template", "x", CHART, *words)
    return [found for found in yaml.safe_load_all(text) if found]


def accepts(words: Sequence[str]) -> None:
    """See that one of our programs knows all options that it is given."""
    match list(words):
        case ["python", "-m", "infra.deploy.parent", *rest]:
            parent._options(rest)
        case ["deck", *rest]:
            command = typer.main.get_command(command_line(rest))
            with command.make_context("deck", rest) as context:
                name, found, left = command.resolve_command(context, rest)  # type: ignore[attr-defined]
                found.make_context(name, left, parent=context).close()
        case _:
            pytest.fail(f"nothing of ours: {words}")


def _said(*words: str | Path, environment: Mapping[str, str] | None = None) -> str:
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise Refused(done.stderr + done.stdout)
    return done.stdout
