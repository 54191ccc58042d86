"""What the doctor says of one thing that was looked at."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

State: TypeAlias = Literal["ok", "warn", "bad"]


class Finding(NamedTuple):
    """What was looked at, how it is, and what to do."""

    check: str
    state: State
    says: str
    remedy: str = ""


def ok(check: str, says: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(check, "ok", says)


def warn(check: str, says: str, remedy: str) -> Finding:
    """Return that something should be looked at."""
    return Finding(check, "warn", says, remedy)


def bad(check: str, says: str, remedy: str) -> Finding:
    """Return that something must be mended."""
    return Finding(check, "bad", says, remedy)


def measured(
    check: str, says: str, value: float, limits: tuple[float, float], remedy: str
) -> Finding:
    """Return how a number is that should be small: two limits, to be looked at and to be mended.

    Examples
    --------
    >>> measured("clock", "0.4 s off", 0.4, (0.25, 1.0), "set it").state
    'warn'

    """
    troubling, intolerable = limits
    if value >= intolerable:
        return bad(check, says, remedy)
    return warn(check, says, remedy) if value >= troubling else ok(check, says)
