"""What is below a directory that others change meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def below(directory: Path) -> Iterator[Path]:
    """Yield all files and directories below one; `rglob` fails if one of them goes meanwhile."""
    for above, directories, files in os.walk(directory):
        for name in (*directories, *files):
            yield Path(above, name)
