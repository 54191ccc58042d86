"""Who sees to it that a log does not grow for ever."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from connectors.disk import DiskError
from connectors.log.keeper import Keep, Keeper
from connectors.log.log import LogError


class _Log:
    """Has so many pieces that may go, and tells what it was asked."""

    def __init__(self, pieces: int, used: int = 0) -> None:
        self.pieces, self.bytes = pieces, used
        self.asked: list[object] = []

    def retain(
        self, max_age: int | None, max_bytes: int | None, before: Mapping[str, int] | None
    ) -> bool:
        self.asked.append((max_age, max_bytes, before))
        self.pieces -= 1
        return self.pieces >= 0

    def used(self) -> int:
        return self.bytes


def test_it_goes_on_piece_by_piece_and_then_rests() -> None:
    log = _Log(3)
    keeper = Keeper(log, Keep(age=1, size=2))
    for _ in range(4):
        assert keeper.wait() == 0
        keeper.work()
    assert keeper.wait() > 30
    keeper.work()
    assert log.asked == [(1, 2, None)] * 4


def test_it_looks_once_a_round_what_is_archived() -> None:
    log = _Log(3)
    looks: list[int] = []

    def archived() -> dict[str, int]:
        looks.append(len(looks))
        return {"p": 7}

    keeper = Keeper(log, Keep(age=1, size=None, archived=archived))
    while not keeper.wait():
        keeper.work()
    assert log.asked == [(1, None, {"p": 7})] * 4
    assert looks == [0]


@pytest.mark.parametrize("error", [LogError("full"), DiskError("away"), ValueError("torn")])
def test_what_goes_wrong_is_logged_and_tried_again_later(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def archived() -> dict[str, int]:
        raise error

    log = _Log(3)
    keeper = Keeper(log, Keep(archived=archived))
    keeper.work()
    assert keeper.wait() > 30
    assert log.asked == []
    assert f"nothing can be let go: {error}" in caplog.text


def test_a_log_that_must_stay_larger_than_it_may_be_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    Keeper(_Log(0, used=1_500), Keep(size=1_000)).work()
    assert "1,500 bytes are kept, which is more than 1,000: the rest is not arch" in caplog.text
