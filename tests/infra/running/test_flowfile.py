from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from infra.running.flowfile import FlowError, load

FLOW = (
    "from operators import Costs\nCOSTS = Costs(fees_bps=1)\ndef strategy(tape):\n    return tape\n"
)


def test_an_edit_counts_even_if_neither_length_nor_time_tell_of_it(tmp_path: Path) -> None:
    path = tmp_path / "flow.py"
    versions = []
    for fees in (1, 2):
        path.write_text(FLOW.replace("fees_bps=1", f"fees_bps={fees}"))
        os.utime(path, (1, 1))
        flow = load(path)
        assert flow.costs.fees_bps == fees
        versions.append(flow.code_version)
    assert len(set(versions)) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["flow.py"]


def test_a_flow_hides_no_module_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text(FLOW)
    before = sys.modules["random"]
    assert load(tmp_path / "random.py").name == "random"
    assert sys.modules["random"] is before


def test_an_unknown_flow_names_those_there_are(tmp_path: Path) -> None:
    (tmp_path / "cross.py").write_text(FLOW)
    with pytest.raises(FlowError, match=r"corss.py: no such flow file; is it .*cross.py\?$"):
        load(tmp_path / "corss.py")
    with pytest.raises(FlowError, match=r"flow.py: no such flow file; there are .*cross.py$"):
        load(tmp_path / "flow.py")


def test_a_name_that_is_no_path_is_answered_with_the_flows_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FlowError, match=r"^cross: no such flow file; deck new NAME writes one$"):
        load(Path("cross"))
    Path("flows").mkdir()
    Path("flows/cross.py").write_text(FLOW)
    with pytest.raises(FlowError, match=r"^cross: no such flow file; is it flows/cross.py\?$"):
        load(Path("cross"))


@pytest.mark.parametrize("relative", [True, False])
def test_an_error_names_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, relative: bool
) -> None:
    (tmp_path / "flow.py").write_text("\n\nint('x')\n")
    monkeypatch.chdir(tmp_path)
    path = Path("flow.py") if relative else tmp_path / "flow.py"
    with pytest.raises(FlowError, match=r"flow.py, line 3: ValueError: invalid literal"):
        load(path)


def test_a_setting_that_there_is_not_is_answered_with_those_there_are(tmp_path: Path) -> None:
    path = tmp_path / "flow.py"
    path.write_text("from operators import Barriers\nBARRIERS = Barriers(trailing=0.01)\n")
    said = r"flow.py, line 2: .*'trailing'; it takes stop_loss, take_profit, timeout, trail"
    with pytest.raises(FlowError, match=said):
        load(path)
