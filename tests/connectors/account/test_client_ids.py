"""Client order ids: what every exchange takes, and no two alike."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from connectors.account.client_ids import client_id

TEXTS = st.tuples(st.text(), st.text(), st.text(), st.text())


@given(TEXTS)
def test_an_id_is_26_small_letters_and_digits_and_begins_with_a_letter(
    texts: tuple[str, str, str, str],
) -> None:
    assert re.fullmatch("[a-z][a-z0-9]{25}", client_id(*texts))
    assert client_id(*texts) == client_id(*texts)


@given(TEXTS, TEXTS)
def test_orders_that_differ_have_ids_that_differ(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    assert (client_id(*one) == client_id(*other)) == (one == other)


def test_where_a_name_ends_counts() -> None:
    assert client_id("a", "bc", "m", "1") != client_id("ab", "c", "m", "1")
