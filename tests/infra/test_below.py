"""A directory that is looked through while others remove what is in it."""

from __future__ import annotations

import shutil
from pathlib import Path

from infra.below import below


def test_what_goes_while_we_look_hinders_nobody(tmp_path: Path) -> None:
    for name in ("a/b", "a/c"):
        (tmp_path / name).mkdir(parents=True)
    found = []
    for path in below(tmp_path):
        found.append(path.name)
        if path.name in ("b", "c"):
            shutil.rmtree(tmp_path / "a", ignore_errors=True)
    assert sorted(found) == ["a", "b", "c"]
