from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from schemas.arrow import pa

_BLOCKS = """
import sys
from schemas import Averages
from schemas.tables import Record, block
rows = block("flow", "run", Averages, [Record(0, Averages("sim:A/USD", 1, {"sma5": 1.0}))])
assert rows.num_rows == 1
assert "pandas" not in sys.modules
"""


def test_rows_for_history_are_made_without_pandas() -> None:
    subprocess.run([sys.executable, "-c", _BLOCKS], cwd=Path(__file__).parents[2], check=True)


def test_whoever_wants_a_frame_gets_it() -> None:
    frame = pa.table({"a": [1, 2]}).to_pandas()
    assert frame["a"].tolist() == [1, 2]
    assert pa.Table.from_pandas(frame).column_names == ["a"]
    with pytest.raises(ModuleNotFoundError, match="pandaz"):
        __import__("pandaz")
