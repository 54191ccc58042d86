"""Trying a seed: what was lived through, or why it failed."""

from __future__ import annotations

import shutil
import traceback
from pathlib import Path
from typing import NamedTuple

from tests.chaos import before, behind
from tests.chaos.again import Lived

CLASSES = {"behind": behind.run, "before": before.run}


class Tried(NamedTuple):
    """A seed, and what became of it."""

    kind: str
    seed: int
    lived: Lived | None
    why: str
    """Why it failed; empty if all that must hold did."""


def attempt(kind: str, seed: int, directory: Path) -> Tried:
    """Try a seed of a class; what it left is removed if all that must hold did."""
    home = directory / f"{kind}-{seed}"
    try:
        lived = CLASSES[kind](seed, home)
    except Exception:  # noqa: BLE001 - whatever it is, the table tells it
        return Tried(kind, seed, None, traceback.format_exc())
    for left in directory.glob(f"{home.name}*"):
        shutil.rmtree(left)
    return Tried(kind, seed, lived, "")
