"""Which checkpoints of a run are where one stretch ends and the next begins."""

from __future__ import annotations

from infra.recovery.starts import Start
from infra.verify.checkpoints import Checkpoint
from infra.verify.stretch import went_on


def point(at: int, why: str, code: str) -> Checkpoint:
    return Checkpoint(at, "a" * 32, "cross", code, "1.0", why)


def test_a_start_with_other_code_that_was_refused_ends_no_stretch() -> None:
    points = [
        point(10, "regular", "old"),
        point(20, "code", "never"),
        point(30, "verify", "old"),
        point(40, "code", "new"),
        point(50, "code", "never"),
        point(60, "code", "newest"),
        point(80, "code", "never"),
    ]
    began = {"old": 1, "new": 41, "newest": 61}
    starts = [Start(code, "1.0", "0s", at) for code, at in began.items()]
    assert [one.at for one in went_on(points, starts)] == [10, 30, 40, 60]
