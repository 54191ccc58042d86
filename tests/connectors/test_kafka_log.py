"""The log in Kafka: what every log owes, and what only Kafka can do to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.log import Log
from tests.connectors.kafka_place import KafkaPlace, any_place
from tests.connectors.log_contract import LogContract, Place


class TestContract(LogContract):
    @pytest.fixture
    def place(self) -> Iterator[Place]:
        with any_place() as place:
            yield place

    def test_an_offset_is_found_by_the_time_of_appending(self, place: Place, log: Log) -> None:
        if isinstance(place, KafkaPlace) and place.mock:
            pytest.skip("the mock cluster finds no offset by time: set KAFKA_BOOTSTRAP")
        super().test_an_offset_is_found_by_the_time_of_appending(place, log)
