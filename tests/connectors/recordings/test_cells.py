"""Cells: from a column of any type to ours, the same for each cell alone."""

from __future__ import annotations

import decimal
from datetime import datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.recordings import cells
from schemas import as_ids

WORDS = st.sampled_from(
    ["1.5", " 2 ", "abc", "", "1e3", "nan", "inf", "-1", "0", "007", "12", "1,5", "9" * 18, "+7",
     "2024-08-08T23:54:15.123456789Z", "2024-08-08 23:54:15", "2024-08-09T01:54:15+02:00", "soon",
     "2024-13-01", "buy", "S", "-0", "0x1F", "9223372036854775808"]
)  # fmt: skip
COLUMN = st.lists(WORDS | st.none(), min_size=1, max_size=12)


@given(COLUMN)
def test_a_cell_is_read_alike_alone_and_among_others(words: list[str | None]) -> None:
    column = pa.array(words, pa.string())
    alone = [pa.array([word], pa.string()) for word in words]
    numbers = np.concatenate([cells.numbers(one) for one in alone])
    np.testing.assert_array_equal(cells.numbers(column), numbers)
    for unit in ("s", "ms", "us", "ns", None):
        times = np.concatenate([cells.times(one, unit) for one in alone])
        np.testing.assert_array_equal(cells.times(column, unit), times)
    sides = np.concatenate([cells.sides(one) for one in alone])
    np.testing.assert_array_equal(cells.sides(column), sides)
    np.testing.assert_array_equal(cells.sides(column.dictionary_encode()), sides)


@example(["-7"])
@example(["1000000000000000000"])
@example(["7", "-12"])
@given(st.lists(st.from_regex(r"[0-9]{1,19}|0[0-9]*|[a-z0-9-]{1,8}", fullmatch=True), min_size=1))
def test_ids_are_what_the_schema_says(ids: list[str]) -> None:
    expected, found = as_ids(ids), cells.ids(pa.array(ids))
    assert found is not None
    assert found.dtype == expected.dtype
    assert found.tolist() == expected.tolist()


@given(st.lists(st.integers(0, 10**18 - 1), min_size=1))
def test_ids_of_digits_are_whole_numbers(ids: list[int]) -> None:
    for column in (pa.array([str(id_) for id_ in ids]), pa.array(ids), pa.array(ids, pa.uint64())):
        found = cells.ids(column)
        assert found is not None
        assert found.dtype == np.int64
        assert found.tolist() == ids


@pytest.mark.parametrize(
    ("column", "unit", "ns"),
    [
        (pa.array([1_723_161_255], pa.timestamp("s")), None, 1_723_161_255_000_000_000),
        (pa.array([1_723_161_255_001], pa.timestamp("ms", "UTC")), None, 1_723_161_255_001_000_000),
        (pa.array([7], pa.timestamp("ns", "Asia/Tokyo")), None, 7),
        (pa.array([2**62], pa.timestamp("s")), None, 0),  # beyond what 64 bits of ns can tell
        (pa.array([1_723_161_255_001]), "ms", 1_723_161_255_001_000_000),
        (pa.array([1_723_161_255.5]), "s", 1_723_161_255_500_000_000),
        (pa.array(["1723161255.123456789"]), "s", 1_723_161_255_123_456_789),
        (pa.array(["1723161255001.5"]), "ms", 1_723_161_255_001_500_000),
        (pa.array(["1.5"]), "ns", 0),
        (pa.array([decimal.Decimal("1.25")]), "us", 1250),
        (pa.array([10**30], pa.decimal128(38, 0)), "ns", 0),
        (pa.array(["99999999999999999999"]), "ns", 0),
        (pa.array([18_446_744_074]), "s", 0),  # a little more than 64 bits of ns
        (pa.array([-5]), "s", -5_000_000_000),
        (pa.array([None], pa.int64()), "ns", 0),
    ],
)
def test_times_of_all_kinds(column: pa.Array, unit: str | None, ns: int) -> None:
    assert cells.times(column, unit).tolist() == [ns]


@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001 - the zone comes next
def test_a_text_with_a_zone_is_that_moment(when: datetime, hours: int) -> None:
    zoned = when.replace(tzinfo=timezone(timedelta(hours=hours)))
    since = zoned - datetime(1970, 1, 1, tzinfo=timezone.utc)
    ns = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
    assert cells.times(pa.array([zoned.isoformat()]), None).tolist() == [ns]


@pytest.mark.parametrize(
    ("column", "sides"),
    [
        (pa.array([1.0, -1.0, 0.0, float("nan"), 0.5]), [1, -1, 0, 2, 2]),
        (pa.array([1, -1, 0, None, 300]), [1, -1, 0, 0, 2]),
        (pa.array([1, -1, 0, None, 5], pa.int8()), [1, -1, 0, 0, 5]),
        (pa.array(["Buy", " sell ", "", None, "bid"]), [1, -1, 0, 0, 2]),
    ],
)
def test_a_side_is_one_of_three_and_unknown_where_there_is_none(
    column: pa.Array, sides: list[int]
) -> None:
    assert cells.sides(column).tolist() == sides


def test_a_missing_arrival_is_that_of_the_trade_before() -> None:
    column = pa.array([None, 5, None, None, 9])
    assert cells.received(column, "ns").tolist() == [5, 5, 5, 5, 9]  # type: ignore[union-attr]
    assert cells.received(pa.array([None, None], pa.int64()), "ns") is None


def test_a_column_that_cannot_be_numbers_is_told() -> None:
    with pytest.raises(cells.Unsuitable, match="list<item: double>, and not double"):
        cells.numbers(pa.array([[1.0]]))
    with pytest.raises(cells.Unsuitable, match="plain numbers"):
        cells.times(pa.array([1]), None)
