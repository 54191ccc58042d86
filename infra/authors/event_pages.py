"""The pages of docs/events: what stands on a tape, field by field, and its table in history."""

from __future__ import annotations

from collections.abc import Iterator

from infra.authors.docstrings import Setting, flowing, settings, told
from schemas import DERIVED, OUTSIDE, Event, Trades
from schemas.tables import columns, table

_UNITS = {
    "quote per base": (
        "price", "open", "high", "low", "close", "vwap", "limit", "entry", "exit", "expected",
        "worst", "stop", "take", "tick",
    ),
    "base, or contracts": (
        "size", "amount", "volume", "buy_volume", "sell_volume", "depth_left", "lot",
    ),
    "quote": ("quote_volume", "fee", "fees", "pnl", "funding", "min_notional"),
    "part": ("odds", "net_return", "gross_return", "trailing", "maker_fee", "taker_fee"),
    "basis points": ("slippage_bps",),
    "base per unit of amount": ("contract_size",),
}  # fmt: skip
UNITS = {name: unit for unit, names in _UNITS.items() for name in names}
_OF_A_PREDICTION = {"expected": "part"}
_OF_AN_ORDER = {"stop": "part"}
_OF_A_SIGNAL = {"amount": "see `unit`"}
OTHERWISE = {
    "Prediction": _OF_A_PREDICTION,
    "Outcome": _OF_A_PREDICTION,
    "Order": _OF_AN_ORDER,
    "Signal": _OF_A_SIGNAL,
}
"""Fields whose unit is another than that of their namesakes."""
_SHARED = frozenset({
    "flow", "run", "market", "seq", "ts", "partition", "offset", "row", "received", "backfilled",
})  # fmt: skip
"""Columns that the head of a page tells of."""
_OUTSIDE = """\
What a market log holds, and a replay reads. Each has its `market` and `ts`, the exchange's stamp
(behind the tape entry: tape time, and the stamp is `stamp`), and its place in the log, the only
order there is: `partition`, `offset`, `row` in history. `received` is our own clock, and enters no
derived event; `backfilled` marks trades that were fetched later. `Gap` and `Reject` are concluded
on the tape, too: then they have `flow`, `run` and `seq`, as what is concluded has."""
_DERIVED = """\
What operators conclude. Each stands right behind the event that caused it. All have a `market`
(`exchange:SYMBOL`, as ccxt writes symbols) and a `ts`, the tape's time at the cause. In history
they have a `flow`, a `run` and a `seq`, their number there, besides: with the market that is their
id, and a replay of the same tape gives the same rows."""
_BOTH = """\
Times are nanoseconds since 1970 UTC; in history they are `DateTime64(9, 'UTC')`. Money is exact, a
`Decimal`. A part is a share of one: 0.01 is one per cent. This page is made from the code:
`make docs`."""


def event_pages() -> dict[str, str]:
    """Return the text of each page, by its name."""
    return {
        "outside": "\n".join(_page("Events from outside", _OUTSIDE, OUTSIDE)),
        "derived": "\n".join(_page("Events that a flow concludes", _DERIVED, DERIVED)),
    }


def _page(title: str, said: str, kinds: tuple[type[Event], ...]) -> Iterator[str]:
    yield f"# {title}\n\n{said}\n\n{_BOTH}\n"
    names = ", ".join(f"[`{kind.__name__}`](#{kind.__name__.lower()})" for kind in kinds)
    yield f"{names}\n"
    for kind in kinds:
        yield from _event(kind)


def _event(kind: type[Event]) -> Iterator[str]:
    says = told(kind)
    yield f"## {kind.__name__}\n\n{says.summary}\n"
    if says.text:
        yield f"{flowing(says.text)}\n"
    yield f"Table `{table(kind)}`.\n"
    yield "| column | in Python | in history | unit | |\n|---|---|---|---|---|"
    fields = {one.name: one for one in (_rows(kind) if kind is Trades else settings(kind))}
    for name, form in columns(kind).items():
        if name not in _SHARED:
            own = fields[name]
            python = own.type.replace("|", "\\|")
            unit = OTHERWISE.get(kind.__name__, {}).get(name) or UNITS.get(name, "")
            unit = unit if own.type.startswith(("float", "Decimal")) else ""
            yield f"| `{name}` | `{python}` | `{form.clickhouse}` | {unit} | {own.says} |"
    yield ""


def _rows(kind: type[Event]) -> list[Setting]:
    """Return the columns of a slice of trades as if they were fields."""
    of = {"ts": "Time", "price": "float", "size": "float", "side": "int", "id": "int | str"}
    said = {"side": "the aggressor: 1 the buyer, -1 the seller, 0 unknown"}
    return [Setting(name, type_, "", said.get(name, "")) for name, type_ in of.items()]
