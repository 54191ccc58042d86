"""Arrow, which leaves pandas alone until somebody wants a frame: `from schemas.arrow import pa`.

The first array that Arrow makes imports pandas if it is there, and River brings it: a third of a
second and 60 MB in each process. What could not be found then is looked for again by `to_pandas`
and its like, and found.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import pyarrow as pa

__all__ = ["pa"]


class _WithoutPandas(MetaPathFinder):
    """Finds everything but pandas."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Let others look, but for pandas."""
        del path, target
        if name == "pandas":
            raise ModuleNotFoundError(name=name)
        return None


def _leave_pandas() -> None:
    if "pandas" in sys.modules:
        return
    finder = _WithoutPandas()
    sys.meta_path.insert(0, finder)
    try:
        pa.array([0])
    finally:
        sys.meta_path.remove(finder)


_leave_pandas()
