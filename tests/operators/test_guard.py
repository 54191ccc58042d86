"""The guard: what the user's code raises becomes a fault that reads the same on every machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from operators.guard import guarded
from schemas import Fault


def fault(call: Callable[[], object]) -> Fault:
    answer = guarded("test:BTC/USDT", 7, "rule", call)
    assert isinstance(answer, Fault)
    return answer


def raising(error: Exception) -> Callable[[], object]:
    def call() -> object:
        raise error

    return call


def deep(depth: int) -> int:
    return 1 // 0 if not depth else deep(depth - 1)


class Unspeakable(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        msg = "no words"
        raise ValueError(msg)


def test_what_is_answered_goes_through() -> None:
    assert guarded("test:BTC/USDT", 7, "rule", lambda: 8) == 8


def test_a_fault_says_where_and_what() -> None:
    found = fault(raising(ValueError("no")))
    assert (found.market, found.ts, found.where) == ("test:BTC/USDT", 7, "rule")
    assert found.error == "ValueError: no"
    assert found.traceback.startswith("test_guard.py:")
    assert found.traceback.endswith(" in call")


def test_a_traceback_is_short() -> None:
    assert fault(lambda: deep(50)).traceback.count(" in deep") == 3


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (f"{object()!r} is none", "<object object at 0x...> is none"),
        (f"no such file: {Path(__file__)}", "no such file: test_guard.py"),
        (f"[Errno 2] '{Path.home() / 'a' / 'model.pkl'}'", "[Errno 2] 'model.pkl'"),
        (r"no C:\Users\me\model.pkl", "no model.pkl"),
        ("binance:BTC/USDT at 7/8 of 1/2", "binance:BTC/USDT at 7/8 of 1/2"),
        ("x" * 600, "x" * 488),
    ],
    ids=["an address", "a file", "a home", "another system", "no folder", "a long one"],
)
def test_a_fault_tells_nothing_of_the_machine(text: str, error: str) -> None:
    assert fault(raising(ValueError(text))).error == f"ValueError: {error}"[:500]


def test_a_fault_is_told_whatever_the_error_says_of_itself() -> None:
    assert fault(raising(Unspeakable())).error == "Unspeakable"


def test_the_guard_lets_a_stop_through() -> None:
    def stop() -> object:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guarded("test:BTC/USDT", 7, "rule", stop)
