"""How long an executor waits: longer behind each failure, but not for ever."""

from __future__ import annotations

from itertools import pairwise

from connectors.blotter.rules import Rules
from schemas import MINUTE, SECOND


def test_each_failure_doubles_the_wait_up_to_a_minute() -> None:
    waits = [Rules().backoff(failures) for failures in range(1, 40)]
    assert waits[0] == SECOND // 2
    for one, next_ in pairwise(waits):
        assert next_ == min(2 * one, MINUTE)
    assert waits[-1] == MINUTE
