"""Any event of any kind, built from its fields' forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from schemas import DERIVED, OUTSIDE, Book, Event, Position, Trades
from schemas.forms import FORMS, Form, canonical, forms

WHOLE = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(1e-9, 1e9)
DECIMAL = (st.decimals(-(10**37), 10**37, places=38) | st.decimals(-1000, 1000, places=2)).map(
    canonical
)
AT = st.none() | st.builds(Position, TEXT, st.integers(0, 2**40), st.integers(0, 2**20))

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": TEXT,
    "Side": st.sampled_from(["long", "short"]),
    "Aggressor": st.sampled_from(["buy", "sell"]),
    "Unit": st.sampled_from(["quote", "base"]),
    "OrderKind": st.sampled_from(["market", "limit", "post-only"]),
    "Purpose": st.sampled_from(["", "enter", "exit", "stop"]),
    "int": WHOLE,
    "Time": WHOLE,
    "Time | None": st.none() | WHOLE,
    "float": NUMBER,
    "float | None": st.none() | NUMBER,
    "bool": st.booleans(),
    "Decimal": DECIMAL,
    "Decimal | None": st.none() | DECIMAL,
    "Numbers": st.dictionaries(TEXT, NUMBER, max_size=4),
}
"""By the text of the annotation; `Levels` belong together and come from `books`."""

few = settings(max_examples=20)
"""For what is tried on each kind of event."""

KINDS: tuple[type[Event], ...] = (*OUTSIDE, *DERIVED)


def annotation(form: Form) -> str:
    """Return the annotation that a form belongs to."""
    return next(name for name, known in FORMS.items() if known is form)


def events(kind: type[Event]) -> st.SearchStrategy[Event]:
    """Return events of one kind."""
    if kind is Trades:
        return trades()
    if kind is Book:
        return books()
    values = {name: VALUES[annotation(form)] for name, form in forms(kind).items()}
    born: Callable[..., Event] = kind
    return st.builds(born, **values, **({"at": AT} if kind in OUTSIDE else {}))


def any_event() -> st.SearchStrategy[Event]:
    """Return events of all kinds."""
    return st.one_of(*map(events, KINDS))


@st.composite
def books(draw: st.DrawFn) -> Book:
    prices = sorted(draw(st.sets(POSITIVE, max_size=8)))
    middle = draw(st.integers(0, len(prices)))
    levels = [(price, draw(POSITIVE)) for price in prices]
    return Book(
        draw(TEXT), draw(WHOLE), levels[:middle][::-1], levels[middle:],
        draw(WHOLE), draw(WHOLE), draw(st.none() | WHOLE), draw(AT),
    )  # fmt: skip


@st.composite
def trades(draw: st.DrawFn) -> Trades:
    count = draw(st.integers(1, 5))

    def column(values: st.SearchStrategy[Any]) -> Any:  # noqa: ANN401 - whatever the strategy makes
        return draw(st.lists(values, min_size=count, max_size=count))

    ids = draw(st.sampled_from([WHOLE, TEXT, None]))
    whole = Trades.of(
        draw(TEXT),
        column(st.integers(1, 2**63 - 1)),
        column(POSITIVE),
        column(POSITIVE),
        column(st.sampled_from([-1, 0, 1])),
        None if ids is None else column(ids),
        column(WHOLE) if draw(st.booleans()) else None,
        draw(AT),
    )
    return whole.cut(draw(st.integers(0, count - 1)), count)
