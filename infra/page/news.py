"""What is new of a run in history: one cheap question tells which parts are worth asking for."""

from __future__ import annotations

from infra.page.reader import Reader

_RUN = "flow = {flow:String} AND run = {run:String}"
_MARKET = f"{_RUN} AND market = {{market:String}}"
_NEAR = "flow = '' AND market = {market:String}"
"""What was found while it was taken in is of no flow."""
_LAST = "if(count() = 0, -1, max(seq))"
_GROWING = {
    "candles": ("candles", "averages"),
    "positions": ("opened", "closed", "orders"),
    "signals": ("signals", "refused", "halts"),
    "model": ("outcomes",),
}
"""Parts of a market, and the tables whose last place tells of them."""
_COUNTED = {
    "equity": (("closed", _RUN),),
    "troubles": (
        *((name, _RUN) for name in ("faults", "gaps", "rejects", "lates", "halts")),
        *((name, _NEAR) for name in ("gaps", "rejects")),
    ),
}
"""Parts of a run, and the tables whose rows tell of them."""


def _query() -> str:
    """Return the one question; it reads only what stands behind the places that are known."""
    marks = {
        part: [
            f"(SELECT {_LAST} FROM {table} WHERE {_MARKET} AND seq > {{{table}:Int64}})"  # noqa: S608 - the names are ours, all values are parameters
            for table in tables
        ]
        for part, tables in _GROWING.items()
    }
    for part, counts in _COUNTED.items():
        marks[part] = [f"(SELECT count() FROM {table} WHERE {whose})" for table, whose in counts]  # noqa: S608 - as above
    listed = (
        f"[{', '.join(f'toInt64({mark})' for mark in found)}] AS {part}_"
        for part, found in marks.items()
    )
    return f"SELECT {', '.join(listed)} SETTINGS final = 0"


_QUERY = _query()
"""Rows that came twice may be counted twice: then a part is asked for once more than it must."""


class News:
    """What of a market's run has changed since it was asked for last.

    Parameters
    ----------
    reader
        Asks history.
    whose
        Its flow, run and market.

    """

    def __init__(self, reader: Reader, whose: dict[str, object]) -> None:
        self._reader, self._whose = reader, whose
        self._places = {table: -1 for tables in _GROWING.values() for table in tables}
        self._counts: dict[str, list[int]] = {}

    def look(self) -> set[str]:
        """Return which parts have changed.

        Raises
        ------
        Refusal
            When history cannot be reached.

        """
        found = self._reader.ask(_QUERY, **self._whose, **self._places)
        changed = set()
        for part, tables in _GROWING.items():
            places = dict(zip(tables, found[f"{part}_"][0], strict=True))
            grown = {name: place for name, place in places.items() if place > self._places[name]}
            if grown:
                changed.add(part)
                self._places |= grown
        for part in _COUNTED:
            counts = found[f"{part}_"][0]
            if counts != self._counts.get(part):
                changed.add(part)
                self._counts[part] = counts
        return changed
