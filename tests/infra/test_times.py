"""Times on a command line."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.times import TimeError, parse_time, write_time
from schemas import DAY, MINUTE, SECOND

EPOCH = datetime.fromtimestamp(0, timezone.utc)
NOW = 1_800_000_000 * SECOND

moments = st.builds(
    lambda micros, zone: (EPOCH + timedelta(microseconds=micros)).astimezone(zone),
    st.integers(DAY // 1_000, 9 * 10**15),
    st.integers(-24 * 60 + 1, 24 * 60 - 1).map(
        lambda minutes: timezone(timedelta(minutes=minutes))
    ),
)


@given(moments)
def test_a_time_as_iso_writes_it_is_read_exactly(moment: datetime) -> None:
    micros = (moment - EPOCH) // timedelta(microseconds=1)
    assert parse_time(moment.isoformat(), NOW) == micros * 1_000


@given(moments)
def test_a_time_without_a_zone_is_utc(moment: datetime) -> None:
    plain = moment.replace(tzinfo=None).isoformat()
    assert parse_time(plain, NOW) == parse_time(f"{plain}+00:00", NOW)


def test_a_zone_may_be_z_and_a_second_may_have_any_digits() -> None:
    whole = parse_time("2026-11-01T12:30:05+00:00", NOW)
    assert parse_time("2026-11-01T12:30:05Z", NOW) == whole
    for digits in ("9", "90", "9000", "900000000"):
        assert parse_time(f"2026-11-01T12:30:05.{digits}Z", NOW) == whole + 9 * SECOND // 10


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("45s", 45 * SECOND),
        ("90m", 90 * MINUTE),
        ("1.5h", 90 * MINUTE),
        ("3d", 3 * DAY),
        ("1w", 7 * DAY),
        ("0s", 0),
    ],
)
def test_how_long_ago_is_counted_from_now(text: str, ago: int) -> None:
    assert parse_time(text, NOW) == NOW - ago


@pytest.mark.parametrize(
    "text", ["", "3", "3x", "-2h", "h", "2026-13-01", "noon", "1e3d", "1969-12-31", "2262-01-01"]
)
def test_what_is_no_time_is_shown_with_how_to_write_one(text: str) -> None:
    with pytest.raises(TimeError, match=f"time '{text}': write a date or time such as 2026-11-01"):
        parse_time(text, NOW)


def test_a_time_is_shown_to_the_second() -> None:
    assert write_time(parse_time("2026-11-01T12:30:05.9", NOW)) == "2026-11-01 12:30:05"
