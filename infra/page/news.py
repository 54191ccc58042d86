"""What is new of a run in history: one cheap question tells which parts are worth asking for."""

from __future__ import annotations

from infra.page.reader import Reader

_ALL = "flow = {flow:String} AND run = {run:String}"
_OF = f"{_ALL} AND market = {{market:String}}"


def _newest(table: str, whose: str = _OF) -> str:
    return f"(SELECT max(seq) FROM {table} WHERE {whose})"  # noqa: S608 - the names are ours


def _count(table: str, whose: str) -> str:
    return f"(SELECT count() FROM {table} WHERE {whose})"  # noqa: S608 - as above


_NEAR = "flow = '' AND market = {market:String}"
_MARKS: dict[str, tuple[str, ...]] = {
    "candles": (
        f"(SELECT max(seq) FROM candles WHERE {_OF} AND seq > {{last:Int64}})",  # noqa: S608 - as above
        f"(SELECT max(seq) FROM averages WHERE {_OF} AND seq > {{last:Int64}})",  # noqa: S608 - as above
    ),
    "positions": (_newest("opened"), _newest("closed"), _newest("orders")),
    "signals": (_newest("signals"), _newest("refused"), _newest("halts")),
    "equity": (_count("closed", _ALL),),
    "model": (_newest("outcomes"),),
    "troubles": (
        *(_count(name, _ALL) for name in ("faults", "gaps", "rejects", "lates", "halts")),
        *(_count(name, _NEAR) for name in ("gaps", "rejects")),
    ),
}
_QUERY = "SELECT " + ", ".join(
    f"[{', '.join(f'toInt64({mark})' for mark in marks)}] AS {name}"
    for name, marks in _MARKS.items()
)


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
        self._seen: dict[str, object] = {}

    def look(self, last: int) -> set[str]:
        """Return which parts have changed.

        Parameters
        ----------
        last
            The place of the last candle that is known.

        Raises
        ------
        Refusal
            When history cannot be reached.

        """
        found = self._reader.ask(_QUERY, **self._whose, last=last)
        now = {name: column[0] for name, column in found.items()}
        changed = {name for name, marks in now.items() if marks != self._seen.get(name)}
        self._seen = now
        if not any(now["candles"]):
            changed.discard("candles")
        return changed
