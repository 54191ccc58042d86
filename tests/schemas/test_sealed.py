"""A changed byte breaks the seal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.sealed import SUM, TornError, opened, sealed, sum_of


@given(st.binary(), st.data())
def test_no_changed_byte_passes(content: bytes, data: st.DataObject) -> None:
    kept = bytearray(sealed(content))
    assert opened(bytes(kept)) == content
    place = data.draw(st.integers(0, len(kept) - 1))
    kept[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(TornError):
        opened(bytes(kept))


@given(st.binary(max_size=40), st.integers(0, 40))
def test_no_torn_end_passes(content: bytes, length: int) -> None:
    kept = sealed(content)
    if length < len(kept):
        with pytest.raises(TornError):
            opened(kept[:length])


def test_a_sum_tells_any_other_value_and_not_itself() -> None:
    state = {"first": 1, "texts": ["a"]}
    assert sum_of({**state, SUM: sum_of(state)}) == sum_of(state)
    assert sum_of({**state, "texts": ["b"]}) != sum_of(state)
