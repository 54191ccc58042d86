from __future__ import annotations

import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import Position, Trades, as_ids
from schemas.trades import trade_time
from tests.tapes import MARKET, chop, rows

COLUMNS = ("ts", "price", "size", "side", "id", "stamp", "received")


def trades(count: int, at: Position | None = None) -> Trades:
    whole = list(range(1, count + 1))
    price, size = [x / 7 for x in whole], [x / 3 for x in whole]
    side = [x % 3 - 1 for x in whole]
    return Trades.of(MARKET, whole, price, size, side, whole, [x + 5 for x in whole], at)


@given(st.integers(0, 20), st.data())
def test_a_cut_shows_the_rows_a_list_would(count: int, data: st.DataObject) -> None:
    a = data.draw(st.integers(0, count))
    b = data.draw(st.integers(a, count))
    whole = trades(count)
    part = whole.cut(a, b)
    assert list(rows([part])) == list(rows([whole]))[a:b]
    c = data.draw(st.integers(0, b - a))
    assert list(rows([part.cut(c, b - a)])) == list(rows([whole]))[a + c : b]


def test_a_cut_copies_nothing() -> None:
    whole = trades(10)
    for name in COLUMNS:
        assert np.shares_memory(getattr(whole.cut(2, 5), name), getattr(whole, name))
    assert whole.cut(2, 5).columns is whole.columns


def test_a_cut_knows_its_place_in_the_log() -> None:
    assert trades(10).cut(2, 5).at is None
    part = trades(10, Position("p", 7, 3)).cut(2, 5).cut(1, 3)
    assert part.at == Position("p", 7, 6)


def test_a_pickled_cut_holds_the_same_rows_at_the_same_place() -> None:
    part = trades(10, Position("p", 7, 3)).cut(2, 5)
    again = pickle.loads(pickle.dumps(part))
    assert list(rows([again])) == list(rows([part]))
    assert again.at == part.at == Position("p", 7, 5)
    assert [getattr(again, name).dtype for name in COLUMNS] == [
        getattr(part, name).dtype for name in COLUMNS
    ]


def test_a_pickled_cut_holds_no_more_than_its_rows() -> None:
    assert len(pickle.dumps(trades(100_000).cut(70_000, 70_003))) < 2_000


def test_a_pickled_slice_keeps_absent_columns_absent() -> None:
    again = pickle.loads(pickle.dumps(Trades.of(MARKET, [1, 2], [1.0, 2.0], [1.0, 1.0]).cut(1, 2)))
    assert (again.id, again.received, again.at) == (None, None, None)
    assert again.ts is again.stamp or again.columns.ts is again.columns.stamp


@pytest.mark.parametrize("name", ["price", "size", "side", "id", "received"])
def test_columns_of_different_length_are_refused_by_name(name: str) -> None:
    columns = {"price": [1.0, 2.0], "size": [1.0, 2.0], name: [1]}
    with pytest.raises(ValueError, match=re.escape(f"{MARKET}: column '{name}' has 1 rows")):
        Trades.of(MARKET, [1, 2], **columns)  # type: ignore[arg-type]


def test_trades_without_sides_have_unknown_ones() -> None:
    assert Trades.of(MARKET, [1], [1.0], [1.0]).side.tolist() == [0]


def test_the_time_of_a_row_is_a_plain_number() -> None:
    time = trade_time(trades(10).cut(4, 6), 1)
    assert time == 6
    assert type(time) is int


def test_rows_taken_by_number_are_those_rows() -> None:
    columns = trades(10).columns.take(np.array([3, 1]))
    assert columns.ts.tolist() == [4, 2]
    assert columns.stamp is columns.ts


@given(st.lists(st.text("0123456789ab٣", min_size=1, max_size=20)))
def test_ids_of_text_keep_every_character(texts: list[str]) -> None:
    assert [str(id_) for id_ in as_ids(texts).tolist()] == texts


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_ids_of_whole_numbers_keep_every_digit(numbers: list[int]) -> None:
    assert as_ids(numbers).tolist() == numbers


def test_greater_numbers_than_int64_holds_are_kept_as_text() -> None:
    assert as_ids([2**63, 2**64 - 1]).tolist() == [str(2**63), str(2**64 - 1)]


@given(st.sets(st.integers(0, 30)))
def test_chopping_rows_changes_none(cuts: set[int]) -> None:
    whole = [trades(20)]
    assert list(rows(chop(whole, cuts))) == list(rows(whole))
