"""Kept states with a seal: what a disk has changed of them is noticed, and never believed."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from schemas.mendable import Mendable

_SIZE = 8
SUM = "sum"
"""What a mapping's seal is called in it."""


class TornError(Mendable, ValueError):
    """A kept state that is not what was kept."""


def sealed(content: bytes) -> bytes:
    """Return content with a seal in front.

    Examples
    --------
    >>> opened(sealed(b"state"))
    b'state'

    """
    return _digest(content) + content


def opened(content: bytes) -> bytes:
    """Return what was sealed.

    Raises
    ------
    TornError
        When it is something else now.

    """
    if len(content) < _SIZE or _digest(content[_SIZE:]) != content[:_SIZE]:
        msg = "a kept state was changed on its disk"
        raise TornError(msg)
    return content[_SIZE:]


def sum_of(state: Mapping[str, object]) -> str:
    """Return the seal of a mapping of plain values, which stands in it as `SUM`.

    Examples
    --------
    >>> sum_of({"first": 1}) == sum_of({"first": 1, "sum": "00"}) != sum_of({"first": 2})
    True

    """
    return _digest(repr([pair for pair in state.items() if pair[0] != SUM]).encode()).hex()


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=_SIZE).digest()
