"""The rule that divides markets among a log's partitions."""

import zlib

from hypothesis import given
from hypothesis import strategies as st

from connectors.log.log import partition_of


@given(st.text(), st.integers(1, 64))
def test_a_market_has_the_partition_that_kafkas_own_crc_partitioner_gives_it(
    market: str, count: int
) -> None:
    assert partition_of(market, count) == zlib.crc32(market.encode()) % count
