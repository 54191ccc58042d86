"""Which column of a file is which of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote

from connectors.recordings.files import DataError, File
from schemas import SECOND, Time

ALIASES = {
    "ts": ("ts_ns", "ts", "timestamp", "time"),
    "symbol": ("symbol",),
    "price": ("price",),
    "size": ("size", "amount", "quantity", "qty"),
    "side": ("side",),
    "trade_id": ("trade_id", "id"),
    "received": ("recv_ns", "received"),
    "event": ("event",),
}
"""Our names, and what files call them. The first is ours alone and wins over the others."""

NEEDED = ("ts", "price", "size")
TIMES = ("ts", "received")
UNITS = {"s": 9, "ms": 6, "us": 3, "ns": 0}
"""Units of time, and how many decimal places of each are nanoseconds."""

_SENSIBLE = range(1_231_000_000 * SECOND, 1_988_000_000 * SECOND)
"""Times that ticks may well have: from the first of Bitcoin, in 2009, to 2032."""

_CANDLES = {"open", "high", "low", "close"}

_OURS = {alias: ours for ours, aliases in ALIASES.items() for alias in aliases}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a file has our columns.

    Parameters
    ----------
    names
        Our name to the file's.
    units
        The unit of a time column's whole numbers, where it is known.

    """

    names: Mapping[str, str]
    units: Mapping[str, str] = field(default_factory=dict)


class Wanted:
    """The user's own mapping of columns.

    Parameters
    ----------
    columns
        Our column name to the file's; a time's may end in its unit: `{"ts": "timestamp:ms"}`.

    Examples
    --------
    >>> from pathlib import Path
    >>> file = File(Path("btc.csv"), "btc.csv", "csv", None, 1)
    >>> Wanted({"ts": "t:ms"}).layout(file, ["t", "price", "qty"], one_market=True)
    Layout(names={'ts': 't', 'price': 'price', 'size': 'qty'}, units={'ts': 'ms'})

    """

    def __init__(self, columns: Mapping[str, str] | None = None) -> None:
        self._columns: dict[str, str] = {}
        for name, theirs in (columns or {}).items():
            if name not in _OURS:
                raise DataError(f"no column {name!r} to map; there are {', '.join(ALIASES)}")
            self._columns[_OURS[name]] = theirs

    def layout(
        self, file: File, there: Sequence[str], one_market: bool, trades: bool = True
    ) -> Layout:
        """Return where `file` has our columns, given the ones that are there.

        Raises
        ------
        DataError
            When one is missing, or could be one of several.

        """
        names: dict[str, str] = {}
        units: dict[str, str] = {}
        for ours in ALIASES:
            name, unit = self._place(file, ours, there)
            if name is not None:
                names[ours] = name
            if unit is not None:
                units[ours] = unit
        if trades:
            for ours in (*NEEDED, *(() if one_market else ("symbol",))):
                if ours not in names:
                    raise _missing(file, ours, there)
        return Layout(names, units)

    def _place(self, file: File, ours: str, there: Sequence[str]) -> tuple[str | None, str | None]:
        mapped = self._columns.get(ours)
        if mapped is None:
            name = _guess(file, ours, there)
            return name, "ns" if name in ("ts_ns", "recv_ns", "received") else None
        name, colon, unit = mapped.rpartition(":")
        if colon and ours in TIMES and unit in UNITS and mapped not in there:
            mapped = name
        else:
            unit = "ns" if mapped in ("ts_ns", "recv_ns", "received") else ""
        if mapped not in there:
            if colon and name in there and ours in TIMES:
                raise DataError(
                    f"{file.path}: {ours}={self._columns[ours]}: {mapped.rpartition(':')[2]!r} is "
                    f"no unit; there are {', '.join(UNITS)}"
                )
            raise _missing(file, ours, there, mapped)
        return mapped, unit or None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def likely_unit(first: Time, last: Time, unit: str) -> str | None:
    """Return what numbers that were taken for `unit` must count instead, to be times of ticks.

    Examples
    --------
    >>> likely_unit(1_700_000_000, 1_700_000_060, "ns")  # some seconds of 1970, or a minute of 2023
    's'
    >>> likely_unit(1_700_000_000 * SECOND, 1_700_000_060 * SECOND, "ns")

    """
    if first in _SENSIBLE and last in _SENSIBLE:
        return None
    for other, places in UNITS.items():
        scaled = [ts * 10**places // 10 ** UNITS[unit] for ts in (first, last)]
        if all(ts in _SENSIBLE for ts in scaled):
            return other
    return None


def _guess(file: File, ours: str, there: Sequence[str]) -> str | None:
    first, *others = ALIASES[ours]
    found = [name for name in there if name.lower() == first]
    if not found:
        found = [name for name in there if name.lower() in others]
    if len(found) > 1:
        raise DataError(
            f"{file.path}: {' and '.join(found)} could each be {ours!r}; say which: "
            f"--column {ours}={found[0]}"
        )
    return found[0] if found else None


def _missing(file: File, ours: str, there: Sequence[str], mapped: str | None = None) -> DataError:
    what = repr(ours if mapped is None else mapped)
    known = f" (or {', '.join(ALIASES[ours][1:])})" if mapped is None and ALIASES[ours][1:] else ""
    example = next((name for name in there if name.lower() not in _OURS), "NAME")
    remedy = f"map one with --column {quote(f'{ours}={example}')}"
    if ours == "symbol" and mapped is None:
        remedy = f"name the market with --market EXCHANGE:SYMBOL, or {remedy}"
    elif any(_is_number(name) for name in there):
        remedy = "its first line must name the columns, such as timestamp,price,amount"
    elif ours == "price" and _CANDLES.issubset(map(str.lower, there)):
        remedy = "these are candles, and a tape is made of trades: give it the trades"
    return DataError(
        f"{file.path}: no column {what}{known}; there are {', '.join(there) or 'none'}; {remedy}"
    )
