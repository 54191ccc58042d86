from __future__ import annotations

import re
from decimal import Decimal
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import Event, Trades
from schemas.forms import FORMS, forms
from tests.schemas.events import KINDS, VALUES, few

WRONG: dict[str, list[object]] = {
    "str": [None, 7, True, ["a"]],
    "Side": [None, 7, "buy", "Long", ""],
    "Aggressor": [None, 7, "long", ""],
    "Unit": [None, 7, "usd", ""],
    "OrderKind": [None, 7, "stop", ""],
    "Purpose": [None, 7, "cancel"],
    "int": [None, "7", 7.0, True, 2**63, -(2**63) - 1],
    "Time": [None, "7", 7.0, False, 2**63],
    "Time | None": ["", 7.0, True],
    "float": [None, "7", True, nan, inf, -inf, [1.0]],
    "float | None": ["", False, nan],
    "bool": [None, 0, 1, "true"],
    "Decimal": [
        None, 7, 7.5, "", "seven", "NaN", "Infinity", "-inf", "sNaN", " 7", "7_000", "\u0667",
        "1e38", "1e999999", "1e-39", "0." + "0" * 38 + "1", "9" * 39,
    ],
    "Decimal | None": [7, "", "NaN"],
    "Numbers": [None, [], {"a": nan}, {"a": "1"}, {"a": None}, 7],
    "Levels": [
        None, {}, [1.0], [[1.0]], [[1.0, 2.0, 3.0]], [[0.0, 1.0]], [[1.0, 0.0]], [[-1.0, 1.0]],
        [[1.0, nan]], [["1", 1.0]], ["ab"],
    ],
}  # fmt: skip


def test_each_form_has_its_wrong_values() -> None:
    assert WRONG.keys() == FORMS.keys()


@pytest.mark.parametrize(("name", "value"), [(name, v) for name in WRONG for v in WRONG[name]])
def test_a_wrong_value_is_refused_and_shown(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=r" is not ") as refused:
        FORMS[name].read(value)
    shown = str(refused.value)
    assert shown[:20] in repr(value) or re.search(r"^.+ is not ", shown)
    assert len(shown) < 120


@pytest.mark.parametrize("name", [name for name in FORMS if not name.startswith("Decimal")])
@few
@given(st.data())
def test_a_right_value_is_read_as_it_is(name: str, data: st.DataObject) -> None:
    value = data.draw(VALUES.get(name, st.just([(1.0, 2.0)])))
    read = FORMS[name].read([list(level) for level in value] if name == "Levels" else value)
    assert repr(read) == repr(value)


@given(VALUES["Decimal"])
def test_a_decimal_string_is_read_exactly(number: Decimal) -> None:
    for text in (str(number), format(number, "f")):
        assert FORMS["Decimal"].read(text) == number


def test_a_whole_number_is_a_number() -> None:
    read = FORMS["float"].read(7)
    assert read == 7.0
    assert type(read) is float


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Trades])
def test_every_field_has_a_form(kind: type[Event]) -> None:
    assert {form.clickhouse for form in forms(kind).values()}
    assert list(forms(kind))[:2] == ["market", "ts"]
    assert "at" not in forms(kind)


@pytest.mark.parametrize("name", FORMS)
def test_what_may_be_absent_may_be_null_in_its_table(name: str) -> None:
    optional, form = name.endswith("| None"), FORMS[name]
    assert form.clickhouse.startswith("Nullable(") == optional
    if optional:
        assert form.read(None) is None
