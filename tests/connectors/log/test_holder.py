"""One process writes to a log, and others know which."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from connectors.log.holder import NOTE, Hold, Holder, holder
from connectors.log.log import LogError
from tests.connectors.log_rig import ROOT


def test_who_holds_a_log_is_known_until_it_lets_go(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    with closing(Hold(tmp_path)):
        held = holder(tmp_path)
        assert held is not None
        assert held.pid == os.getpid()
        with pytest.raises(LogError, match=f"process {os.getpid()} writes to the log in"):
            Hold(tmp_path)
    assert holder(tmp_path) is None
    Hold(tmp_path).close()


def test_a_note_of_a_dead_process_is_nobodys(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from connectors.log.holder import Hold\n"
        "held = Hold(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        held = holder(tmp_path)
        assert held is not None
        assert held.pid == process.pid
        process.kill()
    assert (tmp_path / NOTE).exists()
    assert holder(tmp_path) is None
    Hold(tmp_path).close()


def test_a_note_that_is_half_written_still_says_that_one_writes(tmp_path: Path) -> None:
    with closing(Hold(tmp_path)):
        (tmp_path / NOTE).write_text('{"pid": 1')
        assert holder(tmp_path) == Holder(0, 0)


def test_a_log_that_is_not_there_is_held_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert holder(tmp_path / "none") is None
    assert holder(tmp_path / "file") is None
