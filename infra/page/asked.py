"""What the query of a request asks for, read strictly: whatever it says, nothing else gets in."""

from __future__ import annotations

import re
from collections.abc import Mapping

from infra.page.refusal import BAD, Refusal

MOST = 2**53
"""The greatest whole number that a browser can say exactly."""
LATEST = 9_000_000_000_000
"""The last time that history can tell, in milliseconds: of the year 2255."""
_LONGEST = 200
"""Characters of a market's name."""
_RUN = re.compile(r"[0-9a-f]{32}")
_NUMBER = re.compile(r"-?[0-9]{1,16}")


def run_of(text: str) -> str:
    """Return a run's id.

    Raises
    ------
    Refusal
        When it cannot be one.

    """
    if not _RUN.fullmatch(text):
        raise Refusal(BAD, f"run {text!r}: the whole id, 32 of 0-9 and a-f")
    return text


class Asked:
    """The query of a request.

    Parameters
    ----------
    query
        Its names and values.

    Examples
    --------
    >>> asked = Asked({"limit": "7", "market": "okx:A/B"})
    >>> asked.number("limit", 500, 1, 1_000), asked.market(), asked.number("step", None, 60, 3_600)
    (7, 'okx:A/B', None)

    """

    def __init__(self, query: Mapping[str, str]) -> None:
        self._query = query

    def number(self, name: str, default: int | None, least: int, most: int) -> int | None:
        """Return a whole number.

        Raises
        ------
        Refusal
            When it is none, or out of bounds.

        """
        text = self._query.get(name)
        if text is None:
            return default
        if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
            raise Refusal(BAD, f"{name} {text!r}: a whole number from {least} to {most}")
        return int(text)

    def count(self, name: str, default: int, least: int, most: int) -> int:
        """Return a whole number that there is always; see `number`."""
        found = self.number(name, default, least, most)
        return default if found is None else found

    def text(self, name: str) -> str | None:
        """Return a text.

        Raises
        ------
        Refusal
            When it is too long, or holds what no name does.

        """
        text = self._query.get(name)
        if text is not None and (not text.isprintable() or not 0 < len(text) <= _LONGEST):
            raise Refusal(BAD, f"{name} {text!r}: at most {_LONGEST} letters that can be printed")
        return text

    def market(self) -> str:
        """Return the market; there must be one.

        Raises
        ------
        Refusal
            When there is none.

        """
        if (found := self.text("market")) is None:
            raise Refusal(BAD, "which market? Say it, such as ?market=binance:BTC/USDT")
        return found
